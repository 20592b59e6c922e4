/** Every way in which a slice is taken from a guest that uses it: all settles, everybody hears who did it, the next slice is found. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "parhelion-core";
import { AdminClient } from "parhelion-host";
import { SysClient } from "parhelion-protocol";
import { kernelProcess, squares, untilLost } from "./programs.test.fixture.js";
import {
  application,
  type Guest,
  inWorld,
  isAlive,
  Program,
  until,
  type World,
} from "./world.test.fixture.js";

const limit = { timeout: 300_000 };

interface Ground {
  readonly world: World;
  readonly guest: Guest;
  /** UUID. */
  readonly slice: string;
  readonly admin: AdminClient;
}

interface Way {
  readonly name: string;
  take(ground: Ground): Promise<unknown>;
  readonly says: RegExp;
  /** What `requestAdapter` gives then. */
  readonly next: "no adapter" | "device";
  /** What the host warns of. */
  readonly expects?: readonly string[];
}

const ways: readonly Way[] = [
  {
    name: "it is removed",
    take: ({ admin, slice }) => admin.request("sliceRemove", { uuid: slice }),
    says: /administrator removed slice /,
    next: "no adapter",
  },
  {
    name: "it is unbound from its guest in the device tree",
    async take({ world, slice }) {
      const tree = await SysClient.connect(join(world.host.stateDirectory, "sys"));
      await tree.write("/sys/bus/mdev/drivers/projected/unbind", slice);
      tree.close();
    },
    says: /unbound from its guest on the host/,
    next: "no adapter",
  },
  {
    name: "it is given to nobody",
    take: ({ admin, slice }) => admin.request("sliceMove", { uuid: slice, guest: null }),
    says: /administrator gave slice .* to somebody else/,
    next: "no adapter",
  },
  {
    name: "its guest is removed",
    take: ({ world, guest }) => world.host.guestRemove(guest.created.id),
    says: /the guest was removed by the host/,
    next: "no adapter",
    expects: ["guest.refused"],
  },
  {
    name: "its adapter is removed",
    take: ({ admin }) => admin.request("adapterRemove", { name: "adapter0" }),
    says: /adapter0 was removed from the host/,
    next: "no adapter",
  },
  {
    name: "the host is stopped",
    take: ({ world }) => world.host.stop(),
    says: /the host was stopped/,
    next: "no adapter",
  },
  {
    name: "its engine is killed",
    async take({ world }) {
      process.kill((await world.engine()).engine.pid as number, "SIGKILL");
    },
    says: /SIGKILL/,
    next: "device",
    expects: ["engine.failed", "device.lost"],
  },
];

for (const { name, take, says, next, expects } of ways)
  test(`when ${name} every promise of every program settles, and device.lost says so`, limit, () =>
    inWorld(
      async (world) => {
        const guest = await world.guest();
        const admin = await AdminClient.connect(world.host.adminSocket, systemClock);
        const slice = (await world.engine()).uuid;
        const programs = [1, 2].map(() => application(guest.created.directory, untilLost));
        for (const program of programs) await program.line("working");
        const { engine } = await world.engine();
        const taken = take({ world, guest, slice, admin });
        for (const program of programs) {
          assert.match(await program.line("lost"), says);
          assert.match(await program.line("lost"), /^unknown: /);
          assert.equal(await program.line("settled"), "5");
          assert.equal(await program.line("next"), next);
          await program.end();
        }
        await taken;
        await until("the engine has gone", () => !isAlive(engine.pid as number));
        admin.close();
      },
      { expects: expects ?? [] },
    ),
  );

test(
  "a slice that comes later is found by a program that waits for it, and by one that asks again",
  limit,
  () =>
    inWorld(async (world) => {
      const guest = await world.guest();
      const admin = await AdminClient.connect(world.host.adminSocket, systemClock);
      await admin.request("sliceRemove", { uuid: (await world.engine()).uuid });
      await until("the node has gone", () => guest.kernel.nodes.length === 0);
      const waiting = application(
        guest.created.directory,
        `const changed = new Promise((resolve) => navigator.gpu.slices.addEventListener("change", resolve, { once: true }));
       console.log("first " + await navigator.gpu.requestAdapter());
       const timer = setInterval(() => {}, 1000);
       await changed;
       clearInterval(timer);
       const adapter = await navigator.gpu.requestAdapter();
       console.log("then " + adapter.slice.uuid);
       ${squares.replace("const adapter = await navigator.gpu.requestAdapter();", "")}`,
      );
      assert.equal(await waiting.line("first"), "null");
      await admin.request("sliceCreate", { type: "shared", guest: guest.created.id });
      assert.equal(await waiting.line("then"), (await world.engine()).uuid);
      await waiting.line("squares");
      await waiting.end();
      admin.close();
    }),
);

test("removal waits for no guest: one whose kernel is stopped learns of it when it goes on", limit, () =>
  inWorld(async (world) => {
    const before = await memory(world);
    const created = await world.host.guestCreate();
    const kernel = new Program(kernelProcess, { environment: { GUEST: JSON.stringify(created) } });
    assert.equal(await kernel.line("nodes"), "dxg0");
    const program = application(created.directory, untilLost);
    await program.line("working");
    const admin = await AdminClient.connect(world.host.adminSocket, systemClock);
    const { uuid, engine } = await world.engine();
    kernel.kill("SIGSTOP");
    await admin.request("sliceRemove", { uuid });
    assert.ok(!isAlive(engine.pid as number), "its memory is back when the removal has returned");
    assert.deepEqual(await memory(world), before);
    assert.deepEqual((await world.host.status()).slices, []);
    kernel.kill("SIGCONT");
    await program.line("lost unknown");
    assert.equal(await program.line("settled"), "5");
    assert.equal(await program.line("next"), "no adapter");
    await program.end();
    kernel.kill();
    await kernel.ended();
    admin.close();
  }),
);

async function memory({ host }: World): Promise<unknown> {
  return (await host.status()).adapters.map(({ memory, left }) => ({ memory, left }));
}
