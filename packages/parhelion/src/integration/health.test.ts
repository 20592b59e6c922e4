import assert from "node:assert/strict";
import { test } from "node:test";
import { holder, inWorkplace, nodeWords } from "../command.test.fixture.js";

test("when the engines of two guests are killed the adapter is probed, found well, and goes on", () =>
  inWorkplace(async (place) => {
    await place.host();
    const events = place.start(["events", "--follow"]);
    const programs = ["one", "two"].map((name) =>
      place.start(["run", "--name", name, "--", ...nodeWords(holder)]),
    );
    for (const program of programs) await program.says("device");
    for (const { engine } of (await place.status()).slices) process.kill(engine.pid ?? Number.NaN, "SIGKILL");
    for (const program of programs) assert.equal((await program.ended).status, 4);
    await events.says("adapter.healthy");
    const order = ["engine.failed", "device.lost", "adapter.suspect", "adapter.healthy"].map((name) =>
      events.out.indexOf(` ${name} `),
    );
    assert.ok(!order.includes(-1), events.out);
    assert.deepEqual(
      order.slice(2),
      order.slice(2).toSorted((a, b) => a - b),
    );
    const [adapter] = (await place.status()).adapters;
    assert.deepEqual(
      [adapter?.health?.state, adapter?.health?.probes],
      ["healthy", { passed: 1, failed: 0 }],
    );
    assert.equal((await place.run(["cat", "/sys/devices/adapter0/health"])).out, "healthy\n");
    const next = await place.run(["run", "--", ...nodeWords(`${holder} device.destroy();`)]);
    assert.match(next.out, /^device$/m);
  }));
