/**
 * Slices in every order: made, resized, handed on, bound by hand and removed, while guests, adapters and the host itself come and go.
 * Between any two steps an adapter has granted no more than it has, and no slice has two engines.
 */
import { VGPU_CHANNEL, type VmbusChannel } from "parhelion-buses";
import { type Bus, isKernelError, KernelError } from "parhelion-core";
import { type Program, type World, watchSystem } from "parhelion-explorer";
import { isControlError, vgpuCommand } from "parhelion-protocol";
import { adapterBus } from "../adapters/adapter-device.js";
import type { InMemoryEngine } from "../engines/in-memory-engines.test.fixture.js";
import { House } from "../guests/house.test.fixture.js";
import type { Kernel } from "../guests/kernel.test.fixture.js";
import { HostError, type HostErrorCode } from "../host-error.js";
import type { SliceRequest } from "../slices/slice-request.js";

const capacity = 8 * 2 ** 30;
const privateData = new TextEncoder().encode(
  JSON.stringify({ label: "", requiredFeatures: [], requiredLimits: {}, defaultQueueLabel: "" }),
);

/** What an administrator may be told when others are at it as well. */
const answers: readonly HostErrorCode[] = [
  "slice-unknown",
  "slice-stale",
  "slice-busy",
  "guest-unknown",
  "adapter-unknown",
  "adapter-gone",
  "adapter-there",
  "limit-reached",
  "uuid-used",
  "host-stopping",
  "store-failed",
];

class Scene {
  readonly house: House;
  readonly world: World;
  readonly #slices = new Map<InMemoryEngine, string>();
  guests: { readonly id: string; readonly credential: string }[] = [];
  slice = "";
  kernel: Kernel | null = null;
  channel: VmbusChannel | null = null;
  process = 0;

  constructor(world: World, adapters = 1) {
    this.world = world;
    this.house = new House(world.runtime, { backOff: { firstMs: 0, mostMs: 0 }, adapters });
    watchSystem(world, this.house.system, [adapterBus, this.house.mdev.bus as Bus]);
    this.house.engines.fate = (engine, message) => {
      if (message.op === "start") this.#slices.set(engine, message.slice);
      return "goes on";
    };
    world.always(() => this.#look(), "what slices have");
  }

  /** Two guests; the first holds one slice of that type, and has a device on it. */
  async build(type: "shared" | "half" = "half"): Promise<void> {
    const { house } = this;
    await house.build();
    this.guests = [
      await house.guests.create({ slices: [{ type }] }),
      await house.guests.create({ slices: [] }),
    ];
    this.slice = house.slices.values()[0]?.uuid ?? "";
    this.kernel = await house.enter(this.guests[0]?.credential ?? "");
    this.process = await this.kernel.newProcess();
    this.channel = await this.kernel.open(VGPU_CHANNEL);
    await this.device();
  }

  guest(index: number): string {
    return this.guests[index]?.id ?? "";
  }

  async device(): Promise<void> {
    if (this.channel === null) throw new KernelError("ENODEV", "it has no vGPU");
    await this.channel.request(vgpuCommand.createDevice, { privateData }, { process: this.process });
  }

  async create(request: Partial<SliceRequest> = {}): Promise<void> {
    await this.house.slices.create([{ wish: { type: "quarter" }, ...request }]);
  }

  bind(use: string, file: "bind" | "unbind"): Promise<number> {
    return this.house.system.sysfs.write(`/sys/bus/mdev/drivers/${use}/${file}`, this.slice);
  }

  /** Whatever comes of it: it ends, and with nothing but an answer. */
  async may(run: () => Promise<unknown>): Promise<string> {
    try {
      await run();
      return "done";
    } catch (error) {
      if (error instanceof HostError && answers.includes(error.code)) return error.code;
      if (isKernelError(error) || isControlError(error)) return String(error.code);
      throw error;
    }
  }

  /** All that is left can be taken away, and then nothing is left. */
  async end(): Promise<void> {
    const { house, world } = this;
    const kept = house.store.slices.map(({ uuid }) => uuid).sort();
    const known = house.slices.values().map(({ uuid }) => uuid);
    const open = house.adapters.values().some(({ presence }) => presence === "present");
    world.expect(kept.join() === known.sort().join(), `kept are ${kept.join()}, known ${known.join()}`);
    if (open) {
      for (const { id } of [...house.guests.values()]) await this.may(() => house.guests.remove(id));
      for (const { uuid } of house.slices.values()) await this.may(() => house.slices.remove(uuid));
      world.expect(house.slices.values().length === 0, "a slice can't be removed");
      for (const { name, device } of house.adapters.values()) {
        const room = device?.ledger.room;
        if (room === undefined) continue;
        world.expect(
          room.memoryBytes === capacity && room.share === 1,
          `${name} has ${room.memoryBytes} left`,
        );
      }
    }
    await house.close();
    await this.kernel?.connection.close();
    world.expect(house.engines.living.length === 0, `${house.engines.living.length} engines live on`);
    const local = [...house.directories].filter((directory) => directory.startsWith("local/"));
    world.expect(local.length === 0, `${local.join()} is left`);
    for (const { level, event, fields } of world.log)
      world.expect(level !== "error", `logged as an error: ${event} ${String(fields["error"])}`);
  }

  #look(): void {
    const busy = new Set<string>();
    for (const engine of this.house.engines.living) {
      const slice = this.#slices.get(engine);
      if (slice === undefined) continue;
      if (busy.has(slice)) throw new Error(`slice ${slice} has two engines`);
      busy.add(slice);
    }
    if (this.slice === "") return;
    for (const { device } of this.house.adapters.values()) {
      let granted = 0;
      for (const { uuid } of this.house.slices.values()) granted += device?.ledger.grantOf(uuid) ?? 0;
      if (granted > capacity) throw new Error(`${granted} bytes are granted of ${capacity}`);
    }
  }
}

type Actor = (scene: Scene) => Promise<unknown>;

const remove: Actor = ({ house, slice }) => house.slices.remove(slice);
const moveOn: Actor = (scene) => scene.house.slices.move(scene.slice, { holder: scene.guest(1) });
const park: Actor = ({ house, slice }) => house.slices.move(slice, { holder: null });
const elsewhere: Actor = ({ house, slice }) => house.slices.move(slice, { adapter: "adapter1" });
const grow: Actor = ({ house, slice }) =>
  house.slices.resize(slice, { memory: { limitBytes: 6 * 2 ** 30 }, weight: 3 });
const shrink: Actor = ({ house, slice }) => house.slices.resize(slice, { type: "eighth" });
const forFirst: Actor = (scene) => scene.create({ holder: scene.guest(0) });
const forSecond: Actor = (scene) => scene.create({ holder: scene.guest(1) });
const anywhere: Actor = (scene) => scene.create({ wish: { type: "half" } });
const firstGoes: Actor = (scene) => scene.house.guests.remove(scene.guest(0));
const secondGoes: Actor = (scene) => scene.house.guests.remove(scene.guest(1));
const adapterGoes: Actor = ({ house }) => house.adapters.remove("adapter0");
const adapterBlinks: Actor = async ({ house }) => {
  await house.adapters.remove("adapter0");
  await house.adapters.add(undefined, "adapter0");
};
const device: Actor = (scene) => scene.device();
const unbind: Actor = (scene) => scene.bind("projected", "unbind");
const bind: Actor = (scene) => scene.bind("projected", "bind");
const bindLocal: Actor = async (scene) => {
  await scene.may(() => scene.bind("projected", "unbind"));
  await scene.bind("local", "bind");
};
const removeByHand: Actor = ({ house, slice }) =>
  house.system.sysfs.write(`/sys/bus/mdev/devices/${slice}/remove`, "1");
const createByHand: Actor = ({ house }) =>
  house.system.sysfs.write(
    "/sys/devices/adapter0/mdev_supported_types/parhelion-half/create",
    "5e0ffea1-1111-4222-8333-444455556666",
  );
const stop: Actor = ({ house }) => house.close();

function scene(
  name: string,
  actors: Readonly<Record<string, Actor>>,
  adapters = 1,
  type: "shared" | "half" = "half",
): Program<Scene> {
  return {
    name,
    setup(world) {
      const made = new Scene(world, adapters);
      for (const [task, act] of Object.entries(actors))
        world.task(task, async () => {
          await made.may(() => act(made));
        });
      return made;
    },
    before: (made) => made.build(type),
    after: (made) => made.end(),
  };
}

export const slicePrograms: readonly Program<Scene>[] = [
  scene("a slice is handed on while both guests are removed", { moveOn, firstGoes, secondGoes }),
  scene("a slice is handed on while it is resized and removed", { moveOn, grow, remove }),
  scene("slices are made for a guest that is removed, and for nobody", { forFirst, anywhere, firstGoes }),
  scene("a slice grows while another takes the room, and its guest makes a device", {
    grow,
    anywhere,
    device,
  }),
  scene(
    "a slice shrinks and is parked while its guest makes a device",
    { shrink, park, device },
    1,
    "shared",
  ),
  scene("an adapter goes and comes while its slice is handed on, and another made", {
    adapterBlinks,
    moveOn,
    forSecond,
  }),
  scene(
    "an adapter goes while its slice moves to another adapter and is removed",
    { adapterGoes, elsewhere, remove },
    2,
  ),
  scene("a slice moves to an adapter and to a guest while it is resized", { elsewhere, moveOn, grow }, 2),
  scene("a slice is unbound and bound by hand while it is handed on", { unbind, bind, moveOn }),
  scene("a slice is taken for local use by hand while it is removed and its guest goes", {
    bindLocal,
    remove,
    firstGoes,
  }),
  scene("a slice is removed by hand, by command and with its guest", { removeByHand, remove, firstGoes }),
  scene("a slice is made by hand while its adapter blinks", { createByHand, adapterBlinks }),
  scene("a slice is removed by hand while it is handed on and its adapter goes", {
    removeByHand,
    moveOn,
    adapterGoes,
  }),
  scene("the host stops while a slice is handed on, another made, and one bound by hand", {
    stop,
    moveOn,
    forSecond,
    bindLocal,
  }),
  scene("the host stops while an adapter blinks and a slice is resized", { stop, adapterBlinks, grow }),
];
