/** Leases of one adapter's time in every order: engines that ask, work and yield, are recalled, paused or gone, and are resized. */
import { type Clock, type ClockTimer, noDeadline, WaitQueue } from "parhelion-core";
import type { Program, World } from "parhelion-explorer";
import { AdapterTime } from "../time/adapter-time.js";
import { pausingPolicy, recallingPolicy } from "../time/time-policy.js";
import type { Lease, Runner, TimeShare } from "../time/time-share.js";

/** Turns that may end by time in one run. */
const ticks = 2;

const terms = { share: 0, weight: 1, cap: 1 };

/** An engine of a few words: it does what it is told at once, and `work` is its application. */
class Engine implements Runner {
  readonly pausable: boolean;
  readonly share: TimeShare;
  state: "runs" | "paused" | "gone" = "runs";
  held: Lease | undefined;
  recalled = 0;
  readonly #told: WaitQueue;
  readonly #world: World;

  constructor(world: World, share: TimeShare, pausable: boolean) {
    this.#world = world;
    this.share = share;
    this.pausable = pausable;
    this.#told = new WaitQueue(world.runtime, `engine of ${share.name}`);
    share.join(this);
  }

  lease(lease: Lease): void {
    this.#world.expect(this.state !== "gone", "a lease for an engine that has gone");
    this.held = lease;
    this.#told.wake();
  }

  recall(lease: number): void {
    this.#world.expect(this.held?.lease === lease, "a lease is recalled that the engine has not got");
    this.recalled = lease;
  }

  pause(): void {
    this.#world.expect(this.state === "runs", `paused while it ${this.state}`);
    this.state = "paused";
  }

  resume(): void {
    this.#world.expect(this.state === "paused", `resumed while it ${this.state}`);
    this.state = "runs";
    this.#told.wake();
  }

  /** One submission: asks, waits for its lease, computes (it may be paused there), yields. */
  async work(): Promise<void> {
    if (this.state === "gone") return;
    this.share.want(this);
    await this.#until(() => this.#is("gone") || (this.held !== undefined && this.#is("runs")));
    for (const step of ["begins", "computes"]) await this.#world.point(step);
    await this.#until(() => !this.#is("paused"));
    if (this.#is("gone") || this.held === undefined) return;
    const { lease } = this.held;
    this.held = undefined;
    this.share.yielded(this, lease, "idle");
  }

  async #until(condition: () => boolean): Promise<void> {
    await this.#told.wait(condition, { deadline: noDeadline });
  }

  /** Others may have changed it meanwhile, which the compiler can't see. */
  #is(state: Engine["state"]): boolean {
    return this.state === state;
  }

  leave(): void {
    this.share.leave(this);
    this.#world.expect(this.state !== "paused", "an engine is left paused");
    this.state = "gone";
    this.held = undefined;
    this.#told.wake();
  }
}

/** Time that passes when the program says so, from one timer to the next. */
class Hands implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly fire: () => void }>();

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fire: () => void): ClockTimer {
    const timer = { at: this.#now + ms, fire };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  move(): void {
    const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
    if (next === undefined) return;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.fire();
  }
}

interface Shared {
  readonly time: AdapterTime;
  readonly engines: readonly Engine[];
}

function adapter(world: World, pausable: boolean, count: number): Shared {
  const clock = new Hands();
  const runtime = { ...world.runtime, clock };
  const time = new AdapterTime(runtime, "adapter", pausable ? pausingPolicy : recallingPolicy);
  world.task("hands", async () => {
    for (let tick = 0; tick < ticks; tick++) {
      await world.point("tick");
      world.writes(time);
      clock.move();
    }
  });
  const engines = Array.from({ length: count }, (_, index) => {
    return new Engine(world, time.open(`slice ${index}`, terms), pausable);
  });
  return { time, engines };
}

function invariant({ time, engines }: Shared, world: World): void {
  const running = engines.filter(({ share: { state } }) => state === "running" || state === "recalled");
  world.expect(running.length <= 1, `${running.length} engines have the adapter`, "invariant");
  world.expect(time.holder === running[0]?.share, "the holder is another one", "invariant");
  for (const { state, share } of engines)
    world.expect(
      (state === "paused") === (share.state === "paused"),
      `${share.name} is ${share.state}, its engine ${state}`,
      "invariant",
    );
  for (const { share } of engines)
    if (share.state === "waiting") world.expect(running.length === 1, "it waits for nobody", "invariant");
}

async function after({ time, engines }: Shared, world: World): Promise<void> {
  for (const { share } of engines)
    world.expect(
      share.state === "idle" || share.state === "absent",
      `${share.name} is ${share.state} at the end`,
    );
  world.expect(time.holder === undefined, "somebody still has the adapter");
  for (const { share } of engines) share.close();
}

function programs(pausable: boolean): Record<string, Program<Shared>> {
  const kind = pausable ? "engines that can be paused" : "engines that can't be paused";
  const rest = { invariant, after };
  return {
    grantMeetsGrant: {
      name: `${kind}: two want time, and each gets it`,
      setup(world) {
        const shared = adapter(world, pausable, 2);
        for (const engine of shared.engines) world.task(engine.share.name, () => engine.work());
        return shared;
      },
      ...rest,
    },
    grantMeetsExit: {
      name: `${kind}: one goes while it has the adapter, waits for it, or is paused`,
      setup(world) {
        const shared = adapter(world, pausable, 2);
        const [first, second] = shared.engines as [Engine, Engine];
        world.task("first", () => first.work());
        world.task("second", () => second.work());
        world.task("death", async () => {
          await world.point("death");
          first.leave();
        });
        return shared;
      },
      ...rest,
    },
    grantMeetsResize: {
      name: `${kind}: weights and caps change while two share`,
      setup(world) {
        const shared = adapter(world, pausable, 2);
        const [first, second] = shared.engines as [Engine, Engine];
        world.task("first", () => first.work());
        world.task("second", () => second.work());
        world.task("resize", async () => {
          await world.point("resize");
          first.share.change({ share: 0, weight: 3, cap: 1 });
          second.share.change({ share: 0.5, weight: 1, cap: 1 });
        });
        return shared;
      },
      ...rest,
    },
    closeMeetsSuccessor: {
      name: `${kind}: an engine is replaced, and what the old one still says counts for nothing`,
      setup(world) {
        const shared = adapter(world, pausable, 1);
        const [first] = shared.engines as [Engine];
        world.task("first", () => first.work());
        world.task("successor", async () => {
          await world.point("death");
          first.leave();
          const next = new Engine(world, first.share, pausable);
          await next.work();
          next.leave();
        });
        return shared;
      },
      after,
    },
  };
}

export const timePrograms: readonly Program<Shared>[] = [
  ...Object.values(programs(true)),
  ...Object.values(programs(false)),
];
