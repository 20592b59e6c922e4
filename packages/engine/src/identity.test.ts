import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  addressed,
  connectQueue,
  type EngineAddress,
  isQueueConnectError,
  type ToEngine,
} from "parhelion-protocol";
import { ChildEngine } from "./child.test.support.js";
import { plainDevice } from "./script.test.support.js";

/** Of whom a child under test is: of no slice. */
const own = { slice: "00000000-0000-0000-0000-000000000000", generation: 0 };
const others: readonly EngineAddress[] = [
  { ...own, generation: 1 },
  { slice: "00000000-0000-4000-8000-00000000000b", generation: 0 },
];

describe("an engine and whose it is", { timeout: 300_000 }, () => {
  let engine: ChildEngine;
  before(async () => {
    engine = await ChildEngine.start("null");
  });
  after(() => engine.end());

  it("refuses every message of another slice or generation, and goes on as if there had been none", async () => {
    const script = await engine.open(1);
    const token = "b".repeat(32);
    const asked: readonly ((id: number) => ToEngine)[] = [
      (id) => ({ op: "createDevice", id, device: 2, owner: 1, request: plainDevice }),
      (id) => ({ op: "createQueue", id, device: 1, queue: 2, token }),
      (id) => ({ op: "waitFence", id, queue: 1, value: 0 }),
      (id) => ({ op: "submit", id, queue: 1 }),
      (id) => ({ op: "statistics", id }),
    ];
    const said: readonly ToEngine[] = [
      { op: "destroyQueue", queue: 1 },
      { op: "destroyDevice", device: 1 },
      { op: "stop" },
    ];
    for (const address of others) {
      for (const message of said) engine.send(addressed(message, address));
      for (const ask of asked) {
        const reply = await engine.ask((id) => addressed(ask(id), address));
        assert.equal(reply.op === "refused" && reply.refusal.code, "slice-stale");
      }
    }
    await script.done();
    const { devices, queues } = await engine.statistics();
    assert.deepEqual({ devices, queues }, { devices: 1, queues: 1 });
    script.port.close();
  });

  it("admits a token to its own slice and generation alone, and what was refused is still good there", async () => {
    await engine.createDevice(3);
    const token = "c".repeat(32);
    await engine.ask((id) => ({ op: "createQueue", id, device: 3, queue: 3, token }));
    const endpoint = { path: engine.queuePath };
    const owner = { slice: others[1]?.slice ?? "", generation: 4n };
    await assert.rejects(connectQueue({ endpoint, token, owner }), (error) => {
      return isQueueConnectError(error) && error.errno === 116 && /slice-stale/.test(error.message);
    });
    (await connectQueue({ endpoint, token })).close();
  });
});
