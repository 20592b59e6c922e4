/** What the programs about subchannels stand on: a small machine, the real bus, and a driver whose state has an end. */
import { type Bus, System } from "parhelion-core";
import { type World, watchDriver, watchSystem } from "parhelion-explorer";
import { idOf, SmallMachine } from "../css/machine.test.fixture.js";
import { CssBus, type CssDriver, type Subchannel, subchannelName } from "../index.js";

/** What a callback works on, from probe to remove. */
export interface State {
  uses: number;
}

/** What somebody has done wrong, as kernels do it. */
export type Plant =
  /** The bus calls back until remove is over. */
  | "not withdrawn"
  /** The driver offers itself before it has what its callbacks need. */
  | "published first"
  /** Who calls back without the lock is not waited for. */
  | "not counted"
  /** An evaluation works on what the lock guards. */
  | "without the lock";

export class CssStage {
  readonly world: World;
  readonly system: System;
  readonly machine: SmallMachine;
  readonly css: CssBus;
  readonly driver: CssDriver<State>;
  /** What was called, in order. */
  readonly called: string[] = [];
  /** How often an evaluation is to be asked for again. */
  again = 0;
  readonly #plant: Plant | undefined;
  #held: Subchannel | null = null;

  constructor(world: World, plant?: Plant, machine = new SmallMachine(world.runtime)) {
    this.world = world;
    this.#plant = plant;
    this.system = new System(world.runtime);
    this.machine = machine;
    this.css = new CssBus(this.system, machine, { retryMs: 5 });
    watchSystem(world, this.system, [this.bus]);
    this.driver = watchDriver(world, this.#driver() as never) as CssDriver<State>;
  }

  get bus(): Bus {
    return this.css.bus as Bus;
  }

  get subchannel(): Subchannel {
    const found = this.css.find(subchannelName(idOf(1)));
    if (found === undefined) throw new Error("there is no subchannel");
    return found;
  }

  /** The subchannel that `hold` found. */
  get held(): Subchannel {
    if (this.#held === null) throw new Error("nothing is held");
    return this.#held;
  }

  hold(): void {
    this.#held = this.subchannel;
    this.#held.get();
  }

  /** One subchannel, enabled. @param driven whether the driver is bound to it */
  async begin(driven: "driven" | "not driven"): Promise<void> {
    const { system, css, machine } = this;
    machine.plug(1);
    await css.start();
    const { subchannel } = this;
    await subchannel.lock.withLock(() => subchannel.cio.enable(0, 3));
    this.#sabotage(subchannel);
    if (driven === "not driven") system.setDriversAutoprobe(this.bus, "0");
    await system.registerDriver(this.driver as CssDriver);
  }

  /** Everybody goes; nothing is left. */
  async end(): Promise<void> {
    await this.css.settle();
    const failed = this.world.log.find(({ event }) => event === "css.callback-failed");
    this.world.expect(failed === undefined, `a callback has failed: ${String(failed?.fields["error"])}`);
    await this.system.unregisterDriver(this.driver as CssDriver);
    await this.css.stop();
    const left = this.css.subchannels().length;
    this.world.expect(left === 0, `${left} subchannels have outlived their bus`);
  }

  bind(): Promise<void> {
    return this.system.attach(this.subchannel, this.driver as CssDriver);
  }

  unbind(): Promise<void> {
    return this.system.detach(this.subchannel);
  }

  #driver(): CssDriver<State> {
    const { world, called } = this;
    const held: { state: State | null } = { state: null };
    const use = async (what: string, state: State): Promise<void> => {
      called.push(what);
      state.uses += 1;
      await world.point(`${what}: uses the driver's state`);
      state.uses -= 1;
    };
    return {
      name: "driver",
      bus: this.bus,
      probe: async (subchannel) => {
        if (this.#plant === "published first") {
          const early = (what: string) => use(what, held.state as State);
          await subchannel.publish({
            irq: () => early("irq"),
            async chpEvent(_link, event): Promise<"done"> {
              await early(event);
              return "done";
            },
            async schEvent(): Promise<"done"> {
              await early("event");
              return "done";
            },
          });
        }
        const state = world.allocate<State>("the driver's state", { uses: 0 });
        held.state = state;
        await world.point("probe");
        return state;
      },
      async remove(_subchannel, state) {
        await world.point("remove");
        world.free(state);
      },
      irq: (_subchannel, state) => use("irq", state),
      chpEvent: async (_subchannel, state, _link, event): Promise<"done"> => {
        await use(event, state);
        return "done";
      },
      schEvent: async ({ lock }, state) => {
        if (this.#plant === "without the lock") await use("event", state);
        else await lock.withLock(() => use("event", state));
        if (this.again === 0) return "done";
        this.again -= 1;
        return "again";
      },
    };
  }

  #sabotage(subchannel: Subchannel): void {
    const { publication } = subchannel;
    if (this.#plant === "not withdrawn") subchannel.withdraw = async () => {};
    if (this.#plant !== "not counted") return;
    publication.outsideLock = async (callback) => {
      const published = await subchannel.lock.withLock(() => publication.underLock());
      return published === null ? null : await callback(published);
    };
  }
}

export function planted(name: string, plant: string | undefined): string {
  return plant === undefined ? name : `${name} (planted: ${plant})`;
}
