/** What one user does at once: triggers given and taken while they fire, memory unmapped while the device uses it. */
import type { Device } from "parhelion-core";
import { outcomeOf, type Program, type World } from "parhelion-explorer";
import { type AttachedDevice, bytesMemory, type Eventfd, IrqSetFlag } from "../index.js";
import { named, VfioStage } from "./vfio-stage.test.fixture.js";

type WithUser = VfioStage & { user?: AttachedDevice; trigger?: Eventfd };

/** Signalling it after its release is a use after free. */
function trigger(world: World, name: string): Eventfd {
  const memory = world.allocate(name, { count: 0 });
  return {
    signal: (count) => {
      memory.count += count;
    },
    release: () => world.free(memory),
  };
}

const enable = (data: readonly (Eventfd | null)[]) => ({
  argsz: 24,
  flags: IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER,
  index: 0,
  start: 0,
  count: 1,
  data,
});

async function beginWithUser(stage: WithUser): Promise<void> {
  await stage.begin();
  stage.user = await stage.attached();
}

/** @param plant the driver keeps the trigger for itself, and signals it after it has looked */
export function triggerTakenBack(
  by: "SET_IRQS" | "close" | "revocation",
  plant?: "looks, then signals",
): Program<WithUser> {
  return {
    name: named(`a device triggers while its trigger is taken back by ${by}`, plant),
    setup(world) {
      const stage: WithUser = new VfioStage(world, { options: { revokeMs: 0 } });
      world.task("device", async () => {
        await world.point("something happens");
        if (plant) {
          if (!stage.device.irqs.assigned(0)) return;
          await world.point("sure that somebody listens");
          stage.trigger?.signal(1);
        } else {
          stage.device.irqs.trigger(0);
        }
      });
      world.task(by, async () => {
        const { user } = stage;
        if (user === undefined) return;
        if (by === "SET_IRQS") await user.call("SET_IRQS", enable([trigger(world, "another")]));
        else if (by === "close") await user.close();
        else await stage.system.detach(stage.parent);
      });
      return stage;
    },
    async before(stage, world) {
      await beginWithUser(stage);
      stage.trigger = trigger(world, "trigger");
      await stage.user?.call("SET_IRQS", enable([stage.trigger]));
    },
    async after(stage) {
      if (by !== "close") await stage.user?.close();
      await stage.end();
    },
  };
}

export const triggersAtOnce: Program<WithUser> = {
  name: "two give the device a trigger while it triggers and is closed",
  setup(world) {
    const stage: WithUser = new VfioStage(world);
    for (const name of ["one", "two"]) {
      world.task(name, async () => {
        const mine = trigger(world, name);
        const { user } = stage;
        const answer =
          user === undefined
            ? "EBADF"
            : await outcomeOf(() => user.call("SET_IRQS", enable([mine])), "EBADF", "ENODEV");
        // What was refused is still the caller's.
        if (answer !== "done") mine.release?.();
      });
    }
    world.task("device", async () => {
      await world.point("something happens");
      stage.device.irqs.trigger(0);
    });
    return stage;
  },
  before: beginWithUser,
  async after(stage) {
    await stage.user?.close();
    await stage.end();
  },
};

/** The user's memory, which it frees when it has unmapped it. */
function lent(world: World): { view(): Uint8Array; free(): void } {
  const memory = world.allocate("user's memory", { byte: 1 });
  const bytes = new Uint8Array(4096);
  return {
    view: () => {
      bytes[0] = memory.byte;
      return bytes;
    },
    free: () => world.free(memory),
  };
}

/** @param plant the driver keeps the bytes, and uses them after it has waited */
export function unmapAndDma(plant?: "keeps the bytes"): Program<WithUser> {
  return {
    name: named("a device reads and writes memory while its user unmaps and frees it", plant),
    setup(world) {
      const memory = lent(world);
      const stage: WithUser = new VfioStage(world);
      world.task("device", async () => {
        const { dma } = stage.device;
        await outcomeOf(async () => {
          await dma.read(0n, 16);
          if (plant) {
            dma.view(0n, 16, "read");
            await world.point("busy");
            memory.view();
          }
          await dma.write(0n, Uint8Array.of(1, 2));
        }, "EFAULT");
      });
      world.task("user", async () => {
        const length = await stage.user?.unmap(0n, 4096n);
        world.expect(length === 4096n, `${length} bytes were unmapped`);
        memory.free();
      });
      return Object.assign(stage, { memory });
    },
    async before(stage) {
      await beginWithUser(stage);
      const { memory } = stage as WithUser & { memory: { view(): Uint8Array } };
      const bytes = (): Uint8Array => memory.view();
      await stage.user?.map(0n, 4096n, {
        read: (at, length) => bytesMemory(bytes()).read(at, length),
        write: (at, data) => bytesMemory(bytes()).write(at, data),
        view: (at, length) => bytesMemory(bytes()).view?.(at, length) ?? null,
      });
    },
    async after(stage) {
      await stage.user?.close();
      await stage.end();
    },
  };
}

/** @param plant the driver does not let go when it is asked to, and goes on */
export function unmapAndPins(plant?: "keeps its view"): Program<WithUser> {
  return {
    name: named("a device has memory pinned while its user unmaps and frees it", plant),
    setup(world) {
      const memory = lent(world);
      const pins: { unpin(): void; view(): Uint8Array | null }[] = [];
      const stage: WithUser = new VfioStage(world, {
        ops: () => ({
          dmaUnmap: async () => {
            await world.point("letting go");
            for (const pin of pins.splice(0)) pin.unpin();
          },
        }),
      });
      world.task("device", async () => {
        await outcomeOf(async () => {
          const pin = stage.device.dma.pin(0n, 16, "read-write");
          pins.push(pin);
          await world.point("at work");
          if (plant) memory.view();
          else pin.view();
          pin.unpin();
        }, "EFAULT");
      });
      world.task("user", async () => {
        await stage.user?.unmap(0n, 4096n);
        memory.free();
      });
      return Object.assign(stage, { memory });
    },
    async before(stage) {
      await beginWithUser(stage);
      const { memory } = stage as WithUser & { memory: { view(): Uint8Array } };
      await stage.user?.map(0n, 4096n, {
        read: () => memory.view(),
        write: () => void memory.view(),
        view: () => memory.view(),
      });
    },
    async after(stage, world) {
      world.expect(!world.log.some(({ event }) => event === "vfio.pins-left"), "a pin was left");
      await stage.user?.close();
      await stage.end();
    },
  };
}

export const mapAndUnmap: Program<WithUser> = {
  name: "two map and unmap one range while the device reads it",
  setup(world) {
    const stage: WithUser = new VfioStage(world);
    const tally = world.share("mappings", { mapped: 0, unmapped: 0n });
    for (const name of ["one", "two"]) {
      world.task(name, async () => {
        const { user } = stage;
        if (user === undefined) return;
        const memory = bytesMemory(new Uint8Array(4096));
        const answer = await outcomeOf(() => user.map(0n, 4096n, memory), "EEXIST");
        if (answer === "done") tally.mapped += 1;
        await outcomeOf(async () => {
          const length = await user.unmap(0n, 4096n);
          tally.unmapped += length;
        }, "ENOENT");
      });
    }
    world.task("device", async () => {
      await outcomeOf(() => stage.device.dma.read(0n, 16), "EFAULT");
    });
    return Object.assign(stage, { tally });
  },
  before: beginWithUser,
  async after(stage, world) {
    const { tally } = stage as WithUser & { tally: { mapped: number; unmapped: bigint } };
    const expected = BigInt(tally.mapped) * 4096n;
    world.expect(
      tally.unmapped === expected,
      `${tally.mapped} were mapped, ${tally.unmapped} bytes unmapped`,
    );
    await stage.user?.close();
    await stage.end();
  },
};

/** The device goes while its user maps and unmaps: what the user has is its own. */
export const mapAndRemove: Program<WithUser> = {
  name: "a user unmaps while its device is removed",
  setup(world) {
    const stage: WithUser = new VfioStage(world, { options: { revokeMs: 0 } });
    world.task("user", async () => {
      const length = await stage.user?.unmap(0n, 4096n);
      world.expect(length === 4096n, "its mapping went with the device");
    });
    world.task("device", async () => {
      await outcomeOf(() => stage.device.dma.read(0n, 16), "EFAULT", "ENODEV");
    });
    world.task("remove", () => stage.system.removeDevice(stage.parent as Device));
    return stage;
  },
  async before(stage) {
    await beginWithUser(stage);
    await stage.user?.map(0n, 4096n, bytesMemory(new Uint8Array(4096)));
  },
  async after(stage) {
    await stage.user?.close();
    await stage.end();
  },
};
