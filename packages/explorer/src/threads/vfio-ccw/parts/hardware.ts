/**
 * The subchannel as the channel subsystem sees it: enabled or not, busy or not, a status to collect or not. It presents
 * interrupts only while it is enabled, which is what makes "disabled" mean anything.
 */
import type { World } from "../../../program.js";

export type Ending = "as asked" | "never";

export class Hardware {
  readonly name = "subchannel hardware";
  readonly #world: World;
  readonly #ending: Ending;
  #enabled: "yes" | "no" = "no";
  #activity: "none" | "active" | "status pending" = "none";
  #present: "yes" | "no" = "yes";

  /** @param ending whether a clear ends what is running, or the device does not answer */
  constructor(world: World, ending: Ending = "as asked") {
    this.#world = world;
    this.#ending = ending;
  }

  get enabled(): boolean {
    this.#world.reads(this);
    return this.#enabled === "yes";
  }

  get active(): boolean {
    this.#world.reads(this);
    return this.#activity === "active";
  }

  get present(): boolean {
    this.#world.reads(this);
    return this.#present === "yes";
  }

  enable(): void {
    this.#world.writes(this);
    this.#enabled = "yes";
  }

  /** The device is pulled out. */
  vanish(): void {
    this.#world.writes(this);
    this.#present = "no";
    this.#activity = "none";
  }

  /** "busy" while something runs or a status waits to be collected. */
  disable(): "disabled" | "busy" {
    this.#world.writes(this);
    if (this.#activity !== "none") return "busy";
    this.#enabled = "no";
    return "disabled";
  }

  /** ssch. Condition codes: 0 started, 1 status pending, 2 busy, 3 not operational. */
  start(): 0 | 1 | 2 | 3 {
    this.#world.writes(this);
    if (this.#enabled === "no" || this.#present === "no") return 3;
    if (this.#activity === "status pending") return 1;
    if (this.#activity === "active") return 2;
    this.#activity = "active";
    return 0;
  }

  /** What runs comes to its end; its status waits to be collected. */
  finish(): void {
    this.#world.writes(this);
    if (this.#activity === "active") this.#activity = "status pending";
  }

  /** csch. @returns whether it had an effect */
  clear(): boolean {
    this.#world.writes(this);
    if (this.#ending === "never") return false;
    this.#activity = "status pending";
    return true;
  }

  /** tsch: collects the status if there is one. */
  takeStatus(): "status" | "none" {
    this.#world.writes(this);
    if (this.#activity !== "status pending" || this.#enabled === "no") return "none";
    this.#activity = "none";
    return "status";
  }

  /** A status nobody asked for: the device has something to say. */
  raise(): void {
    this.#world.writes(this);
    if (this.#enabled === "yes") this.#activity = "status pending";
  }
}
