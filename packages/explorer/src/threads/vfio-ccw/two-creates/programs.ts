/** Two create an mdev on one subchannel, which has room for one. */
import { type ErrnoCode, isKernelError, KernelError, Mutex } from "parhelion-core";
import type { Program, World } from "../../../program.js";

/** How the room is taken. */
export type Reserve = (uuid: string) => Promise<void>;
export type Reservation = (world: World) => Reserve;

const full = (): KernelError => new KernelError("EUSERS", "the subchannel has its mdev");

/** 1:1, tracked by a pointer: looked at, then set. */
export const byPointer: Reservation = (world) => {
  const parent = world.track("parent", { mdev: null as string | null });
  return async (uuid) => {
    if (parent.mdev !== null) throw full();
    await world.point("create");
    parent.mdev = uuid;
  };
};

/** Until 6.0: one atomic count, decremented while positive. */
export const byAtomicCount: Reservation = (world) => {
  const available = world.atomic("available", 1);
  return async () => {
    for (;;) {
      const count = await available.load();
      if (count === 0) throw full();
      if (await available.compareAndSwap(count, count - 1)) return;
    }
  };
};

/** Since 6.1: under the lock of the list of all mdevs, which also tells of a uuid that is taken. */
export const underListLock: Reservation = (world) => {
  const lock = new Mutex(world.runtime, "mdev list");
  const fields = world.track("parent", { available: 1, uuids: [] as readonly string[] });
  return (uuid) =>
    lock.withLock(() => {
      if (fields.uuids.includes(uuid)) throw new KernelError("EEXIST", `there is an mdev ${uuid}`);
      if (fields.available === 0) throw full();
      fields.available -= 1;
      fields.uuids = [...fields.uuids, uuid];
    });
};

export function twoCreates(
  reservation: Reservation,
  uuids: readonly [string, string],
  loser: ErrnoCode,
): Program<unknown> {
  return {
    name: "two creates",
    setup(world) {
      const reserve = reservation(world);
      const created = world.atomic("created", 0);
      for (const [place, uuid] of uuids.entries()) {
        world.task(`create ${place + 1}`, async () => {
          try {
            await reserve(uuid);
          } catch (error) {
            if (!isKernelError(error, loser)) throw error;
            return;
          }
          const before = await created.update((count) => count + 1);
          world.expect(before === 0, "both mdevs are created, where there is room for one");
        });
      }
      return created;
    },
  };
}
