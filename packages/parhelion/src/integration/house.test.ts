import assert from "node:assert/strict";
import { test } from "node:test";
import { foreignObject, hundredDevices, squares, untilLost } from "./programs.test.fixture.js";
import { application, inWorld, isAlive, until } from "./world.test.fixture.js";

const limit = { timeout: 300_000 };

test("a program in a guest computes on the host's adapter, and leaves nothing there", limit, () =>
  inWorld(async (world) => {
    const { created } = await world.guest();
    const program = application(created.directory, squares);
    assert.equal(await program.line("squares"), String(1023 * 1023 + 1));
    await program.end();
    await until("the host has forgotten the program", async () => {
      const { devices, statistics } = await world.engine();
      return devices === 0 && statistics?.devices === 0 && statistics.objects === 0;
    });
    assert.equal((await world.host.status()).guests[0]?.processes.length, 0);
  }),
);

test("two guests work at once and neither sees the other", limit, () =>
  inWorld(
    async (world) => {
      const guests = [await world.guest(), await world.guest()];
      const programs = guests.map(({ created }) => application(created.directory, untilLost));
      for (const program of programs) await program.line("working");
      const { slices, guests: known } = await world.host.status();
      assert.equal(new Set(slices.map(({ engine }) => engine.pid)).size, 2);
      assert.deepEqual(
        known.map(({ processes }) => processes.length),
        [1, 1],
      );
      await world.host.guestRemove(guests[0]?.created.id as string);
      await programs[0]?.line("lost");
      await programs[0]?.end();
      const third = application(guests[1]?.created.directory as string, squares);
      await third.line("squares");
      await third.end();
      assert.ok(programs[1]?.lines.every((line) => !line.startsWith("lost")));
      programs[1]?.kill();
      await programs[1]?.ended();
    },
    // The kernel of the guest that was removed asks once more.
    { expects: ["guest.refused"] },
  ),
);

test("what belongs to another device is told by the one who knows: the engine", limit, () =>
  inWorld(async (world) => {
    const { created } = await world.guest();
    const program = application(created.directory, foreignObject);
    // Dawn's own words for an object of another device, not for one that does not exist.
    assert.match(await program.line("foreign"), /associated with \[Device.*cannot be used with \[Device/);
    await program.end();
  }),
);

test("one program holds a hundred devices", limit, () =>
  inWorld(async (world) => {
    const { created } = await world.guest();
    const program = application(created.directory, hundredDevices);
    assert.equal(await program.line("devices"), "100");
    await program.end();
    await until("all are gone", async () => (await world.engine()).statistics?.devices === 0);
  }),
);

test("when the engine is killed the program hears why, and its next device is on a fresh engine", limit, () =>
  inWorld(
    async (world) => {
      const { created } = await world.guest();
      const program = application(created.directory, untilLost);
      await program.line("working");
      const pid = (await world.engine()).engine.pid as number;
      process.kill(pid, "SIGKILL");
      assert.match(await program.line("lost"), /^unknown: .*SIGKILL/);
      assert.equal(await program.line("settled"), "5");
      assert.equal(await program.line("next"), "device");
      await program.end();
      const { engine } = await world.engine();
      assert.equal(engine.starts, 2);
      assert.notEqual(engine.pid, pid);
    },
    { expects: ["engine.failed"] },
  ),
);

test("when a guest is removed its programs lose their devices and end, and its engine with them", limit, () =>
  inWorld(
    async (world) => {
      const { created, kernel } = await world.guest();
      const program = application(created.directory, untilLost);
      await program.line("working");
      const pid = (await world.engine()).engine.pid as number;
      await world.host.guestRemove(created.id);
      assert.ok(!isAlive(pid));
      await program.line("lost unknown");
      assert.equal(await program.line("settled"), "5");
      assert.equal(await program.line("next"), "no adapter");
      await program.end();
      assert.deepEqual(kernel.nodes, []);
    },
    { expects: ["guest.refused"] },
  ),
);

test("when a program is killed in the middle its devices go and the engine stays", limit, () =>
  inWorld(async (world) => {
    const { created } = await world.guest();
    const program = application(created.directory, untilLost);
    await program.line("working");
    const { engine } = await world.engine();
    program.kill();
    await program.ended();
    await until("the engine has nothing left", async () => {
      const { devices, statistics } = await world.engine();
      return devices === 0 && statistics?.devices === 0 && statistics.queues === 0;
    });
    assert.equal((await world.engine()).engine.pid, engine.pid);
    const next = application(created.directory, squares);
    await next.line("squares");
    await next.end();
  }),
);
