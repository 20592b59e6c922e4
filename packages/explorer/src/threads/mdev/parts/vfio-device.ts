/**
 * A vfio device: two counters in one object. The registration counts who uses it and is waited for when it is
 * unregistered; the references count who can still reach its memory, and nobody waits for those.
 */
import { Completion, type Named, noDeadline, Refcount, Registration } from "parhelion-core";
import type { World } from "../../../program.js";

export class VfioDevice {
  /** What release takes down. */
  readonly memory: { readonly set: "up" };
  /** The device asks its user to let go: the REQ interrupt. */
  readonly request: Completion;
  /** The last reference is gone. */
  readonly released: Completion;
  readonly #world: World;
  readonly #name: string;
  readonly #refs: Refcount;
  readonly #state: Named;
  #registration: Registration | null = null;

  /** @param release called by the last put */
  constructor(world: World, name: string, release: () => void = () => {}) {
    this.#world = world;
    this.#name = name;
    this.memory = world.allocate(name, { set: "up" });
    this.released = new Completion(world.runtime, `${name} released`);
    this.#state = { name: `${name} state` };
    this.request = new Completion(world.runtime, `${name} request`);
    this.#refs = new Refcount(world.runtime, `${name} references`, () => {
      world.free(this.memory);
      release();
      this.released.completeAll();
    });
  }

  /** Whether it can be used. */
  get registered(): boolean {
    this.#world.reads(this.#state);
    return this.#registration?.state === "registered";
  }

  get(): void {
    this.#refs.get();
  }

  put(): void {
    this.#refs.put();
  }

  register(): void {
    this.#world.writes(this.#state);
    this.#registration = new Registration(this.#world.runtime, `${this.#name} registration`);
  }

  /** Registration reference: false when the device is on its way out, or not there yet. */
  tryUse(): boolean {
    this.#look();
    this.#world.reads(this.#state);
    return this.#registration?.tryGet() === true;
  }

  unuse(): void {
    this.#look();
    this.#registration?.put();
  }

  /** Waits, as long as it takes, for whoever uses the device; asks them to let go first. */
  async unregister(): Promise<void> {
    this.#look();
    await this.#registration?.unregister({
      deadline: noDeadline,
      request: () => this.request.completeAll(),
    });
  }

  /** From now on nobody can use it, and nobody who does is waited for: whoever has it open has a reference. */
  revoke(): void {
    this.#world.writes(this.#state);
    this.#registration = null;
    this.request.completeAll();
  }

  /** Whoever calls must still have the memory. */
  #look(): void {
    void this.memory.set;
  }
}
