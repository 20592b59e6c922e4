/**
 * What the kernel does in another order, or what somebody else has proposed, put in the place of the driver's own, so that
 * the search has something to find. Each is as little as it takes.
 */
import type { ChpEvent, ChpLink, Irb } from "parhelion-buses";
import { Mutex, type Work, WorkQueue } from "parhelion-core";
import type { World } from "parhelion-explorer";
import { IoRegion } from "../vfio-ccw/io-region.js";
import { VfioCcwParent } from "../vfio-ccw/parent.js";
import { VfioCcwPrivate } from "../vfio-ccw/private.js";
import { SubchannelIo, type SubchannelIoInit } from "../vfio-ccw/subchannel-io.js";
import type { CcwStageInit } from "./stage.test.fixture.js";

type Parent = new (...args: ConstructorParameters<typeof VfioCcwParent>) => VfioCcwParent;

function parent(Kind: Parent): CcwStageInit {
  return { makeParent: (system, subchannel) => new Kind(system, subchannel) };
}

/** H1: the bus knows the driver before the driver has its data. */
export function publishedEarly(world: World): CcwStageInit {
  const missing = (): VfioCcwParent => null as unknown as VfioCcwParent;
  return {
    css: (driver) => ({
      ...driver,
      async probe(subchannel) {
        await subchannel.publish({ chpEvent: (link, event) => missing().chpEvent(link, event) });
        await world.point("no driver data yet");
        return driver.probe(subchannel);
      },
    }),
  };
}

/** H2: the pointer is set, cleared and read without the lock. */
export function bareLink(world: World): CcwStageInit {
  return parent(
    class extends VfioCcwParent {
      #bare: VfioCcwPrivate | null = null;

      override async publish(owned: VfioCcwPrivate): Promise<void> {
        await super.publish(owned);
        this.#bare = owned;
      }

      override async withdraw(owned: VfioCcwPrivate): Promise<void> {
        await world.point("drvdata = NULL");
        world.writes({ name: "bare link" });
        this.#bare = null;
        await owned.retire();
      }

      override async chpEvent(link: ChpLink, event: ChpEvent): Promise<"done" | "failed"> {
        world.reads({ name: "bare link" });
        const owned = this.#bare;
        await world.point("private is loaded");
        return (await owned?.chpEvent(link, event)) ?? "done";
      }
    },
  );
}

/** H3: what an interruption has queued is not cancelled. */
export function workLeft(): CcwStageInit {
  return parent(
    class extends VfioCcwParent {
      override async withdraw(owned: VfioCcwPrivate): Promise<void> {
        owned.retire = async () => {};
        await super.withdraw(owned);
      }
    },
  );
}

/** H5: what an interruption means for the state is left to its work, which does not ask what has happened since. */
export function decidedLate(world: World): CcwStageInit {
  class KernelIo extends SubchannelIo {
    readonly #works: WorkQueue;
    readonly #work: Work = { name: "io_work", run: () => this.#end() };

    constructor(init: SubchannelIoInit) {
      super(init);
      this.#works = new WorkQueue(this.runtime, "vfio-ccw");
    }

    protected override collect(irb: Irb): void {
      this.init.interrupted(irb);
      this.#works.queue(this.#work);
    }

    async #end(): Promise<void> {
      world.writes(this);
      if (this.fsm !== "cp-pending") return;
      if (this.started !== null) this.free(this.started);
      this.started = null;
      await world.point("back to idle");
      world.writes(this);
      this.fsm = "idle";
    }
  }
  return {
    makePrivate: (device, init) => new VfioCcwPrivate(device, { ...init, makeIo: (io) => new KernelIo(io) }),
  };
}

/** D5.10: nobody waits for another one's close and open. */
export function resetsAtOnce(): CcwStageInit {
  return {
    makePrivate: (device, init) =>
      new (class extends VfioCcwPrivate {
        protected override turn(run: () => Promise<void>): Promise<void> {
          return run();
        }
      })(device, init),
  };
}

/** H7: what may sleep is done with the subchannel's lock held. */
export function sleepsInLock(world: World): CcwStageInit {
  const pins = new Mutex(world.runtime, "pinned pages");
  return parent(
    class extends VfioCcwParent {
      override schEvent(): Promise<"done" | "again"> {
        return this.subchannel.lock.withLock(async (): Promise<"done" | "again"> => {
          await pins.withLock(() => {});
          return "done";
        });
      }
    },
  );
}

/** H8: a report is looked at, copied, and taken off the list later. */
export function twoReaders(world: World): CcwStageInit {
  return {
    makePrivate: (device, init) =>
      new (class extends VfioCcwPrivate {
        readonly #list: object[] = [];

        override chpEvent(link: ChpLink, event: ChpEvent): "done" | "failed" {
          this.#list.push(world.allocate("crw", {}));
          return super.chpEvent(link, event);
        }

        override async read(index: number, offset: number, length: number): Promise<Uint8Array> {
          if (index !== 3) return super.read(index, offset, length);
          world.writes({ name: "crw list" });
          const [first] = this.#list;
          await world.point("copy to the user");
          if (first !== undefined) {
            world.writes({ name: "crw list" });
            this.#list.splice(0, 1);
            world.free(first);
          }
          return super.read(index, offset, length);
        }
      })(device, init),
  };
}

/** H9: there is room for one status. */
export function oneSlot(): CcwStageInit {
  class Slot extends IoRegion {
    #slot: Irb | null = null;

    override add(irb: Irb): void {
      this.#slot = irb;
    }

    override show(): void {
      if (this.#slot !== null) super.add(this.#slot);
      this.#slot = null;
      super.show();
    }
  }
  return {
    makePrivate: (device, init) =>
      new VfioCcwPrivate(device, { ...init, makeIoRegion: (...region) => new Slot(...region) }),
  };
}

/** D5.1: what belongs to a mediated device is made once, and is the next one's as well. */
export function shared(): CcwStageInit {
  const made: { it: VfioCcwPrivate | null } = { it: null };
  return {
    makePrivate: (device, init) => {
      made.it ??= new VfioCcwPrivate(device, init);
      made.it.retire = async () => {};
      return made.it;
    },
  };
}

/** D5.2: the subchannel is enabled as soon as it has a driver. */
export function enabledInProbe(): CcwStageInit {
  return {
    css: (driver) => ({
      ...driver,
      async probe(subchannel) {
        const made = await driver.probe(subchannel);
        await subchannel.lock.withLock(() => subchannel.cio.enable(1, 3));
        return made;
      },
    }),
  };
}

/** D5.8: a probe that fails forgets what it has put in reach. */
export function notWithdrawn(): CcwStageInit {
  return parent(
    class extends VfioCcwParent {
      override async withdraw(): Promise<void> {}
    },
  );
}

/** D5.11: what a report goes into is freed when the user closes. */
export function freedInClose(world: World): CcwStageInit {
  return {
    makePrivate: (device, init) => {
      const memory = world.allocate("crw region", { reports: 0 });
      return new (class extends VfioCcwPrivate {
        override chpEvent(link: ChpLink, event: ChpEvent): "done" | "failed" {
          memory.reports += 1;
          return super.chpEvent(link, event);
        }

        override async closeDevice(): Promise<void> {
          world.free(memory);
          await super.closeDevice();
        }
      })(device, init);
    },
  };
}
