/**
 * A vfio device: two counters in one object. The registration counts who uses it and is waited for when it is
 * unregistered; the references count who can still reach its memory, and nobody waits for those.
 */
import { Completion, type Named, noDeadline, Refcount, WaitQueue } from "parhelion-core";
import type { World } from "../../../program.js";

export class VfioDevice {
  /** What release takes down. */
  readonly memory: { readonly set: "up" };
  /** The device asks its user to let go: the REQ interrupt. */
  readonly request: Completion;
  /** The last reference is gone. */
  readonly released: Completion;
  readonly #world: World;
  readonly #refs: Refcount;
  readonly #registration: Named;
  readonly #unused: WaitQueue;
  #registered: "yes" | "no" = "no";
  #users = 0;

  /** @param release called by the last put */
  constructor(world: World, name: string, release: () => void = () => {}) {
    this.#world = world;
    this.memory = world.allocate(name, { set: "up" });
    this.#registration = { name: `${name} registration` };
    this.released = new Completion(world.runtime, `${name} released`);
    this.request = new Completion(world.runtime, `${name} request`);
    this.#unused = new WaitQueue(world.runtime, `${name} users`);
    this.#refs = new Refcount(world.runtime, `${name} references`, () => {
      world.free(this.memory);
      release();
      this.released.completeAll();
    });
  }

  get(): void {
    this.#refs.get();
  }

  put(): void {
    this.#refs.put();
  }

  register(): void {
    this.#world.writes(this.#registration);
    this.#registered = "yes";
    this.#users = 1;
  }

  /** Registration reference: false when the device is on its way out, or not there yet. */
  tryUse(): boolean {
    this.#look();
    this.#world.writes(this.#registration);
    if (this.#users === 0 || this.#registered === "no") return false;
    this.#users += 1;
    return true;
  }

  unuse(): void {
    this.#look();
    this.#world.writes(this.#registration);
    this.#users -= 1;
    if (this.#users === 0) this.#unused.wake();
  }

  /** Waits, as long as it takes, for whoever uses the device; asks them to let go first. */
  async unregister(): Promise<void> {
    this.#world.writes(this.#registration);
    this.#registered = "no";
    this.unuse();
    this.request.completeAll();
    await this.#unused.wait(
      () => {
        this.#world.reads(this.#registration);
        return this.#users === 0;
      },
      { deadline: noDeadline },
    );
  }

  /** From now on nobody can use it, and nobody who does is waited for. */
  revoke(): void {
    this.#world.writes(this.#registration);
    this.#registered = "no";
    this.request.completeAll();
  }

  get registered(): boolean {
    this.#world.reads(this.#registration);
    return this.#registered === "yes";
  }

  /** Whoever counts must still have the memory. */
  #look(): void {
    void this.memory.set;
  }
}
