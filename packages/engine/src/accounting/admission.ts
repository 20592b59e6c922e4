/**
 * Asked before anything is allocated for one queue. When there is no room but something may become free by itself, the command
 * waits at the head of its queue, a bounded number of times; then it is refused, as an error that only the program sees.
 */
import { CommandDeferred } from "parhelion-protocol";
import type { DeviceAccount } from "./account.js";
import { ledgerMessage } from "./ledger.js";

export interface AdmissionOptions {
  readonly account: DeviceAccount;
  /** Whether waiting could help. */
  readonly hopeful: () => boolean;
  /** See Reclaimer. */
  readonly reclaim: (round: number) => Promise<void>;
}

/** What a deferred command waits for. */
export type Shortage =
  /** Collected garbage and finished work; `round` counts from 1. */
  | { readonly of: "memory"; readonly round: number }
  /** The GPU's progress with what it was given already. */
  | { readonly of: "flight" };

/** How often one command waits for memory before it is refused: for the GPU, for the collector, for the GPU again. */
const ROUNDS = 3;

export class Admission {
  /** Whether commands may wait; otherwise they are decided at once. */
  patience: "patient" | "hurried" = "patient";
  readonly #options: AdmissionOptions;
  #rounds = 0;
  #shortage: Shortage = { of: "flight" };

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Why the last command was deferred. */
  get shortage(): Shortage {
    return this.#shortage;
  }

  /**
   * @param what the command, for the message
   * @returns undefined when the bytes were taken, else why they were refused
   * @throws CommandDeferred: nothing was taken, ask again later
   */
  memory(bytes: number, what: string): string | undefined {
    const { account } = this.#options;
    if (account.take(bytes)) return this.#granted();
    return this.#wait(bytes) ?? this.#refuse(bytes, what);
  }

  /** As `memory`, for a command that nobody waits for: it does not hold up its queue. */
  async memoryLater(bytes: number, what: string): Promise<string | undefined> {
    const { account, hopeful, reclaim } = this.#options;
    for (let round = 1; !account.take(bytes); round += 1) {
      if (round > ROUNDS || !account.ledger.couldEverHold(bytes) || !hopeful())
        return ledgerMessage(what, account.ledger.refuseMemory(bytes));
      await reclaim(round);
    }
    return undefined;
  }

  /** As `memory`, for what staging a write of `bytes` needs. */
  staging(bytes: number, what: string): string | undefined {
    const { account } = this.#options;
    if (account.stage(bytes)) return this.#granted();
    const need = account.stagingNeed(bytes);
    return this.#wait(need) ?? this.#refuse(need, what);
  }

  /** Call before a write or a submit is begun. @throws CommandDeferred while too much is in flight */
  flight(bytes: number): void {
    const { account } = this.#options;
    const { ledger } = account;
    // A queue with nothing in flight goes on whatever the others have: it would wait for nothing of its own.
    if (ledger.inFlight + bytes <= ledger.quota.bytesInFlight || account.inFlight === 0) return;
    if (this.patience === "hurried") return;
    this.#shortage = { of: "flight" };
    throw new CommandDeferred();
  }

  #granted(): undefined {
    this.#rounds = 0;
    return undefined;
  }

  #wait(bytes: number): undefined {
    const { account, hopeful } = this.#options;
    const worthwhile = account.ledger.couldEverHold(bytes) && this.#rounds < ROUNDS && hopeful();
    if (!worthwhile || this.patience === "hurried") return;
    this.#rounds += 1;
    this.#shortage = { of: "memory", round: this.#rounds };
    throw new CommandDeferred();
  }

  #refuse(bytes: number, what: string): string {
    this.#rounds = 0;
    return ledgerMessage(what, this.#options.account.ledger.refuseMemory(bytes));
  }
}
