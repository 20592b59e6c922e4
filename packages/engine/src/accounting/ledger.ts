/**
 * What one slice uses of what the host granted it, over all its devices. Whoever wants memory asks here first: what was not
 * granted is not allocated. Taking and giving back are two additions, because every command that creates something does it.
 */
import type { EngineMemory, EngineQuota } from "parhelion-protocol";

/** Why something was not given, for programs; `ledgerMessage` says it to people. */
export interface LedgerRefusal {
  readonly code: "limit-reached";
  /** UUID of the slice. */
  readonly slice: string;
  readonly rule: "memoryBytes" | "objects";
  readonly limit: number;
  readonly used: number;
  readonly wanted: number;
  readonly remedy: string;
}

export class SliceLedger {
  readonly slice: string;
  /** Told when any number of `memory` is another one; called often. */
  onChange: () => void = () => undefined;
  #quota: EngineQuota;
  #used = 0;
  #peak = 0;
  #refused = 0;
  /** Handles in use on all queues. */
  #objects = 0;
  /** Bytes that the GPUs' queues have not passed yet. */
  #inFlight = 0;

  constructor(slice: string, quota: EngineQuota) {
    this.slice = slice;
    this.#quota = quota;
  }

  get quota(): EngineQuota {
    return this.#quota;
  }

  get memory(): EngineMemory {
    return { used: this.#used, peak: this.#peak, refused: this.#refused };
  }

  get used(): number {
    return this.#used;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** What is in use beyond a smaller grant stays in use; nothing is granted until it fits. */
  setQuota(quota: EngineQuota): void {
    this.#quota = quota;
  }

  /** @returns whether the bytes are granted: then they are in use until they are given back */
  take(bytes: number): boolean {
    const used = this.#used + bytes;
    if (used > this.#quota.memoryBytes) return false;
    this.#used = used;
    if (used > this.#peak) this.#peak = used;
    this.onChange();
    return true;
  }

  giveBack(bytes: number): void {
    if (bytes === 0) return;
    this.#used -= bytes;
    this.onChange();
  }

  /** Whether `bytes` could be granted if nothing else were in use. */
  couldEverHold(bytes: number): boolean {
    return bytes <= this.#quota.memoryBytes;
  }

  /** Whoever asked is told no for good. */
  refuseMemory(wanted: number): LedgerRefusal {
    this.#refused += 1;
    this.onChange();
    const limit = this.#quota.memoryBytes;
    const remedy =
      wanted > limit
        ? "ask for less, or have the host resize the slice"
        : "destroy what is not needed, or have the host resize the slice";
    return this.#refusal("memoryBytes", limit, this.#used, wanted, remedy);
  }

  refuseObject(): LedgerRefusal {
    this.#refused += 1;
    this.onChange();
    return this.#refusal(
      "objects",
      this.#quota.objects,
      this.#objects,
      1,
      "drop what is not needed, or have the host raise the slice's objects",
    );
  }

  countObjects(more: number): void {
    this.#objects += more;
  }

  /** Handles that a queue may have which has `own` of them now. */
  objectsFor(own: number): number {
    return Math.max(0, this.#quota.objects - (this.#objects - own));
  }

  countInFlight(more: number): void {
    this.#inFlight += more;
  }

  #refusal(rule: LedgerRefusal["rule"], limit: number, used: number, wanted: number, remedy: string) {
    return { code: "limit-reached", slice: this.slice, rule, limit, used, wanted, remedy } as const;
  }
}

/** @param what e.g. "createBuffer" */
export function ledgerMessage(what: string, refusal: LedgerRefusal): string {
  const { code, slice, rule, limit, used, wanted, remedy } = refusal;
  const unit = rule === "memoryBytes" ? "bytes" : "objects";
  return `${what}: ${wanted} more ${unit} do not fit slice ${slice} (${code}: ${rule} is ${limit}, used ${used}, wanted ${wanted}); ${remedy}`;
}
