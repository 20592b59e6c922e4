/**
 * One device's part of the slice's ledger. An object counts from before its creation until the GPU has passed the work that was
 * recorded when it was destroyed, or when Dawn's JavaScript object for it was collected: what the application dropped still holds
 * its memory in between.
 */
import type { SliceLedger } from "./ledger.js";
import { Passage, type Passed } from "./passage.js";
import { stagingBytes } from "./sizes.js";

interface Holding {
  bytes: number;
  /** "dropped": the application has no name for it, the collector has not come by. */
  state: "named" | "dropped";
}

export class DeviceAccount {
  readonly ledger: SliceLedger;
  readonly #collected = new FinalizationRegistry<Holding>((holding) => this.#leave(holding));
  readonly #holdings = new WeakMap<object, Holding>();
  readonly #passage = new Passage();
  #bytes = 0;
  /** Bytes of `#bytes` that are for staging. */
  #staging = 0;
  #dropped = 0;
  #state: "open" | "closed" = "open";

  constructor(ledger: SliceLedger) {
    this.ledger = ledger;
  }

  /** Bytes that the device is charged for now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of writes and commands that the GPU has not passed. */
  get inFlight(): number {
    return this.#passage.flight;
  }

  /** Whether something becomes free by nothing but the GPU's progress. */
  get passing(): boolean {
    return this.#passage.state === "waiting";
  }

  /** @returns whether the slice has room for the bytes: then they are the device's. Always, on a device that is gone */
  take(bytes: number): boolean {
    if (this.#state === "closed") return true;
    if (!this.ledger.take(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Gives back what was taken and then not used. */
  giveBack(bytes: number): void {
    if (this.#state === "closed") return;
    this.#bytes -= bytes;
    this.ledger.giveBack(bytes);
  }

  /** `bytes` that were taken are this object's from now on. */
  hold(object: object, bytes: number): void {
    if (this.#state === "closed") return;
    const holding: Holding = { bytes, state: "named" };
    this.#holdings.set(object, holding);
    this.#collected.register(object, holding);
  }

  /** The object was destroyed. @returns bytes that it held until now */
  free(object: object): number {
    const holding = this.#holdings.get(object);
    return holding === undefined ? 0 : this.#leave(holding);
  }

  /** The application has no name for the object any more. @returns bytes that it still holds */
  drop(object: object): number {
    const holding = this.#holdings.get(object);
    if (holding === undefined || holding.bytes === 0 || this.#state === "closed") return 0;
    if (holding.state === "named") this.#dropped += holding.bytes;
    holding.state = "dropped";
    return holding.bytes;
  }

  /** Bytes of dropped objects that the collector has not found, or that something else still uses. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes what staging `bytes` of a write needs. @returns whether there was room */
  stage(bytes: number): boolean {
    if (this.#state === "closed") return true;
    const more = stagingBytes(this.#passage.staging + bytes) - this.#staging;
    if (more > 0 && !this.take(more)) return false;
    if (more > 0) this.#staging += more;
    this.#passage.write(bytes);
    this.ledger.countInFlight(bytes);
    return true;
  }

  /** What `stage` would take now. */
  stagingNeed(bytes: number): number {
    return Math.max(0, stagingBytes(this.#passage.staging + bytes) - this.#staging);
  }

  /** Commands were recorded that a submit covers. */
  record(bytes: number): void {
    if (this.#state === "closed" || bytes <= 0) return;
    this.#passage.record(bytes);
    this.ledger.countInFlight(bytes);
  }

  /** See Passage.seal. */
  seal(submit: number): object | undefined {
    return this.#passage.seal(submit);
  }

  pass(mark: object | undefined): void {
    this.#passed(this.#passage.pass(mark));
  }

  passSubmit(submit: number): void {
    this.#passed(this.#passage.passSubmit(submit));
  }

  /** The device is gone and took everything with it. Idempotent. */
  close(): void {
    if (this.#state === "closed") return;
    this.ledger.countInFlight(-this.#passage.passAll().flight);
    this.#state = "closed";
    this.ledger.giveBack(this.#bytes);
    this.#bytes = 0;
    this.#dropped = 0;
  }

  #leave(holding: Holding): number {
    const { bytes } = holding;
    holding.bytes = 0;
    if (holding.state === "dropped" && this.#state === "open") this.#dropped -= bytes;
    if (this.#state === "open" && bytes > 0) this.#passage.leave(bytes);
    return bytes;
  }

  #passed({ flight, memory }: Passed): void {
    if (this.#state === "closed") return;
    this.ledger.countInFlight(-flight);
    const staging = this.#staging === 0 ? 0 : this.#staging - stagingBytes(this.#passage.staging);
    this.#staging -= staging;
    this.giveBack(memory + staging);
  }
}
