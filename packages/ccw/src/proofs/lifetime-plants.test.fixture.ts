/**
 * What the kernel does in another order, or what somebody else has proposed, put in the place of what the drivers do about lifetimes, so that
 * the search has something to find. Each is as little as it takes.
 */
import type { ChpEvent, ChpLink, Irb, MdevBus, SchTodo, Subchannel } from "parhelion-buses";
import { KernelError, Mutex, type Work, WorkQueue } from "parhelion-core";
import type { World } from "parhelion-explorer";
import { VfioCcwParent } from "../vfio-ccw/parent.js";
import { VfioCcwPrivate } from "../vfio-ccw/private.js";
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

/** H1: the driver's data is gone before the bus has forgotten the driver. */
export function clearedEarly(world: World): CcwStageInit {
  return parent(
    class extends VfioCcwParent {
      readonly #memory = world.allocate("driver data", { calls: 0 });

      override async unregister(): Promise<void> {
        await super.unregister();
        world.free(this.#memory);
      }

      override chpEvent(link: ChpLink, event: ChpEvent): ReturnType<VfioCcwParent["chpEvent"]> {
        this.#memory.calls += 1;
        return super.chpEvent(link, event);
      }

      override schEvent(): Promise<"done" | "again"> {
        this.#memory.calls += 1;
        return super.schEvent();
      }
    },
  );
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

      override async irq(irb: Irb): Promise<void> {
        world.reads({ name: "bare link" });
        const owned = this.#bare;
        await world.point("private is loaded");
        owned?.irq(irb);
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

/** H6: a todo is looked at and set without a lock that all of those have who do so. */
export function tornTodo(world: World, subchannel: Subchannel): void {
  const rank = { nothing: 0, evaluate: 1, unregister: 2 } as const;
  const perform = subchannel.schedule.bind(subchannel);
  const works = new WorkQueue(world.runtime, "torn todos");
  const field = { name: "torn todo", todo: "nothing" as SchTodo };
  const work: Work = {
    name: "torn todo",
    run() {
      world.writes(field);
      const { todo } = field;
      field.todo = "nothing";
      if (todo !== "nothing") perform(todo);
    },
  };
  subchannel.schedule = (wanted) => {
    world.reads(field);
    if (rank[field.todo] >= rank[wanted]) return;
    world.runtime.scheduler.spawn(`todo ${wanted}`, async () => {
      await world.point("the todo was looked at");
      world.writes(field);
      field.todo = wanted;
      works.queue(work);
    });
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

/**
 * D5.5: css remove quiesces the subchannel, and what removes the mediated device then relies on that. It takes users who
 * are not asked before: here they are, and who stays is cut off before the subchannel's driver hears of its removal.
 */
export function quiescedFirst(world: World): CcwStageInit {
  const made: { it: VfioCcwPrivate | null } = { it: null };
  return {
    makePrivate: (device, init) => {
      made.it = new VfioCcwPrivate(device, init);
      return made.it;
    },
    css: (driver) => ({
      ...driver,
      async quiesce(subchannel, of) {
        await subchannel.lock.withLock(() => subchannel.cio.disable());
        await world.point("quiesced");
        if (made.it !== null) made.it.closeDevice = async () => {};
        await driver.quiesce?.(subchannel, of);
      },
    }),
  };
}

/** D5.12: the fence is where the mediated device's probe is, or behind what it should keep out. */
export function fenceElsewhere(
  where: "fence in the mdev's probe" | "fence below the registration",
): CcwStageInit {
  const say = (subchannel: Subchannel, qf: 0 | 1): Promise<void> =>
    subchannel.lock.withLock(() => {
      const { schib } = subchannel;
      subchannel.schib = { ...schib, pmcw: { ...schib.pmcw, qf } };
    });
  return {
    css: (driver) => ({
      ...driver,
      async probe(subchannel) {
        await say(subchannel, 0);
        const made = await driver.probe(subchannel);
        await say(subchannel, 1);
        if (where === "fence in the mdev's probe") return made;
        throw new KernelError("ENODEV", `${subchannel.name} is for QDIO`);
      },
    }),
  };
}

/** D5.13: there is one mediated device, told by a pointer that is looked at, and set later. */
export function byPointer(world: World): CcwStageInit {
  return parent(
    class extends VfioCcwParent {
      override register(mdev: MdevBus): Promise<void> {
        const pointer = { name: "pointer to the mdev", mdev: null as string | null };
        const registerParent: MdevBus["registerParent"] = (device, init) =>
          mdev.registerParent(device, {
            ...init,
            available: { policy: "computed", of: () => 1 },
            async create(request) {
              world.reads(pointer);
              if (pointer.mdev !== null) throw new KernelError("EUSERS", "it has its mdev");
              await world.point("create");
              world.writes(pointer);
              pointer.mdev = request.uuid;
              return init.create(request);
            },
          });
        return super.register({ registerParent } as MdevBus);
      }
    },
  );
}

/** D5.14: an evaluation that is under way counts as one that has yet to look. */
export function whileEvaluated(subchannel: Subchannel): void {
  const schedule = subchannel.schedule.bind(subchannel);
  subchannel.schedule = (todo) => {
    if (todo !== "evaluate" || !subchannel.busy) schedule(todo);
  };
}
