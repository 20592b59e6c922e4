/**
 * A subchannel as a device: what a driver of channel I/O is bound to. What changes with interruptions and path events, the
 * SCHIB and the path masks, belongs to `lock`; instructions are in `Cio`.
 */
import { type Bus, Device, type Runtime, SpinLock, Timer, type Work, WorkQueue } from "parhelion-core";
import type { CssCallbacks } from "./callbacks.js";
import { Cio } from "./cio.js";
import type { ChpLink, SchTodo } from "./event.js";
import { type Schib, SubchannelType } from "./layout/index.js";
import { type CssMachine, type SubchannelId, subchannelName } from "./machine.js";
import { Publication } from "./publication.js";

/** What the bus does for a subchannel. */
export interface SubchannelBus {
  readonly bus: Bus;
  readonly root: Device;
  readonly machine: CssMachine;
  readonly retryMs: number;
  /** Carries a todo out. */
  perform(subchannel: Subchannel, todo: Exclude<SchTodo, "nothing">): Promise<void>;
}

const rank: Readonly<Record<SchTodo, number>> = { nothing: 0, evaluate: 1, unregister: 2 };

export class Subchannel extends Device {
  readonly id: SubchannelId;
  /** See SubchannelType. */
  readonly type: number;
  readonly machine: CssMachine;
  /** Held around every interruption and path event. Whoever holds it must not sleep. */
  readonly lock: SpinLock;
  readonly cio: Cio;
  readonly publication: Publication;
  readonly #around: SubchannelBus;
  /** Its own, so that a removal that takes its time keeps nobody else waiting. */
  readonly #works: WorkQueue;
  readonly #work: Work;
  readonly #retry: Timer;
  #schib: Schib;
  #opm: number;
  #lpm: number;
  #known: number;
  #todo: SchTodo = "nothing";
  #doing: SchTodo = "nothing";

  /** @param opm paths that are not varied off */
  constructor(runtime: Runtime, id: SubchannelId, schib: Schib, opm: number, around: SubchannelBus) {
    const name = subchannelName(id);
    super(runtime, { name, parent: around.root, bus: around.bus });
    this.id = id;
    this.type = schib.pmcw.st;
    this.machine = around.machine;
    this.lock = new SpinLock(runtime, `lock of subchannel ${name}`);
    this.publication = new Publication(runtime, name, this.lock);
    this.cio = new Cio(this);
    this.#around = around;
    this.#schib = schib;
    this.#opm = opm;
    this.#known = schib.pmcw.pam & schib.pmcw.pim;
    this.#lpm = this.#known & opm;
    this.#works = new WorkQueue(runtime, `todo of ${name}`);
    this.#work = { name: `todo of ${name}`, run: () => this.#perform() };
    this.#retry = new Timer(runtime, `evaluation of ${name}`, () => this.schedule("evaluate"));
  }

  /** What was last seen of it. Under the lock. */
  get schib(): Schib {
    this.#uses("load");
    return this.#schib;
  }

  set schib(schib: Schib) {
    this.#uses("store");
    this.#schib = schib;
  }

  /** The paths that software has not varied off. Under the lock. */
  get opm(): number {
    this.#uses("load");
    return this.#opm;
  }

  set opm(mask: number) {
    this.#uses("store");
    this.#opm = mask;
  }

  /** The paths that may be used. Under the lock. */
  get lpm(): number {
    this.#uses("load");
    return this.#lpm;
  }

  set lpm(mask: number) {
    this.#uses("store");
    this.#lpm = mask;
  }

  /** The paths that were available by what was last told. Under the lock; only the bus writes it. */
  get known(): number {
    this.#uses("load");
    return this.#known;
  }

  set known(mask: number) {
    this.#uses("store");
    this.#known = mask;
  }

  /** The path of that channel path id, if it is installed. Under the lock. */
  linkOf(chpid: number): ChpLink | null {
    const { pim, chpid: ids } = this.schib.pmcw;
    const index = ids.findIndex((id, at) => id === chpid && (pim & (0x80 >> at)) !== 0);
    return index === -1 ? null : { chpid, mask: 0x80 >> index };
  }

  /**
   * From here on the driver is called back. A driver calls it in its probe when it needs interruptions there; otherwise
   * the bus does, with the driver's own callbacks, when the probe is over. What came before is made up for by an
   * evaluation. Not from a callback.
   */
  async publish(callbacks: CssCallbacks): Promise<void> {
    const missed = await this.publication.publish(callbacks);
    if (missed === "something") this.schedule("evaluate");
  }

  /** Whether the driver can be called back. In its probe and remove nobody else changes that. */
  get published(): boolean {
    return this.publication.published;
  }

  /** When it returns no callback runs, and none will be called. Not from a callback. */
  withdraw(): Promise<void> {
    return this.publication.withdraw();
  }

  /**
   * Has the subchannel evaluated or unregistered, soon. A greater todo that waits already stays. From any context, one
   * step: nothing is lost whatever lock the caller holds or does not.
   */
  schedule(todo: Exclude<SchTodo, "nothing">): void {
    this.#usesTodo();
    if (rank[this.#todo] >= rank[todo] || !this.tryGet()) return;
    this.#todo = todo;
    // Held by who waits; the todo that is overridden gives its own back.
    if (!this.#works.queue(this.#work)) this.put();
  }

  /** What waits to be done. */
  get todo(): SchTodo {
    this.#usesTodo();
    return this.#todo;
  }

  /** Whether something waits to be done or is being done. */
  get busy(): boolean {
    this.#usesTodo();
    return this.#todo !== "nothing" || this.#doing !== "nothing";
  }

  /** Has it evaluated after the bus's time for that. */
  scheduleAgain(): void {
    if (this.registered) this.#retry.start(this.#around.retryMs);
  }

  /** Waits until what was scheduled before is done. @throws KernelError ETIMEDOUT */
  flush(options?: { readonly deadline?: number }): Promise<void> {
    return this.#works.flush(options);
  }

  /** By the bus, when it is removed. */
  forget(): void {
    this.#retry.cancel();
  }

  /** Whether the machine still has the device that this subchannel was made for; takes over what it says. Under the lock. */
  refresh(): "there" | "gone" | "another" {
    const { schib } = this.machine.stsch(this.id);
    if (schib === null || !isValid(schib)) return "gone";
    const same = schib.pmcw.st === this.type && schib.pmcw.dev === this.schib.pmcw.dev;
    if (same) this.schib = schib;
    return same ? "there" : "another";
  }

  async #perform(): Promise<void> {
    this.#usesTodo();
    const todo = this.#todo;
    this.#todo = "nothing";
    this.#doing = todo;
    try {
      if (todo !== "nothing") await this.#around.perform(this, todo);
    } finally {
      this.#usesTodo();
      this.#doing = "nothing";
      this.put();
    }
  }

  #uses(mode: "load" | "store"): void {
    this.runtime.scheduler.access({ name: `state of subchannel ${this.name}` }, mode);
  }

  #usesTodo(): void {
    this.runtime.scheduler.access({ name: `todo of subchannel ${this.name}` }, "write");
  }
}

/** Whether there is something behind the subchannel. */
export function isValid({ pmcw }: Schib): boolean {
  if (pmcw.st === SubchannelType.IO) return pmcw.dnv === 1;
  return pmcw.st !== SubchannelType.MSG || pmcw.w === 1;
}
