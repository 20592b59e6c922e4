/** A shader without an end, on a real engine with the software adapter: its device goes, then, when nothing helps, the engine. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type FromEngine, noSlice } from "parhelion-protocol";
import { ChildEngine } from "../child.test.support.js";
import { submitEndless } from "./endless.test.support.js";

async function start(submissionMs: number): Promise<{ engine: ChildEngine; said: FromEngine[] }> {
  const engine = await ChildEngine.spawn("software");
  const said: FromEngine[] = [];
  engine.child.on("message", (message) => said.push(message as FromEngine));
  const quota = { ...noSlice.quota, submissionMs };
  engine.send({ op: "start", queuePath: engine.queuePath, dawn: [], forceFallback: true, ...noSlice, quota });
  await engine.adapter();
  return { engine, said };
}

describe("a shader without an end", { timeout: 300_000 }, () => {
  it("costs its own device at first, and the whole engine when the GPU does not come back", async () => {
    const { engine, said } = await start(200);
    try {
      const guilty = await engine.open(1);
      const neighbour = await engine.open(2);
      submitEndless(guilty);
      const { reason, message } = await guilty.lost;
      assert.equal(reason, "unknown");
      assert.match(message, /^limit-reached: slice 0{8}-.* submissionMs allows 200 ms\./);
      assert.match(
        message,
        /It is dispatchWorkgroups\(3, 2, 1\), command 0 of compute pass "a pass", with pipeline "for ever"\./,
      );
      await guilty.closed;
      // It serves all the while, and its other device waits for the same GPU.
      assert.equal((await engine.statistics()).devices, 1);
      assert.equal(neighbour.closeReason, undefined);
      while (!said.some(({ op }) => op === "overrun"))
        await new Promise((resolve) => setTimeout(resolve, 10));
      const overrun = said.find(({ op }) => op === "overrun");
      assert.ok(overrun?.op === "overrun" && overrun.device === 1 && overrun.message === message);
      assert.deepEqual(
        engine.losses.map(({ device: lost }) => lost),
        [1],
      );
    } finally {
      await engine.end();
    }
  });
});
