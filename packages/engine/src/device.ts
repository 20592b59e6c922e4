/** One Dawn device: its memory's account, its errors and its end. */
import type { Clock } from "parhelion-protocol";
import type { DeviceAccount } from "./accounting/account.js";
import { type OwnError, OwnErrorScopes } from "./accounting/error-scopes.js";
import { limitsAsJson } from "./adapter.js";
import type { MemoryOwner } from "./collector.js";
import { type ErrorKind, errorKind } from "./error-kind.js";
import { unwrapMessage } from "./failures.js";

/** How long memory that is free may be counted as used while nobody wants it, in ms. */
const SETTLE_MS = 50;

export type LossReason = "unknown" | "destroyed";
export interface Loss {
  readonly reason: LossReason;
  readonly message: string;
}

/** The device's queue, as far as the device knows it. */
export interface DeviceQueue {
  /** Whether the GPU has finished its submissions; if not, the device's `idle` is called when it has. */
  hasEnded(): boolean;
  uncaptured(kind: ErrorKind, message: string): void;
  deviceLost(loss: Loss): void;
  /** Idempotent. */
  end(reason: Error): void;
}

export class EngineDevice implements MemoryOwner {
  readonly id: number;
  /** Which process it is for. */
  readonly owner: number;
  readonly dawn: GPUDevice;
  readonly account: DeviceAccount;
  readonly scopes = new OwnErrorScopes();
  /** Count of submits until now: what the progress fence will reach. */
  submitted = 0;
  /** Read once: each access asks Dawn for all of them. */
  readonly limits: Readonly<Record<string, number>>;
  /** Set when the host makes the device's queue. */
  queue: DeviceQueue | undefined;
  readonly #onLost: (reason: LossReason, message: string) => void;
  #end: "open" | "wanted" = "open";
  #loss: Loss | undefined;
  readonly #lost: Promise<void>;
  #tellLost: () => void = () => undefined;
  #state: "alive" | "ending" = "alive";
  #settling: "no" | "planned" = "no";
  /** What the application is told of a loss that it has not asked for and that Dawn does not know the reason of. */
  #taken: string | undefined;

  /** @param account what the device itself takes is charged to it already */
  constructor(
    id: number,
    owner: number,
    dawn: GPUDevice,
    account: DeviceAccount,
    onLost: (reason: LossReason, message: string) => void,
  ) {
    this.id = id;
    this.owner = owner;
    this.dawn = dawn;
    this.account = account;
    this.limits = limitsAsJson(dawn.limits);
    dawn.addEventListener("uncapturederror", (event) => {
      // Otherwise the binding prints it.
      event.preventDefault();
      this.queue?.uncaptured(errorKind(event.error), unwrapMessage(event.error.message));
    });
    this.#onLost = onLost;
    this.#lost = new Promise((resolve) => {
      this.#tellLost = resolve;
    });
    void dawn.lost.then(({ reason, message }) => {
      account.close();
      this.condemn(this.#lossOr({ reason, message }));
    });
  }

  /** It is lost, whether Dawn says so or not. The first loss counts. */
  condemn(loss: Loss): void {
    if (this.#loss !== undefined) return;
    this.#loss = loss;
    this.#end = "wanted";
    this.#tellLost();
    this.queue?.deviceLost(loss);
    this.#onLost(loss.reason, loss.message);
  }

  /** Undefined while the device lives. */
  get loss(): Loss | undefined {
    return this.#loss;
  }

  /**
   * Idempotent, as in WebGPU. Dawn would wait for the GPU, and everything else for Dawn: so it is done when the GPU is.
   * @param taken why it is lost to an application that does not destroy it
   */
  destroy(taken?: string): void {
    if (this.#state === "alive") this.#taken = taken;
    this.#state = "ending";
    this.#end = "wanted";
    if (this.queue?.hasEnded() ?? true) this.dawn.destroy();
    else this.condemn(this.#lossOr({ reason: "destroyed", message: "the device was destroyed" }));
  }

  #lossOr(loss: Loss): Loss {
    return this.#taken === undefined ? loss : { reason: "unknown", message: this.#taken };
  }

  /** The GPU has nothing of it any more. */
  idle(): void {
    if (this.#end === "wanted") this.dawn.destroy();
  }

  /** Whether what is created on it can have memory; Dawn makes silent invalid objects on one that is not. */
  get alive(): boolean {
    return this.#state === "alive" && this.#loss === undefined;
  }

  /** Gives an error of our own to whom WebGPU gives one of its kind; errors of a lost device are nobody's. */
  raise(error: OwnError): void {
    if (!this.alive || this.scopes.raise(error) === "caught") return;
    this.queue?.uncaptured(error.kind, error.message);
  }

  get passing(): boolean {
    return this.account.passing;
  }

  get dropped(): number {
    return this.account.dropped;
  }

  /**
   * Dawn frees what was dropped once the work recorded before is done, and writes count as recorded until something is
   * submitted. An application that drops and never submits would keep everything. Resolves when that is over, never rejects.
   */
  async settle(): Promise<void> {
    if (this.#loss !== undefined) return;
    const ignore = () => undefined;
    this.dawn.queue.submit([]);
    const mark = this.account.seal(this.submitted + 1);
    await this.dawn.queue.onSubmittedWorkDone().then(ignore, ignore);
    this.account.pass(mark);
  }

  /** Settles a little later, unless the application's own questions bring it about: nobody is waiting. */
  settleSoon(clock: Clock): void {
    if (this.#settling === "planned" || !this.account.passing || this.#loss !== undefined) return;
    this.#settling = "planned";
    clock.setTimer(SETTLE_MS, () => {
      void this.settle().then(() => {
        this.#settling = "no";
        this.settleSoon(clock);
      });
    });
  }

  /** Resolves when the device is lost, at the latest after `ms`. */
  async goneWithin(clock: Clock, ms: number): Promise<void> {
    let give: () => void = () => undefined;
    const timeout = new Promise<void>((resolve) => {
      give = resolve;
    });
    const timer = clock.setTimer(ms, give);
    await Promise.race([this.#lost, timeout]);
    timer.cancel();
  }
}
