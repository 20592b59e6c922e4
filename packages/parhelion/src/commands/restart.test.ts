import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { errorOf, inWorkplace, nodeWords, until } from "../command.test.fixture.js";

/** Has a device until it is lost, and then another one; says "first" and "second". */
const twice = `
  const device = async () => {
    for (;;) {
      const adapter = await navigator.gpu.requestAdapter();
      if (adapter !== null) try { return await adapter.requestDevice(); } catch {}
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const awake = setInterval(() => {}, 1000);
  const first = await device();
  console.log("first");
  await first.lost;
  await device();
  console.log("second");
  clearInterval(awake);
  process.exit(0);`;

test("a host that is killed and started again has the guest of a run, which ends well and leaves nothing there", () =>
  inWorkplace(async (place) => {
    const { host } = await place.host();
    const run = place.start(["run", "--name", "lasting", "--", ...nodeWords(twice)]);
    await run.says("first");
    const before = await place.status();
    host.kill("SIGKILL");
    await host.ended;
    await until("the command has noticed", () => run.err.includes("the host has gone"));
    await place.host();
    const { status, out, err } = await run.ended;
    assert.deepEqual([status, out], [0, "first\nsecond\n"], err);
    assert.match(err, /the host is there again/);
    const after = await place.status();
    assert.deepEqual(
      before.guests.map(({ name }) => name),
      ["lasting"],
    );
    assert.deepEqual([after.guests, after.slices], [[], []]);
  }));

test("a guest and its slice are there again after the host's restart, under the same names", () =>
  inWorkplace(async (place) => {
    const { host } = await place.host();
    const { id } = await place.json<{ id: string }>("guest", "create", "--name", "kept");
    const before = await place.status();
    host.kill("SIGTERM");
    await host.ended;
    await place.host();
    const after = await place.status();
    assert.deepEqual(
      after.guests.map((guest) => [guest.id, guest.name, guest.slices]),
      [[id, "kept", before.slices.map(({ uuid }) => uuid)]],
    );
    await place.json("guest", "remove", id);
  }));

test("a host does not start on a store that is damaged, says what to do, and does it when told", () =>
  inWorkplace(async (place) => {
    const { host } = await place.host();
    await place.json("guest", "create");
    host.kill("SIGTERM");
    await host.ended;
    writeFileSync(join(place.state, "store", "CURRENT"), "x");
    const { code, message, remedy } = errorOf(await place.run(["host", "--adapter", "software", "--json"]));
    assert.equal(code, "store-damaged");
    assert.ok(message.includes(join(place.state, "store")), message);
    assert.match(remedy, /--forget-state/);
    await place.host("--forget-state");
    assert.deepEqual((await place.status()).guests, []);
  }));
