/**
 * One device depends on another: its consumer must not be bound while its supplier is not. The states and what they
 * say follow drivers/base/core.c; a stateless link says only that one comes before the other.
 */
import type { Device } from "./device.js";
import { KernelError } from "./error.js";
import { StateMachine, type Transitions } from "./state-machine.js";
import type { Named } from "./sync/scheduler.js";

export type LinkState = "none" | "dormant" | "available" | "consumer-probe" | "active" | "supplier-unbind";

/**
 * "stateless": never keeps anybody from binding, and stays until it is removed as often as it was added. The others
 * are of managed links: "autoremove-consumer" and "autoremove-supplier" say whose unbinding ends the link,
 * "autoprobe-consumer" has the consumer probed when the supplier is bound.
 */
export type LinkFlag = "stateless" | "autoremove-consumer" | "autoremove-supplier" | "autoprobe-consumer";

const transitions: Transitions<LinkState> = {
  none: [],
  dormant: ["available", "consumer-probe", "active"],
  available: ["consumer-probe", "supplier-unbind"],
  "consumer-probe": ["available", "active", "dormant"],
  active: ["available", "supplier-unbind", "dormant"],
  "supplier-unbind": ["dormant"],
};

export class DeviceLink implements Named {
  readonly name: string;
  readonly consumer: Device;
  readonly supplier: Device;
  readonly #flags: Set<LinkFlag>;
  readonly #state: StateMachine<LinkState>;
  /** How often a stateless link was added. */
  references = 1;

  constructor(consumer: Device, supplier: Device, flags: readonly LinkFlag[]) {
    this.name = `link of ${consumer.devpath} to ${supplier.devpath}`;
    this.consumer = consumer;
    this.supplier = supplier;
    this.#flags = new Set(flags);
    const initial = this.managed ? initialState(supplier, consumer) : "none";
    this.#state = new StateMachine(consumer.runtime, this.name, transitions, initial);
  }

  get managed(): boolean {
    return !this.#flags.has("stateless");
  }

  get state(): LinkState {
    return this.#state.state;
  }

  get flags(): ReadonlySet<LinkFlag> {
    return this.#flags;
  }

  /** Only the core calls this. */
  moveTo(state: LinkState): void {
    this.#state.moveTo(state);
  }

  /** Added once more: it stays as long as the longest-lived of its users needs. Only the core calls this. */
  extend(flags: readonly LinkFlag[]): void {
    if (!this.managed) {
      this.references += 1;
      return;
    }
    if (flags.includes("autoprobe-consumer")) this.#flags.add("autoprobe-consumer");
    if (flags.includes("autoremove-supplier")) {
      if (this.#flags.delete("autoremove-consumer")) this.#flags.add("autoremove-supplier");
    } else if (!flags.includes("autoremove-consumer")) {
      this.#flags.delete("autoremove-consumer");
      this.#flags.delete("autoremove-supplier");
    }
  }
}

/**
 * The flags as they count.
 * @throws KernelError EINVAL a combination that means nothing
 */
export function normalizeFlags(flags: readonly LinkFlag[]): readonly LinkFlag[] {
  const has = (flag: LinkFlag) => flags.includes(flag);
  const autoremove = has("autoremove-consumer") || has("autoremove-supplier");
  if (has("stateless") && (autoremove || has("autoprobe-consumer"))) {
    throw new KernelError("EINVAL", `link flags ${flags.join(", ")}: a stateless link is nobody's to manage`);
  }
  if (has("autoprobe-consumer") && autoremove) {
    throw new KernelError("EINVAL", `link flags ${flags.join(", ")}: a link that goes has nobody to probe`);
  }
  // The supplier's unbinding always comes after the consumer's.
  return has("autoremove-supplier") ? flags.filter((flag) => flag !== "autoremove-consumer") : flags;
}

/** What a managed link of this consumer to a bound supplier is. */
export function stateBehindBound(consumer: Device): LinkState {
  const { state } = consumer.binding;
  if (state === "probing") return "consumer-probe";
  return state === "bound" ? "active" : "available";
}

function initialState(supplier: Device, consumer: Device): LinkState {
  switch (supplier.binding.state) {
    case "probing":
      // The consumer knows that the supplier works already: it has something of it.
      return consumer.binding.state === "probing" ? "consumer-probe" : "dormant";
    case "bound":
      return stateBehindBound(consumer);
    case "unbinding":
      return "supplier-unbind";
    case "failing":
    case "unbound":
      return "dormant";
  }
}
