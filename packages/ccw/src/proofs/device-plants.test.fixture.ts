/**
 * What the kernel does in another order, or what somebody else has proposed, put in the place of what belongs to one device, so that
 * the search has something to find. Each is as little as it takes.
 */
import { type ChpEvent, type ChpLink, type Irb, type Orb, orb as orbLayout } from "parhelion-buses";
import { KernelError, type Work, WorkQueue } from "parhelion-core";
import type { World } from "parhelion-explorer";
import { IoRegion } from "../vfio-ccw/io-region.js";
import { VfioCcwPrivate } from "../vfio-ccw/private.js";
import type { ChannelProgram } from "../vfio-ccw/program/channel-program.js";
import { type Answer, SubchannelIo, type SubchannelIoInit } from "../vfio-ccw/subchannel-io.js";
import type { CcwStageInit } from "./stage.test.fixture.js";

function io(Kind: new (init: SubchannelIoInit) => SubchannelIo): CcwStageInit {
  return {
    makePrivate: (device, init) => new VfioCcwPrivate(device, { ...init, makeIo: (of) => new Kind(of) }),
  };
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

/** D5.10: who unmaps asks for what the subchannel has, and not for what is on its way there. */
export function startedOnly(): CcwStageInit {
  return io(
    class extends SubchannelIo {
      override uses(address: bigint, length: bigint): Promise<boolean> {
        return this.locked(() => this.started?.uses(address, length) === true);
      }
    },
  );
}

/** D5.3: what is pinned is given back when the device lets go of it, and not by who closes. */
export function pinsStay(): CcwStageInit {
  return io(
    class extends SubchannelIo {
      protected override free(program: ChannelProgram): void {
        if (this.fsm !== "standby") super.free(program);
      }
    },
  );
}

/** D5.10: a request that has failed goes back to idle, whatever has happened since it began. */
export function backToIdle(): CcwStageInit {
  return io(
    class extends SubchannelIo {
      override async start(orb: Orb): Promise<Answer> {
        const answer = await super.start(orb);
        if (answer === "EIO") {
          await this.locked(() => {
            this.fsm = "idle";
          });
        }
        return answer;
      }
    },
  );
}

/** The state is looked at, and set later; and who writes waits for nobody. */
export function lookedAtFirst(world: World): CcwStageInit {
  class KernelIo extends SubchannelIo {
    override async start(orb: Orb): Promise<Answer> {
      if ((await this.state()) !== "idle") return "EAGAIN";
      await world.point("the state was looked at");
      await this.locked(() => {
        this.fsm = "idle";
      });
      return super.start(orb);
    }
  }
  return {
    makePrivate: (device, init) =>
      new (class extends VfioCcwPrivate {
        override async write(_index: number, _offset: number, bytes: Uint8Array): Promise<number> {
          const answer = await this.io.start(orbLayout.decode(bytes));
          if (answer !== "done") throw new KernelError(answer, "it was refused");
          return bytes.length;
        }
      })(device, { ...init, makeIo: (of) => new KernelIo(of) }),
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
