/**
 * The state machine, as far as the questions need it. Each event reads the state, acts, and writes the state; only what
 * touches the hardware is done under the subchannel's lock.
 */
import { Completion, type Guard, Mutex, noDeadline, type SpinLock, type WorkQueue } from "parhelion-core";
import type { World } from "../../../program.js";
import type { Context } from "./context.js";
import type { Design } from "./designs.js";
import type { Hardware } from "./hardware.js";

export interface FsmInit {
  readonly world: World;
  readonly design: Design;
  readonly hardware: Hardware;
  /** The subchannel's. */
  readonly lock: SpinLock;
  readonly works: WorkQueue;
  readonly unpin: Unpin;
  /** Asks the channel subsystem to remove the subchannel. */
  readonly unregister: () => void;
  /** Has the hardware present an interrupt. */
  readonly present: () => void;
}

/** What giving back the guest's pages takes, between finding them and forgetting them. */
export type Unpin = () => Promise<void>;

export type Answer = "done" | "EIO" | "EAGAIN" | "EBUSY" | "ENODEV" | "EINVAL";

export class Fsm {
  readonly #parts: FsmInit;
  readonly #events: Mutex;
  /** Whoever waits for the interrupt that ends a clear. */
  #cleared: Completion | null = null;

  constructor(parts: FsmInit) {
    this.#parts = parts;
    this.#events = new Mutex(parts.world.runtime, "state machine");
  }

  /** Runs an event, or a reset, which is two: alone, where the design has a lock for that. Not to be nested. */
  async alone<T>(what: "event" | "reset", run: () => Promise<T>): Promise<T> {
    const { events } = this.#parts.design;
    if (events === "free" || (events === "one at a time" && what === "reset")) return run();
    const guard = await this.#events.lock();
    const result = await run();
    guard.release();
    return result;
  }

  async open(context: Context): Promise<void> {
    const { hardware, lock, world, design } = this.#parts;
    await world.point("open");
    if (context.state === "not operational") return;
    if (context.state !== "standby") return this.notOperational(context);
    const guard = await lock.lock();
    if (design.enabledBy === "open") hardware.enable();
    context.state = "idle";
    guard.release();
  }

  async close(context: Context): Promise<void> {
    const { lock, design, hardware } = this.#parts;
    if (context.state === "not operational") return;
    if (context.state === "standby") return this.notOperational(context);
    const guard = await this.switchOff(await lock.lock());
    if (guard === null) return this.notOperational(context);
    // Where the subchannel is on for as long as it has a driver, a closed one is on again.
    if (design.enabledBy !== "open") hardware.enable();
    context.state = "standby";
    guard.release();
    await this.freeProgram(context);
  }

  /** Starts a channel program for the user. */
  async request(context: Context): Promise<Answer> {
    const { world, lock, hardware } = this.#parts;
    if (context.state === "processing") return "EAGAIN";
    if (context.state === "pending") return "EBUSY";
    if (context.state !== "idle") return "EIO";
    context.state = "processing";
    await world.point("request: translate");
    context.pages = world.allocate("pinned pages", {});
    const guard = await lock.lock();
    const code = hardware.start();
    if (code === 0) context.state = "pending";
    guard.release();
    if (code === 0) return "done";
    await world.point("request: not started");
    await this.freeProgram(context);
    context.state = "idle";
    return code === 3 ? "ENODEV" : "EBUSY";
  }

  /** From the interrupt handler. */
  interrupt(context: Context): void {
    const { hardware, works, design } = this.#parts;
    // Where the state has a lock of its own, which may sleep, the handler leaves it alone.
    if (design.events === "free" && (context.state === "standby" || context.state === "not operational")) {
      hardware.disable();
      return;
    }
    context.irb = "status";
    const { ioWork } = context;
    if (ioWork !== null) works.queue(ioWork);
  }

  /** From the interrupt handler, whatever is there: somebody may wait for the end of a clear. */
  collected(): void {
    this.#cleared?.completeAll();
  }

  /** What the interrupt handler leaves to a work item. */
  async ioWork(context: Context): Promise<void> {
    const { world } = this.#parts;
    await this.alone("event", async () => {
      await world.point("io_work");
      if ((await this.#takeIrb(context)) === "" || context.state !== "pending") return;
      await this.freeProgram(context);
      await world.point("io_work: idle");
      context.state = "idle";
    });
  }

  /** From a callback, with the subchannel's lock held: the device is not there any more. */
  async gone(context: Context): Promise<void> {
    const { works, design } = this.#parts;
    if (design.events === "free") return this.notOperational(context);
    const { goneWork } = context;
    if (goneWork !== null) works.queue(goneWork);
  }

  async #takeIrb(context: Context): Promise<string> {
    const { design, lock } = this.#parts;
    const guard = design.events === "free" ? null : await lock.lock();
    const { irb } = context;
    guard?.release();
    return irb;
  }

  /** Close, then open. */
  async reset(context: Context): Promise<void> {
    await this.alone("reset", async () => {
      const inner = this.#parts.design.events === "one at a time" ? this.alone.bind(this) : unguarded;
      await inner("event", () => this.close(context));
      await inner("event", () => this.open(context));
    });
  }

  async notOperational(context: Context): Promise<void> {
    const { world, unregister } = this.#parts;
    await world.point("not operational");
    unregister();
    context.state = "not operational";
    await this.freeProgram(context);
  }

  async freeProgram(context: Context): Promise<void> {
    const { pages } = context;
    if (pages === null) return;
    await this.#parts.unpin();
    context.pages = null;
    this.#parts.world.free(pages);
  }

  /**
   * Disables the subchannel, quiescing it while it is busy. Needs and returns the subchannel's lock, which is let go in
   * between; null, and not held any more, when the device does not answer.
   */
  async switchOff(held: Guard): Promise<Guard | null> {
    const { world, design, lock, hardware, works, present } = this.#parts;
    let guard = held;
    while (hardware.disable() === "busy") {
      if (hardware.active && !hardware.clear()) {
        guard.release();
        return null;
      }
      const cleared = new Completion(world.runtime, "end of clear");
      this.#cleared = cleared;
      guard.release();
      present();
      await cleared.wait({ deadline: noDeadline });
      if (design.quiesce === "waits for interrupt and work") await works.flush({ deadline: noDeadline });
      guard = await lock.lock();
      this.#cleared = null;
    }
    return guard;
  }
}

function unguarded<T>(_what: string, run: () => Promise<T>): Promise<T> {
  return run();
}
