/** Who a guest belongs to at the end, in every order: its removal, its kernel, its patience, its host's end, and a disk that fails. */
import { isKernelError } from "parhelion-core";
import type { Program, World } from "parhelion-explorer";
import { House } from "../guests/house.test.fixture.js";
import { HostError } from "../host-error.js";
import { contentOf, type Fate } from "../store/store.test.fixture.js";

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
const stop: Actor = ({ house }) => house.close();
const create: Actor = async ({ house }) => {
  await outcomeOf(() => house.guests.create({ name: "late" }));
};

function scene(
  name: string,
  lifetime: "kept" | "connected",
  fates: readonly Fate[],
  actors: Readonly<Record<string, Actor>>,
): Program<Scene> {
  return {
    name,
    setup(world) {
      const house = new House(world.runtime, { backOff: { firstMs: 0, mostMs: 0 }, orphanMs: 1000 });
      const scene: Scene = { house, id: "", credential: "", removal: "none" };
      for (const [name, act] of Object.entries(actors)) world.task(name, () => act(scene, world));
      return scene;
    },
    async before(scene) {
      const { house } = scene;
      await house.build();
      const { id, credential } = await house.guests.create({ name: "it", lifetime });
      scene.id = id;
      scene.credential = credential;
      house.table.fates.push(...fates);
    },
    after: agree,
  };
}

/** Memory, disk and directories tell the same, and the next host takes over from there. */
async function agree({ house, id, removal }: Scene, world: World): Promise<void> {
  await house.close();
  const kept = house.store.guests.map((guest) => guest.id);
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
  scene("a guest is removed while its kernel connects and its patience ends", "connected", [], {
    remove,
    kernel,
  }),
  scene("a removal that can't be kept meets the kernel and another removal", "kept", ["done-but-failed"], {
    remove,
    kernel,
    again,
  }),
  scene("a guest is removed, and another is made, while the host stops", "kept", [], {
    remove,
    create,
    stop,
  }),
  scene("a removal and a creation, one of which can't be kept, and the host stops", "kept", ["lost"], {
    remove,
    create,
    stop,
  }),
  scene("the host stops while a guest's kernel comes and its patience ends", "connected", ["done", "lost"], {
    kernel,
    stop,
  }),
];
