/** One engine's side of its slice's time, as messages to its child and signals. It takes part from its start to its end. */
import type { ToEngine } from "parhelion-protocol";
import type { Lease, Runner, TimeShare } from "../time/time-share.js";
import type { EngineChild } from "./engine-child.js";

export class EngineTurns implements Runner {
  readonly #share: TimeShare;
  readonly #child: EngineChild;
  readonly #send: (message: ToEngine) => void;
  #state: "new" | "joined" | "ended" = "new";
  #pausable = false;

  constructor(share: TimeShare, child: EngineChild, send: (message: ToEngine) => void) {
    this.#share = share;
    this.#child = child;
    this.#send = send;
  }

  get pausable(): boolean {
    return this.#pausable;
  }

  /** How long the engine has been paused until now, in ms. */
  get pausedMs(): number {
    return this.#share.pausedFor(this);
  }

  /** The engine is ready. @param pausable whether it computes by itself and ends with its host even while it is paused */
  begin(pausable: boolean): void {
    if (this.#state !== "new") return;
    this.#state = "joined";
    this.#pausable = pausable;
    this.#share.join(this);
  }

  want(): void {
    this.#share.want(this);
  }

  yielded(lease: number, next: "idle" | "waiting"): void {
    this.#share.yielded(this, lease, next);
  }

  used(busyMs: number): void {
    this.#share.used(busyMs);
  }

  /** It ends, or has ended: it is not paused, nor will it be. Idempotent. */
  end(): void {
    this.#state = "ended";
    this.#share.leave(this);
  }

  lease(lease: Lease): void {
    this.#send({ op: "lease", ...lease });
  }

  recall(lease: number): void {
    this.#send({ op: "recall", lease });
  }

  pause(): void {
    this.#child.pause();
  }

  resume(): void {
    this.#child.resume();
  }
}
