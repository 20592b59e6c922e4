/**
 * Turns for queues. Replaying is synchronous, so a queue that is never empty would keep all others, and the sockets, from
 * being served: each gets a budget, then the next, and between two rounds the event loop runs.
 */
import { setImmediate } from "node:timers";

export interface Turns {
  /** Works until its budget is used up; says whether it stopped for the budget ("more") or for lack of work. */
  turn(): "more" | "idle";
}

export class Scheduler {
  #ready: Turns[] = [];
  readonly #enlisted = new Set<Turns>();
  #round: "none" | "planned" | "running" = "none";

  /** `who` has work. It runs at once when nobody else does, so that a lone queue has no added latency. */
  ready(who: Turns): void {
    if (this.#enlisted.has(who)) return;
    this.#enlist(who);
    if (this.#round === "none") this.#run();
  }

  remove(who: Turns): void {
    if (this.#enlisted.delete(who)) this.#ready = this.#ready.filter((each) => each !== who);
  }

  #enlist(who: Turns): void {
    this.#enlisted.add(who);
    this.#ready.push(who);
  }

  #run(): void {
    this.#round = "running";
    try {
      // Those that become ready meanwhile wait for the next round.
      for (let left = this.#ready.length; left > 0; left--) {
        const who = this.#ready.shift();
        if (who === undefined) break;
        this.#enlisted.delete(who);
        if (who.turn() === "more" && !this.#enlisted.has(who)) this.#enlist(who);
      }
    } finally {
      this.#round = "none";
      if (this.#ready.length > 0) {
        this.#round = "planned";
        setImmediate(() => this.#run());
      }
    }
  }
}
