import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isKernelError } from "parhelion-core";
import { encodeFrame, isProtocolError, queueMessage, zeroGuid } from "parhelion-protocol";
import { identifyConnection, VmbusConnection, VmbusHost } from "../index.js";
import { createRig, socketPair } from "../rig.test.fixture.js";

describe("the front door", () => {
  it("leaves a VMBus connection as it came", async (t) => {
    const [near, far] = await socketPair(t);
    const { runtime, system, vmbus } = createRig();
    const connecting = VmbusConnection.connect(system, vmbus, near, { name: "g", credential: "c" });
    assert.deepEqual(await identifyConnection(runtime, far), { kind: "vmbus" });
    await VmbusHost.accept(far, { runtime, authorize: () => 0n });
    await (await connecting).close();
  });

  it("takes a queue's first message off, however it is cut, and nothing else", async (t) => {
    const token = "00112233445566778899aabbccddeeff";
    const body = queueMessage.connect.body.encode({ token, credential: "me" });
    const first = encodeFrame(queueMessage.connect.type, 0, 0, body);
    for (const cut of [1, 7, 8, 20, first.length, first.length + 2]) {
      const [near, far] = await socketPair(t);
      const { runtime } = createRig();
      const bytes = Buffer.concat([first, Buffer.from("payload")]);
      near.write(bytes.subarray(0, cut));
      const identifying = identifyConnection(runtime, far);
      setImmediate(() => near.end(bytes.subarray(cut)));
      const connect = { token, credential: "me", slice: zeroGuid, generation: 0n };
      assert.deepEqual(await identifying, { kind: "queue", connect });
      let rest = "";
      far.on("data", (chunk: Buffer) => {
        rest += chunk.toString();
      });
      far.resume();
      await new Promise<void>((resolve) => far.once("end", resolve));
      assert.equal(rest, "payload");
    }
  });

  it("turns everything else away", async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        const [near, far] = await socketPair(t);
        const { runtime } = createRig();
        near.end(bytes);
        try {
          await identifyConnection(runtime, far);
        } catch (error) {
          assert.ok(isProtocolError(error) || isKernelError(error, "ECONNRESET"), String(error));
          assert.equal(far.destroyed, true);
        }
      }),
      { numRuns: 60 },
    );
  });
});
