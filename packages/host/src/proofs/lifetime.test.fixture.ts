/** Who a guest belongs to at the end, in every order: its removal, its kernel, its patience, its host's end, and a disk that fails. */
import { Completion, isKernelError } from "parhelion-core";
import type { Program, World } from "parhelion-explorer";
import { Guest } from "../guests/guest.js";
import type { GuestConnection } from "../guests/guest-connection.js";
import { House } from "../guests/house.test.fixture.js";
import { HostError } from "../host-error.js";
import { hashOf } from "../secrets.js";
import { contentOf, FailingTable, type Fate } from "../store/store.test.fixture.js";

interface Scene {
  readonly house: House;
  id: string;
  credential: string;
  /** What became of the removal. */
  removal: string;
}

/** The host may lose its adapters before it refuses: it is on its way out. */
const refusals = ["guest-unknown", "store-failed", "host-stopping", "adapter-gone"] as const;

async function outcomeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return "done";
  } catch (error) {
    if (error instanceof HostError && refusals.some((code) => code === error.code)) return error.code;
    if (isKernelError(error)) return error.code;
    throw error;
  }
}

type Actor = (scene: Scene, world: World) => Promise<void>;

const remove: Actor = async (scene) => {
  scene.removal = await outcomeOf(() => scene.house.guests.remove(scene.id));
};
const again: Actor = async (scene) => {
  await outcomeOf(() => scene.house.guests.remove(scene.id));
};
const kernel: Actor = async (scene) => {
  await outcomeOf(async () => {
    const { connection } = await scene.house.enter(scene.credential);
    await connection.close();
  });
};
const stay: Actor = async (scene) => {
  await outcomeOf(() => scene.house.enter(scene.credential));
};
const stop: Actor = ({ house }) => house.close();
const create: Actor = async ({ house }) => {
  await outcomeOf(() => house.guests.create({ name: "late" }));
};

const options = { backOff: { firstMs: 0, mostMs: 0 }, orphanMs: 1000 };

function scene(
  name: string,
  fates: readonly Fate[],
  actors: Readonly<Record<string, Actor>>,
): Program<Scene> {
  return {
    name,
    setup(world) {
      const house = new House(world.runtime, options);
      const scene: Scene = { house, id: "", credential: "", removal: "none" };
      for (const [name, act] of Object.entries(actors)) world.task(name, () => act(scene, world));
      return scene;
    },
    async before(scene) {
      const { house } = scene;
      await house.build();
      Object.assign(scene, await house.guests.create({ name: "it" }));
      house.table.fates.push(...fates);
    },
    after: agree,
  };
}

/** The same with a guest whose kernel has to come, of an earlier host: patience with it may end as soon as the host has started. */
function laterScene(
  name: string,
  fates: readonly Fate[],
  actors: Readonly<Record<string, Actor>>,
): Program<Scene> {
  return {
    name,
    setup(world) {
      const table = new FailingTable();
      const directories = new Set<string>();
      const house = new House(world.runtime, { ...options, table, directories });
      const scene: Scene = { house, id: "", credential: "", removal: "none" };
      const started = new Completion(world.runtime, "start of the host");
      world.task("start", async () => {
        await house.build();
        table.fates.push(...fates);
        started.completeAll();
      });
      for (const [name, act] of Object.entries(actors))
        world.task(name, async () => {
          await started.wait();
          await act(scene, world);
        });
      return scene;
    },
    async before(scene, world) {
      const { table, directories } = scene.house;
      const first = new House(world.runtime, { ...options, table, directories });
      await first.build();
      Object.assign(scene, await first.guests.create({ name: "it" }));
      const putGuests = first.store.guests.map((guest) => ({ ...guest, lifetime: "connected" }) as const);
      await first.store.change({ putGuests });
      await first.close();
    },
    after: agree,
  };
}

/** Memory, disk and directories tell the same, and the next host takes over from there. */
async function agree({ house, id, removal }: Scene, world: World): Promise<void> {
  await house.close();
  const kept = house.store.guests.map((guest) => guest.id);
  let connection = "none";
  for (const { event } of world.log) {
    if (event === "guest.connected" || event === "guest.disconnected") connection = event;
    world.expect(
      event !== "guest.orphaned" || connection !== "guest.connected",
      "patience with a guest ended while its kernel was there",
    );
  }
  if (removal === "done" || removal === "guest-unknown")
    world.expect(!kept.includes(id), `its removal: ${removal}, and it is kept`);
  for (const { holder, uuid } of house.store.slices)
    world.expect(holder !== null && kept.includes(holder), `slice ${uuid} is left of guest ${holder}`);
  world.expect(house.store.slices.length === kept.length, `${house.store.slices.length} slices are kept`);
  const directories = kept.map((each) => `g/${each}`).sort();
  world.expect([...house.directories].sort().join() === directories.join(), "directories and guests differ");
  world.expect(house.engines.living.length === 0, `${house.engines.living.length} engines live on`);
  for (const { level, event, fields } of world.log)
    world.expect(level !== "error", `logged as an error: ${event} ${String(fields["error"])}`);
  const { table, runtime } = house;
  // The disk is in order again.
  table.fates.length = 0;
  const next = new House(runtime, { table, directories: house.directories });
  await next.build();
  world.expect(
    [...next.guests.values()].map((guest) => guest.id).join() === kept.join(),
    "the next host differs",
  );
  const uuids = contentOf(house.store)
    .match(/"uuid":"[^"]*"/g)
    ?.join();
  world.expect(
    contentOf(next.store)
      .match(/"uuid":"[^"]*"/g)
      ?.join() === uuids,
    "the next host has other slices",
  );
  await next.close();
}

export const lifetimes: readonly Program<Scene>[] = [
  scene("a removal that can't be kept meets the kernel and another removal", ["done-but-failed"], {
    remove,
    kernel,
    again,
  }),
  scene("a guest is removed, and another is made, while the host stops", [], { remove, create, stop }),
  scene("a removal and a creation, one of which can't be kept, and the host stops", ["lost"], {
    remove,
    create,
    stop,
  }),
];

/** Programs in which patience with a guest may end at any moment. */
export const impatience: readonly Program<Scene>[] = [
  laterScene("a guest's kernel comes to stay", [], { stay }),
  laterScene("a guest is removed while its kernel comes and leaves", [], { remove, kernel }),
  laterScene(
    "a guest's kernel comes and leaves while the host stops, and a removal can't be kept",
    ["lost"],
    {
      kernel,
      stop,
    },
  ),
];

interface Wait {
  readonly guest: Guest;
  readonly connection: GuestConnection;
}

/** The step in which patience ends, by itself: whoever is attached before it stays, and nobody is attached after it. */
export const patience: Program<Wait> = {
  name: "a kernel is attached, goes and comes back while patience with its guest ends",
  setup(world) {
    const { runtime } = world;
    const orphaned = async (guest: Guest) => {
      world.expect(guest.connection === undefined, "patience ended while a kernel was attached");
      guest.leave();
    };
    const guest = new Guest({
      runtime,
      record: { id: "00000001", name: "", credentialHash: hashOf(""), lifetime: "connected" },
      directory: "",
      orphans: { orphanMs: 1000, orphaned },
    });
    // Nothing is offered to it here: all that counts is that it is the same one.
    const connection = {} as GuestConnection;
    world.task("host", async () => guest.awaitKernel());
    world.task("kernel", async () => {
      for (let times = 0; times < 2; times++) {
        await world.point("contact");
        const outcome = await outcomeOf(async () => guest.attach(connection));
        const isGoing = guest.state === "going";
        world.expect(
          (outcome === "done") !== isGoing,
          `attached: ${outcome}, and the guest is ${guest.state}`,
        );
        await world.point("work");
        guest.detach(connection);
      }
    });
    return { guest, connection };
  },
};
