/**
 * The interrupts of one device: who is told of them, which are masked, and what came in while they were. Kept for the
 * driver, so that giving a trigger, taking it back and triggering exclude each other for every device alike: a trigger
 * is used and dropped in one step, and never used after it was dropped.
 */
import { KernelError, type Named, type Runtime } from "parhelion-core";
import type { IrqInfo } from "../device/calls.js";
import { checkIrqSet, type ValidIrqSet } from "./check.js";
import type { Eventfd } from "./eventfd.js";
import { IrqFlag, type IrqSet, type VfioIrq } from "./irq.js";

interface Vector {
  trigger: Eventfd | null;
  mask: "masked" | "unmasked";
  /** It came while it was masked, or while the device stood still. */
  pending: boolean;
}

type Switch = "mask-by" | "unmask-by";

/** An eventfd of the user that masks or unmasks. */
interface Listening {
  readonly index: number;
  readonly eventfd: Eventfd;
  readonly stop: () => void;
}

export class IrqTable implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #irqs: () => readonly VfioIrq[];
  /** By index; those that were never used are missing. */
  readonly #vectors = new Map<number, Vector[]>();
  /** Lines that are high, as "index.vector": the device's side, whoever listens. */
  readonly #high = new Set<string>();
  /** By what they do and to which, as "unmask-by 0.0". */
  readonly #switches = new Map<string, Listening>();

  #device: "moves" | "stands still" = "moves";

  constructor(runtime: Runtime, name: string, irqs: () => readonly VfioIrq[]) {
    this.#runtime = runtime;
    this.name = name;
    this.#irqs = irqs;
  }

  get indexes(): number {
    return this.#irqs().length;
  }

  /** @throws KernelError EINVAL argsz, no such index */
  info(argsz: number, index: number): IrqInfo {
    const irq = this.#irqs()[index];
    if (argsz < 16 || irq === undefined) {
      throw new KernelError(
        "EINVAL",
        `GET_IRQ_INFO: argsz ${argsz} (at least 16), index ${index} of ${this.indexes}`,
      );
    }
    return { argsz: 16, flags: flagsOf(irq), index, count: irq.count };
  }

  /** Checks what is asked for. @throws KernelError EINVAL, EBUSY another eventfd masks or unmasks it already */
  check(set: IrqSet): ValidIrqSet {
    const valid = checkIrqSet(set, this.#irqs());
    const { index, start, count, action } = valid;
    this.#runtime.scheduler.access(this, "read");
    const inUse = this.#vectors.get(index)?.length ?? 0;
    if (action === "enable" && this.#irqs()[index]?.noresize === true && inUse > 0 && start + count > inUse) {
      throw new KernelError(
        "EINVAL",
        `SET_IRQS: ${inUse} vectors of index ${index} are in use and can't become ${start + count}; tear them down first`,
      );
    }
    if (action === "mask-by" || action === "unmask-by") this.#checkFree(valid, action);
    return valid;
  }

  /** Does what was checked in the same step. */
  apply(set: ValidIrqSet): void {
    this.#runtime.scheduler.access(this, "write");
    const { index, start, action } = set;
    if (action === "disable") {
      this.#teardown(index);
      return;
    }
    if (action === "enable") {
      this.#assign(index, start, set.eventfds);
      return;
    }
    if (action === "mask-by" || action === "unmask-by") {
      for (const [at, eventfd] of set.eventfds.entries()) this.#listen(action, index, start + at, eventfd);
      return;
    }
    for (const [at, wanted] of set.which.entries()) {
      const vector = this.#vectors.get(index)?.[start + at];
      if (!wanted || vector === undefined) continue;
      if (action === "fire") vector.trigger?.signal(1);
      else if (action === "mask") vector.mask = "masked";
      else this.#unmask(vector, index, start + at);
    }
  }

  /**
   * Tells the user. @returns false: nobody listens, and it is forgotten. One that is masked is told when it is unmasked.
   * @param count how often it came
   */
  trigger(index: number, vector = 0, count = 1): boolean {
    this.#runtime.scheduler.access(this, "write");
    const found = this.#vectors.get(index)?.[vector];
    if (found === undefined || found.trigger === null) return false;
    if (found.mask === "masked") {
      found.pending = true;
      return true;
    }
    this.#signal(found, index, count);
    return true;
  }

  /**
   * Sets a line: it tells the user when it rises, and again when it is unmasked or somebody begins to listen, as long as it
   * is high. A fall forgets what nobody was told yet.
   */
  drive(index: number, level: "high" | "low", vector = 0): void {
    this.#runtime.scheduler.access(this, "write");
    const line = `${index}.${vector}`;
    const found = this.#vectors.get(index)?.[vector];
    if (level === "low") {
      this.#high.delete(line);
      if (found !== undefined) found.pending = false;
    } else if (!this.#high.has(line)) {
      this.#high.add(line);
      if (found !== undefined && found.trigger !== null) this.#fireIfHigh(found, index, vector);
    }
  }

  /** Whether somebody listens. */
  assigned(index: number, vector = 0): boolean {
    this.#runtime.scheduler.access(this, "read");
    return (this.#vectors.get(index)?.[vector]?.trigger ?? null) !== null;
  }

  /** Whether it came while it was masked: what a pending bit shows. */
  pending(index: number, vector = 0): boolean {
    this.#runtime.scheduler.access(this, "read");
    return this.#vectors.get(index)?.[vector]?.pending === true;
  }

  masked(index: number, vector = 0): boolean {
    this.#runtime.scheduler.access(this, "read");
    return this.#vectors.get(index)?.[vector]?.mask === "masked";
  }

  /** The device stands still: what comes from here on the user is told when it moves again. */
  halt(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#device = "stands still";
  }

  resume(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#device = "moves";
    for (const [index, vectors] of this.#vectors) {
      for (const vector of vectors) {
        if (!vector.pending || vector.mask === "masked") continue;
        vector.pending = false;
        this.#signal(vector, index, 1);
      }
    }
  }

  /** Drops all triggers: the user has gone. */
  clear(): void {
    this.#runtime.scheduler.access(this, "write");
    const listening = [...this.#switches.values()].map(({ index }) => index);
    for (const index of new Set([...this.#vectors.keys(), ...listening])) this.#teardown(index);
  }

  #checkFree({ index, start, eventfds }: ValidIrqSet, action: Switch): void {
    for (const [at, eventfd] of eventfds.entries())
      if (eventfd !== null && this.#switches.has(switchName(action, index, start + at)))
        throw new KernelError(
          "EBUSY",
          `SET_IRQS: an eventfd does ${action.slice(0, -3)} ${index}.${start + at}`,
        );
  }

  /** @param eventfd null: whatever is listened to is let go of */
  #listen(action: Switch, index: number, number: number, eventfd: Eventfd | null): void {
    const name = switchName(action, index, number);
    if (eventfd === null) {
      this.#stopListening(name);
      return;
    }
    const heard = (): void => {
      this.#runtime.scheduler.access(this, "write");
      const vector = this.#vectors.get(index)?.[number];
      if (vector === undefined) return;
      if (action === "mask-by") vector.mask = "masked";
      else this.#unmask(vector, index, number);
    };
    const stop = eventfd.listen?.(heard) ?? (() => undefined);
    this.#switches.set(name, { index, eventfd, stop });
  }

  #stopListening(name: string): void {
    const found = this.#switches.get(name);
    if (found === undefined) return;
    this.#switches.delete(name);
    found.stop();
    found.eventfd.release?.();
  }

  #assign(index: number, start: number, eventfds: readonly (Eventfd | null)[]): void {
    const vectors = this.#vectors.get(index) ?? [];
    const end = start + eventfds.length;
    while (vectors.length < end) vectors.push({ trigger: null, mask: "unmasked", pending: false });
    this.#vectors.set(index, vectors);
    for (const [at, eventfd] of eventfds.entries()) {
      const vector = vectors[start + at] as Vector;
      const former = vector.trigger;
      vector.trigger = eventfd;
      if (former !== eventfd) former?.release?.();
      if (eventfd !== null) this.#fireIfHigh(vector, index, start + at);
    }
  }

  #unmask(vector: Vector, index: number, number: number): void {
    vector.mask = "unmasked";
    if (this.#high.has(`${index}.${number}`)) vector.pending = true;
    if (!vector.pending) return;
    vector.pending = false;
    this.#signal(vector, index, 1);
  }

  #fireIfHigh(vector: Vector, index: number, number: number): void {
    if (!this.#high.has(`${index}.${number}`)) return;
    if (vector.mask === "masked") vector.pending = true;
    else this.#signal(vector, index, 1);
  }

  #signal(vector: Vector, index: number, count: number): void {
    if (this.#device === "stands still" && this.#irqs()[index]?.notice !== true) {
      vector.pending = true;
      return;
    }
    vector.trigger?.signal(count);
    if (this.#irqs()[index]?.automasked === true) vector.mask = "masked";
  }

  #teardown(index: number): void {
    const vectors = this.#vectors.get(index) ?? [];
    this.#vectors.delete(index);
    for (const { trigger } of vectors) trigger?.release?.();
    for (const [name, listening] of [...this.#switches])
      if (listening.index === index) this.#stopListening(name);
  }
}

function switchName(action: Switch, index: number, number: number): string {
  return `${action} ${index}.${number}`;
}

function flagsOf({ eventfd = true, maskable, automasked, noresize }: VfioIrq): number {
  return (
    (eventfd ? IrqFlag.EVENTFD : 0) |
    (maskable === true || automasked === true ? IrqFlag.MASKABLE : 0) |
    (automasked === true ? IrqFlag.AUTOMASKED : 0) |
    (noresize === true ? IrqFlag.NORESIZE : 0)
  );
}
