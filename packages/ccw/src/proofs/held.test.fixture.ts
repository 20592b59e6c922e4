/**
 * What belongs to one mediated device, and nothing around it: no mediated device, no file, no user's memory. What happens
 * to it is what the drivers do to it; their own removal is in other programs, and would only multiply the orders here.
 */
import type { Subchannel } from "parhelion-buses";
import type { Program } from "parhelion-explorer";
import { type PinnedRange, VfioDevice } from "parhelion-vfio";
import { letGo } from "../vfio-ccw/drivers.js";
import type { GuestMemory } from "../vfio-ccw/program/guest-memory.js";
import * as lifetimePlants from "./lifetime-plants.test.fixture.js";
import { CcwStage, named } from "./stage.test.fixture.js";
import { stageChpid } from "./stage-machine.test.fixture.js";

class HeldStage extends CcwStage {
  /** What was asked for of the subchannel since `holdRemovals`. */
  readonly asked: string[] = [];

  #found: Subchannel | null = null;

  /** The one that it was opened on, which may have gone since. */
  get found(): Subchannel {
    if (this.#found === null) throw new Error("nothing is held");
    return this.#found;
  }

  /** Up to the open of the device. @param quiesceMs how long a close waits for the device to stop */
  async hold(quiesceMs = 100): Promise<void> {
    await this.begin("drivers");
    this.#found = this.subchannel;
    const { subchannel, storage, parent } = this;
    const memory = memoryOf(this.memory);
    this.prepare();
    new VfioDevice(this.vfio, {
      parent: subchannel,
      ops: (self) => {
        Object.defineProperty(self, "dma", { value: memory });
        return this.makePrivate(self, { subchannel, storage, quiesceMs });
      },
    });
    await parent.publish(this.owned);
    await this.owned.openDevice();
  }

  /** As the last close and the driver's remove do. */
  async letGo(): Promise<void> {
    const { parent, owned, device } = this;
    await owned.closeDevice();
    await letGo({ parent, owned, device });
  }

  /** As before `holdRemovals`. */
  letRemovals(): void {
    delete (this.subchannel as Partial<Subchannel>).schedule;
  }

  /** From here on the subchannel notes what is asked for, and does nothing of it. */
  holdRemovals(): void {
    const { subchannel } = this;
    subchannel.schedule = (todo) => {
      this.world.writes({ name: "asked" });
      this.asked.push(todo);
    };
  }
}

/** Memory that is always there. */
function memoryOf(bytes: Uint8Array): GuestMemory {
  const at = (iova: bigint, length: number) => bytes.subarray(Number(iova), Number(iova) + length);
  return {
    read: async (iova, length) => at(iova, length).slice(),
    pin: (iova, length): PinnedRange => ({
      iova,
      length,
      state: "pinned",
      view: () => at(iova, length),
      read: async (offset, count) => at(iova, length).slice(offset, offset + count),
      write: async (offset, from) => at(iova, length).set(from, offset),
      unpin: () => {},
    }),
  };
}

const opened = (stage: HeldStage): Promise<void> => stage.hold();

async function running(stage: HeldStage): Promise<void> {
  await stage.hold();
  await stage.start();
}

/**
 * A close has the lock once it has stopped the device, so no interruption is under way then, and the link alone can't
 * be followed too late: that takes a device that does not stop. Its work can be left in either case.
 * @param stops "never": the device ignores the clear, so its interruption comes when nobody waits for it any more
 */
export const endAndRelease = (
  stops: "as asked" | "never",
  plant?: "a link without a lock" | "work stays queued",
): Program<HeldStage> => ({
  name: named(
    `H2, H3, D5.3, D5.4: the end of a channel program while what it ends in is given up, of a device that stops ${stops}`,
    plant,
  ),
  setup(world) {
    const broken = plant === "work stays queued" ? lifetimePlants.workLeft() : lifetimePlants.bareLink(world);
    const stage = new HeldStage(world, { ...(plant ? broken : {}), stops });
    world.task("device", async () => stage.machine.finish());
    world.task("driver", () => stage.letGo());
    return stage;
  },
  async before(stage) {
    await stage.hold(stops === "never" ? 0 : 100);
    await stage.start();
    stage.holdRemovals();
  },
  async after(stage, world) {
    world.expect(stage.storage.used === 0, "what was pinned is still in the device's reach");
    stage.letRemovals();
    await stage.end(stops === "never" ? ["vfio-ccw.not-stopped"] : []);
  },
});

export const pathAndRelease = (plant?: "a link without a lock"): Program<HeldStage> => ({
  name: named("H2, D5.3: a path is varied off while what it is told to is given up", plant),
  setup(world) {
    const stage = new HeldStage(world, plant ? lifetimePlants.bareLink(world) : {});
    world.task("path event", () => stage.css.vary(stageChpid, "off"));
    world.task("driver", () => stage.letGo());
    return stage;
  },
  before: running,
  after: (stage) => stage.end(),
});

export const foundGoneAndStart = (plant?: "sleeps in the lock"): Program<HeldStage> => ({
  name: named("H7: the subchannel is found gone while a channel program is being started", plant),
  setup(world) {
    const stage = new HeldStage(world, plant ? lifetimePlants.sleepsInLock(world) : {});
    world.task("start", async () => {
      await stage.start("EIO", "ENODEV", "EAGAIN");
    });
    world.task("bus", async () => {
      stage.machine.vanish();
      await stage.subchannel.publication.outsideLock((callbacks) => callbacks.schEvent?.());
    });
    return stage;
  },
  async before(stage) {
    await opened(stage);
    stage.holdRemovals();
  },
  async after(stage, world) {
    const state = await stage.owned.io.state();
    world.expect(state === "not-oper", `the subchannel is gone, and the state is ${state}`);
    world.expect(stage.asked.includes("unregister"), "nobody has asked for its removal");
    world.expect(stage.storage.used === 0, "what was pinned is still in the device's reach");
    stage.letRemovals();
    await stage.letGo();
    await stage.end();
  },
});

export const shutdownAndReport = (plant?: "the todo without a lock"): Program<HeldStage> => ({
  name: named("H6: the state machine gives the subchannel up while an evaluation of it is asked for", plant),
  setup(world) {
    const stage = new HeldStage(world);
    world.task("shutdown", () => stage.parent.shutdown());
    world.task("report", async () => {
      const { found } = stage;
      found.schedule("evaluate");
      found.put();
    });
    return stage;
  },
  async before(stage, world) {
    await opened(stage);
    await stage.owned.closeDevice();
    stage.found.get();
    if (plant) lifetimePlants.tornTodo(world, stage.subchannel);
  },
  async after(stage, world) {
    await stage.css.settle();
    world.expect(stage.events.includes("remove"), "the state machine has given it up, and it is still there");
    await letGo({ parent: stage.parent, owned: stage.owned, device: stage.device });
    await stage.end();
  },
});
