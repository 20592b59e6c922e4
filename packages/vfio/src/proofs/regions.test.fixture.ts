/** What users do with a device's regions while it is closed, taken away or reset. */
import { type Mapping, Mutex, noDeadline } from "parhelion-core";
import { outcomeOf, type Program } from "parhelion-explorer";
import type { AttachedDevice, VfioDeviceOps } from "../index.js";
import { beginWithUser, named, VfioStage } from "./vfio-stage.test.fixture.js";

type WithUser = VfioStage & { user?: AttachedDevice };

/**
 * No access outlives its device's close, and each is answered.
 * @param plant the driver answers at once, and works on in a task that nobody waits for
 */
export function accessAndEnd(
  access: "READ" | "WRITE",
  end: "closed" | "taken" | "unbound",
  plant?: "works on",
): Program<WithUser> {
  const what = access === "READ" ? "a long read of a region is" : "a region is written";
  return {
    name: named(`${what} under way while the device is ${end}`, plant),
    setup(world) {
      const stage: WithUser = new VfioStage(world, {
        options: { revokeMs: 0 },
        ops: (made) => longAccess(made, plant),
      });
      world.task("user", async () => {
        const { user } = stage;
        if (user === undefined) return;
        const bytes = Uint8Array.of(1, 2, 3, 4);
        await outcomeOf(
          () =>
            access === "READ"
              ? user.call("READ", { offset: 0n, length: 4 })
              : user.call("WRITE", { offset: 0n, bytes }),
          "ENODEV",
          "EBADF",
        );
      });
      world.task(end, async () => {
        if (end === "closed") await stage.user?.close();
        else await stage.go(end);
      });
      return stage;
    },
    before: beginWithUser,
    async after(stage) {
      if (stage.user?.file.state === "open") await stage.user.close();
      await stage.end();
    },
  };
}

function longAccess(stage: VfioStage, plant: "works on" | undefined): Partial<VfioDeviceOps> {
  const { world } = stage;
  const work = (what: string) =>
    stage.openWindow.during(what, async () => {
      await world.point(what);
      await world.point(`${what} on`);
    });
  const begin = async (what: string): Promise<void> => {
    if (plant === undefined) await work(what);
    else world.runtime.scheduler.spawn(what, () => work(what));
  };
  return {
    read: async (_region, _offset, length) => {
      await begin("reading");
      return new Uint8Array(length);
    },
    write: () => begin("writing"),
  };
}

/**
 * A reset and accesses may come at once: the driver, which takes its own lock for both, finds its registers whole.
 * @param plant the driver's reset takes no lock
 */
export function accessAndReset(plant?: "no lock"): Program<WithUser> {
  return {
    name: named("a region is written while the device is reset", plant),
    setup(world) {
      const registers = world.share("registers", { low: 0, high: 0 });
      const set = async (value: number): Promise<void> => {
        registers.low = value;
        await world.point("between the registers");
        registers.high = value;
      };
      const lock = new Mutex(world.runtime, "lock of the registers");
      const withLock = (run: () => Promise<void>) => lock.withLock(run, { deadline: noDeadline });
      const stage: WithUser = new VfioStage(world, {
        ops: ({ openWindow }) => ({
          write: (_region, _offset, [value = 0]) =>
            openWindow.during("write", () => withLock(() => set(value))),
          reset: () => openWindow.during("reset", () => (plant ? set(0) : withLock(() => set(0)))),
        }),
      });
      world.task("writer", async () => {
        await stage.user?.call("WRITE", { offset: 0n, bytes: Uint8Array.of(1) });
      });
      world.task("resetter", async () => {
        await stage.device.answer({ op: "RESET" });
      });
      return Object.assign(stage, { registers });
    },
    before: beginWithUser,
    async after(stage, world) {
      const { registers } = stage as WithUser & { registers: { low: number; high: number } };
      world.expect(registers.low === registers.high, `${registers.low} and ${registers.high} do not match`);
      await stage.user?.close();
      await stage.end();
    },
  };
}

/**
 * D8.7: what is mapped of a device outlives the device's file, and nothing of the device is reached through it.
 * @param plant the user keeps the bytes that the driver has mapped
 */
export function mappedAndGone(plant?: "not zapped"): Program<WithUser & { mapping?: Mapping }> {
  return {
    name: named("D8.7: memory of a device is read through a mapping while the device is taken", plant),
    setup(world) {
      const memory = world.allocate("device memory", { byte: 1 });
      const bytes = new Uint8Array(4096);
      const stage: WithUser & { mapping?: Mapping } = new VfioStage(world, {
        options: { revokeMs: 0 },
        ops: () => ({
          regions: () => [{ size: 4096, access: "read-write", mmap: "whole" }],
          map: () => ({ bytes }),
          openDevice: () => {},
          closeDevice: () => world.free(memory),
        }),
      });
      world.task("user", async () => {
        const { mapping, user } = stage;
        if (mapping === undefined) return;
        await world.point("before it reads");
        if (plant) bytes[0] = memory.byte;
        else if (mapping.state === "mapped") {
          bytes[0] = memory.byte;
          mapping.read(0, 1);
        } else {
          const answer = await outcomeOf(async () => mapping.read(0, 1), "ENODEV");
          world.expect(answer === "ENODEV", "it is read after it was taken away");
        }
        await outcomeOf(async () => user?.file.close(), "EBADF");
        await mapping.unmap();
      });
      world.task("remover", () => stage.go("taken"));
      return stage;
    },
    async before(stage) {
      await beginWithUser(stage);
      const mapping = await stage.user?.file.map({ offset: 0, length: 4096 });
      if (mapping !== undefined) stage.mapping = mapping;
    },
    async after(stage) {
      await stage.user?.iommufd.close();
      await stage.end();
    },
  };
}
