/** An adapter's health whose probes end as `works` says. Starts nothing by itself. */
import { type Named, type Runtime, WaitQueue } from "parhelion-core";
import { AdapterHealth } from "./health.js";
import { defaultHealthPolicy, type HealthPolicy } from "./health-policy.js";
import type { HealthState } from "./health-state.js";

export class HealthRig implements Named {
  readonly name = "health rig";
  readonly health: AdapterHealth;
  /** The states that it went through, the first one included. */
  readonly states: HealthState[] = [];
  /** Woken with each change of state. */
  readonly changed: WaitQueue;
  probes = 0;
  /** Probes that are under way. */
  running = 0;
  /** What a probe waits for before it ends. */
  hold: () => Promise<void> = async () => undefined;
  readonly #runtime: Runtime;
  #works = true;

  constructor(runtime: Runtime, policy: Partial<HealthPolicy> = {}) {
    this.#runtime = runtime;
    this.changed = new WaitQueue(runtime, "changes of health");
    this.health = new AdapterHealth({
      runtime,
      adapter: "adapter0",
      policy: { ...defaultHealthPolicy, ...policy },
      probe: () => this.#probe(),
      onChange: (state) => {
        this.states.push(state);
        this.changed.wake();
      },
    });
    this.states.push(this.health.state);
  }

  get works(): boolean {
    this.#runtime.scheduler.access(this, "read");
    return this.#works;
  }

  set works(works: boolean) {
    this.#runtime.scheduler.access(this, "write");
    this.#works = works;
  }

  async #probe(): Promise<void> {
    this.probes += 1;
    this.running += 1;
    try {
      await this.hold();
      if (!this.works) throw new Error("no answer");
    } finally {
      this.running -= 1;
    }
  }
}
