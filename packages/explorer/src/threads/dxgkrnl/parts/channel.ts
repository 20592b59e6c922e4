/**
 * A VMBus channel as its driver sees it: what it sends waits in a list until the host completes it. The list stands
 * for one with a spin lock, so each use of it is whole.
 */
import { Completion, KernelError, type Named, WaitQueue } from "parhelion-core";
import type { World } from "../../../program.js";

/** What becomes of requests under way when the host takes the channel back. */
export type OnRescind = "they go on waiting" | "they fail";

export class Channel implements Named {
  readonly name: string;
  readonly #world: World;
  readonly #onRescind: OnRescind;
  readonly #arrived: WaitQueue;
  readonly #pending: Completion[] = [];
  #state: "open" | "rescinded" | "closed" = "open";

  constructor(world: World, name: string, onRescind: OnRescind = "they fail") {
    this.#world = world;
    this.name = name;
    this.#onRescind = onRescind;
    this.#arrived = new WaitQueue(world.runtime, `requests on ${name}`);
  }

  /** Waits for the host's answer. @throws KernelError ENODEV the channel is not there */
  async request(what: string): Promise<void> {
    this.#world.writes(this);
    if (this.#state !== "open") throw this.#gone(what);
    const answer = new Completion(this.#world.runtime, `${what} on ${this.name}`);
    this.#pending.push(answer);
    this.#arrived.wake();
    await answer.wait();
  }

  /** The host's side: takes the oldest request, once there is one, and answers it. */
  async serve(): Promise<void> {
    await this.#arrived.wait(() => {
      this.#world.reads(this);
      return this.#pending.length > 0;
    });
    this.#world.writes(this);
    this.#pending.shift()?.completeAll();
  }

  /** The host takes the channel back. */
  rescind(): void {
    this.#end("rescinded");
    if (this.#onRescind === "they fail") this.#fail();
  }

  close(): void {
    this.#end("closed");
    this.#fail();
  }

  #end(state: "rescinded" | "closed"): void {
    this.#world.writes(this);
    this.#state = state;
  }

  #fail(): void {
    for (const answer of this.#pending.splice(0)) answer.fail(this.#gone("a request"));
  }

  #gone(what: string): KernelError {
    return new KernelError("ENODEV", `${what} on ${this.name}: the channel is ${this.#state}`);
  }
}
