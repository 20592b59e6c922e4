/**
 * A slice in the hands of a virtual machine monitor, in every order: its user opens it, rings and closes while it is unbound, bound
 * to another use, removed, or goes with its adapter or its host. Nobody who takes it waits for the user, nothing of the user's is
 * left, and no slice has two engines.
 */
import type { Bus } from "parhelion-core";
import { isKernelError } from "parhelion-core";
import { type Program, type World, watchSystem } from "parhelion-explorer";
import { isControlError } from "parhelion-protocol";
import { vfioDeviceOf } from "parhelion-vfio";
import { adapterBus } from "../adapters/adapter-device.js";
import { House } from "../guests/house.test.fixture.js";
import { HostError } from "../host-error.js";
import { DoorbellDriver } from "../vfio/doorbell.test.fixture.js";

class Scene {
  readonly house: House;
  readonly world: World;
  slice = "";
  node = "";

  constructor(world: World) {
    this.world = world;
    this.house = new House(world.runtime, { backOff: { firstMs: 0, mostMs: 0 }, vfio: "there" });
    watchSystem(world, this.house.system, [adapterBus, this.house.mdev.bus as Bus]);
    world.always(() => this.#look(), "engines");
  }

  async build(): Promise<void> {
    await this.house.build();
    const [entry] = await this.house.slices.create([{ wish: { type: "half" }, use: "vfio" }]);
    this.slice = entry?.uuid ?? "";
    const mdev = this.house.mdev.find(this.slice);
    this.node = mdev === undefined ? "" : (vfioDeviceOf(mdev)?.name ?? "");
  }

  bind(use: string, file: "bind" | "unbind"): Promise<number> {
    return this.house.system.sysfs.write(`/sys/bus/mdev/drivers/${use}/${file}`, this.slice);
  }

  /** Whatever comes of it: it ends, and with nothing but an answer. */
  async may(run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof HostError) && !isKernelError(error) && !isControlError(error)) throw error;
    }
  }

  async end(): Promise<void> {
    const { house, world } = this;
    if (house.adapters.values().some(({ presence }) => presence === "present"))
      for (const { uuid } of house.slices.values()) await this.may(() => house.slices.remove(uuid));
    await house.close();
    world.expect(house.engines.living.length === 0, `${house.engines.living.length} engines live on`);
    const left = [...house.directories].filter((directory) => directory.startsWith("vfio/"));
    world.expect(left.length === 0, `${left.join()} is left`);
    for (const { level, event, fields } of world.log)
      world.expect(level !== "error", `logged as an error: ${event} ${String(fields["error"])}`);
  }

  #look(): void {
    const { length } = this.house.engines.living;
    if (length > 1) throw new Error(`the slice has ${length} engines`);
  }
}

type Actor = (scene: Scene) => Promise<unknown>;

/** Opens the device, makes a device on the engine, and closes it, however far it gets. */
const use: Actor = async ({ house, node }) => {
  const driver = await DoorbellDriver.open(house.system, node);
  try {
    await driver.createDevice();
  } finally {
    await driver.device.close();
  }
};
/** Opens the device, and never lets go of it. */
const keep: Actor = async ({ house, node }) => {
  const driver = await DoorbellDriver.open(house.system, node);
  await driver.createDevice();
};
const remove: Actor = ({ house, slice }) => house.slices.remove(slice);
const rebind: Actor = async (scene) => {
  await scene.bind("vfio", "unbind");
  await scene.bind("projected", "bind");
};
const reopen: Actor = async (scene) => {
  await scene.bind("vfio", "unbind");
  await scene.bind("vfio", "bind");
};
const adapterGoes: Actor = ({ house }) => house.adapters.remove("adapter0");
const stop: Actor = ({ house }) => house.close();

function scene(name: string, actors: Readonly<Record<string, Actor>>): Program<Scene> {
  return {
    name,
    setup(world) {
      const made = new Scene(world);
      for (const [task, act] of Object.entries(actors))
        world.task(task, async () => {
          await made.may(() => act(made));
        });
      return made;
    },
    before: (made) => made.build(),
    after: (made) => made.end(),
  };
}

export const vfioPrograms: readonly Program<Scene>[] = [
  scene("a slice is used by doorbell while it gets another use by hand", { use, rebind }),
  scene("a slice is unbound and handed out again while its user never lets go", { keep, reopen }),
  scene("a slice is removed while its user opens it and rings", { use, remove }),
  scene("an adapter goes while its slice's user rings", { use, adapterGoes }),
  scene("the host stops while a slice's user never lets go", { keep, stop }),
];
