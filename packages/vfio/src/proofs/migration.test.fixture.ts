/** A device's migration against what else happens to it: a reset, a close, its removal. */
import { outcomeOf, type Program, type World } from "parhelion-explorer";
import type { AnsweredRequest } from "../device/answer.js";
import type { DeviceReply } from "../device/calls.js";
import {
  type AttachedDevice,
  Feature,
  FeatureFlag,
  IrqSetFlag,
  MigrationFlag,
  type MigrationState,
  type MigrationStream,
  migrationStates,
  VfioDevice,
} from "../index.js";
import { beginWithUser, type Going, named, VfioStage } from "./vfio-stage.test.fixture.js";

type WithUser = VfioStage & { user?: AttachedDevice; stream?: MigrationStream | undefined };

const streaming: readonly MigrationState[] = ["STOP_COPY", "RESUMING"];

async function setState(user: AttachedDevice, state: MigrationState): Promise<MigrationStream | undefined> {
  const { SET } = FeatureFlag;
  const data = Uint8Array.of(migrationStates.indexOf(state), 0, 0, 0, 255, 255, 255, 255);
  return (await user.call("FEATURE", { argsz: 16, flags: Feature.MIG_DEVICE_STATE | SET, data })).stream;
}

/** A device of which is known what it really does. */
function migratingStage(world: World, revokeMs: number, DeviceClass: typeof VfioDevice = VfioDevice) {
  const device = world.share("what the device does", { state: "RUNNING" as MigrationState, streams: 0 });
  const stage: WithUser = new VfioStage(world, {
    options: { revokeMs },
    DeviceClass,
    ops: ({ openWindow }) => ({
      migration: {
        flags: MigrationFlag.STOP_COPY,
        step: ({ to }) =>
          openWindow.during(`to ${to}`, async () => {
            device.state = to;
            await world.point(`getting to ${to}`);
            if (!streaming.includes(to)) return undefined;
            device.streams += 1;
            return {
              read: () =>
                openWindow.during("stream", async () => {
                  await world.point("saving");
                  return new Uint8Array();
                }),
              release: () => {
                device.streams -= 1;
              },
            };
          }),
      },
      reset: () =>
        openWindow.during("reset", async () => {
          device.state = "RUNNING";
          await world.point("resetting");
        }),
    }),
  });
  return Object.assign(stage, { really: device });
}

type Migrating = ReturnType<typeof migratingStage>;

/** Is reset whatever else is under way. */
class Hurried extends VfioDevice {
  override async answer(request: AnsweredRequest): Promise<DeviceReply> {
    if (request.op !== "RESET") return super.answer(request);
    await this.ops.reset?.();
    this.migration?.open();
    return undefined;
  }
}

/** @param plant a reset does not wait for a change that is under way, and nobody makes up for it */
export function changeAndReset(plant?: "at once"): Program<Migrating> {
  return {
    name: named("a device is reset while its migration state is changed", plant),
    setup(world) {
      const stage = migratingStage(world, 1000, plant && Hurried);
      world.task("migration", async () => {
        const { user } = stage;
        if (user !== undefined) await setState(user, "STOP_COPY");
      });
      world.task("reset", async () => {
        await stage.device.answer({ op: "RESET" });
      });
      return stage;
    },
    async before(stage) {
      await beginWithUser(stage);
      if (stage.user !== undefined) await setState(stage.user, "STOP");
    },
    async after(stage, world) {
      const known = stage.device.migration?.state;
      const { state, streams } = stage.really;
      world.expect(known === state, `it is said to be in ${known}, and is in ${state}`);
      world.expect(streams === (streaming.includes(state) ? 1 : 0), `${streams} streams in ${state}`);
      await stage.user?.close();
      await stage.end();
    },
  };
}

/**
 * Once a device is said to stand still it reaches neither memory nor its user, whatever its driver tries.
 * @param plant that is left to the driver
 */
export function changeAndDma(plant?: "left to the driver"): Program<Migrating> {
  return {
    name: named("a device does DMA and interrupts while it is stopped", plant),
    setup(world) {
      const stage = migratingStage(world, 1000);
      const said = world.share("what its user knows", { stopped: false });
      const reached = (by: string): void => world.expect(!said.stopped, `${by} of a device that is stopped`);
      world.task("device", async () => {
        const { dma, irqs } = stage.device;
        await outcomeOf(() => dma.write(0n, Uint8Array.of(1)), "EBUSY");
        irqs.trigger(0);
        await outcomeOf(() => dma.read(0n, 1), "EBUSY");
      });
      world.task("user", async () => {
        const { user } = stage;
        if (user === undefined) return;
        await setState(user, "STOP");
        said.stopped = true;
        await world.point("while it is stopped");
        said.stopped = false;
        await setState(user, "RUNNING");
      });
      return Object.assign(stage, { reached });
    },
    async before(stage) {
      await beginWithUser(stage);
      const { reached } = stage as Migrating & { reached(by: string): void };
      const { device, user } = stage;
      const look = (by: string) => (): Uint8Array => {
        reached(by);
        return new Uint8Array(1);
      };
      await user?.map(0n, 4096n, {
        read: look("a read"),
        write: () => void look("a write")(),
        view: look("a view"),
      });
      const flags = IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER;
      const eventfd = { signal: () => reached("an interrupt") };
      await user?.call("SET_IRQS", { argsz: 24, flags, index: 0, start: 0, count: 1, data: [eventfd] });
      if (plant) for (const part of [device.dma, device.irqs]) Object.assign(part, { halt: () => {} });
    },
    async after(stage) {
      await stage.user?.close();
      await stage.end();
    },
  };
}

/** Answers a change of state before it is done. */
class Busy extends VfioDevice {
  override async answer(request: AnsweredRequest): Promise<DeviceReply> {
    if (request.op !== "FEATURE") return super.answer(request);
    this.runtime.scheduler.spawn("change", async () => {
      await super.answer(request);
    });
    return { data: new Uint8Array() };
  }
}

/** A change that has begun ends before the device is closed, and one that comes later is refused. */
export function changeAndRemoval(how: Going, plant?: "works on"): Program<Migrating> {
  return {
    name: named(`a migration state is changed while the device is ${how}`, plant),
    setup(world) {
      const stage = migratingStage(world, 0, plant && Busy);
      world.task("migration", async () => {
        const { user } = stage;
        if (user !== undefined) await outcomeOf(() => setState(user, "STOP_COPY"), "ENODEV");
      });
      world.task("remover", () => stage.go(how));
      return stage;
    },
    before: beginWithUser,
    async after(stage, world) {
      world.expect(stage.really.streams === 0, "a stream of what was removed is left");
      await stage.user?.close();
      await stage.end();
    },
  };
}

/** @param plant the close does not wait for who reads the stream, since that is no call of the device's file */
export function streamAndEnd(end: "closed" | "taken", plant?: "does not wait"): Program<Migrating> {
  return {
    name: named(`a device's state is read while it is ${end}`, plant),
    setup(world) {
      const stage = migratingStage(world, 0);
      world.task("reader", async () => {
        await outcomeOf(async () => stage.stream?.read?.(16), "ENODEV");
      });
      world.task(end, async () => {
        if (end === "closed") await stage.user?.close();
        else await stage.go("taken");
      });
      return stage;
    },
    async before(stage) {
      await beginWithUser(stage);
      if (stage.user !== undefined) stage.stream = await setState(stage.user, "STOP_COPY");
      if (plant) Object.assign(stage.device.migration ?? {}, { drain: async () => {} });
    },
    async after(stage, world) {
      if (!plant) world.expect(stage.really.streams === 0, "a stream of what was closed is left");
      if (stage.user?.file.state === "open") await stage.user.close();
      await stage.end();
    },
  };
}
