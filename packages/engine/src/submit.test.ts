import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import koffi from "koffi";
import { encode, type KoffiModule, openSharedMemory } from "parhelion-protocol";
import { create } from "webgpu";
import { ChildEngine } from "./child.test.support.js";
import { createInProcessEngine } from "./in-process.js";
import { plainDevice, Script } from "./script.test.support.js";

const sharedMemory = openSharedMemory(koffi as unknown as KoffiModule);

describe("submit, a queue's doorbell by way of the host", { timeout: 300_000 }, () => {
  let engine: ChildEngine;
  before(async () => {
    engine = await ChildEngine.start("software");
  });
  after(() => engine.end());

  const submit = (queue: number) => engine.ask((id) => ({ op: "submit", id, queue }));
  const fenceValueOf = async (queue: number): Promise<number> => {
    const reply = await submit(queue);
    assert.equal(reply.op, "fence", JSON.stringify(reply));
    return reply.op === "fence" ? reply.value : -1;
  };
  const refusalOf = async (queue: number): Promise<string | undefined> => {
    const reply = await submit(queue);
    assert.equal(reply.op, "refused", JSON.stringify(reply));
    return reply.op === "refused" ? reply.refusal.code : undefined;
  };

  for (const carrier of ["stream", "shared-memory"] as const) {
    const skip = carrier === "shared-memory" && sharedMemory === undefined;
    it(`names the value of all that is published, and the fence gets there, over ${carrier}`, {
      skip,
    }, async () => {
      const queue = carrier === "stream" ? 1 : 2;
      const script = await engine.open(queue, carrier === "stream" ? undefined : sharedMemory);
      assert.equal(script.port.carrier, carrier);
      assert.equal(await fenceValueOf(queue), 0);
      // The doorbell has to leave the carrier's own as it was: each round relies on both.
      for (let round = 1; round <= 20; round++) {
        for (let i = 0; i < 100; i++) script.submit();
        script.stream.flush();
        const value = await fenceValueOf(queue);
        assert.equal(value, 100 * round);
        const reached = await engine.ask((id) => ({ op: "waitFence", id, queue, value }));
        assert.ok(reached.op === "fence" && reached.value >= value);
        await script.done();
      }
      script.port.close();
    });
  }

  it("is answered when everything has been read, be it many turns' work", {
    skip: sharedMemory === undefined,
  }, async () => {
    const script = await engine.open(3, sharedMemory);
    // More than the engine lets the GPU be behind.
    for (let i = 0; i < 20_000; i++) script.submit();
    script.stream.flush();
    assert.deepEqual(await Promise.all([fenceValueOf(3), fenceValueOf(3)]), [20_000, 20_000]);
    script.port.close();
  });

  it("is refused where there is no queue, where nobody has connected, and after the end", async () => {
    assert.equal(await refusalOf(99), "unknown-queue");
    await engine.createDevice(4);
    const token = "b".repeat(32);
    await engine.ask((id) => ({ op: "createQueue", id, device: 4, queue: 4, token }));
    assert.equal(await refusalOf(4), "no-connection");
    engine.send({ op: "destroyQueue", queue: 4 });
    assert.equal(await refusalOf(4), "unknown-queue");
    const script = await engine.open(5);
    encode.deviceDestroy(script.stream, 1);
    script.stream.flush();
    await script.lost;
    assert.equal(await refusalOf(5), "device-gone");
    script.port.close();
    await script.closed;
    while ((await engine.statistics()).queues > 0) assert.equal(engine.child.exitCode, null);
    assert.equal(await refusalOf(5), "unknown-queue");
  });
});

describe("submit in process", { timeout: 300_000 }, () => {
  it("counts what is in the ring before the queue has had a turn", async () => {
    const engine = createInProcessEngine({ gpu: create(["backend=null"]), limits: { fenceWaiters: 2 } });
    const { port, serial } = await engine.open(plainDevice);
    const script = new Script(port);
    await script.done();
    for (let i = 0; i < 3; i++) script.submit();
    script.stream.flush();
    const asked = [1, 2, 3].map(() => engine.engine.submit(serial));
    await assert.rejects(asked.pop() as Promise<number>, { code: "too-many-waiters" });
    assert.deepEqual(await Promise.all(asked), [3, 3]);
    assert.equal(await engine.engine.waitFence(serial, 3), 3);
    // The queue ends with the question open.
    script.submit();
    script.stream.flush();
    const open = assert.rejects(engine.engine.submit(serial), { code: "device-gone" });
    engine.engine.destroyQueue(serial);
    await open;
    await engine.close();
  });
});
