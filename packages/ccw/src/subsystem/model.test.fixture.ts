/**
 * What a subchannel with one path should do, thought out a second time: as the few situations that a driver can tell
 * apart, not as bits. Its device takes commands and ends them when it is told to.
 */
import { Actl, Fctl, Stctl } from "parhelion-buses";

export const operations = [
  "ssch",
  "ssch suspending",
  "hsch",
  "csch",
  "rsch",
  "xsch",
  "tsch",
  "disable",
  "enable",
  "time passes",
  "device ends",
  "device calls",
  "path goes",
  "path comes",
] as const;

export type Operation = (typeof operations)[number];

/** What can be seen of a subchannel. */
export interface Seen {
  readonly fctl: number;
  readonly actl: number;
  readonly stctl: number;
  readonly cc: number;
}

type Stage = "none" | "to begin" | "works" | "suspended" | "to resume";

/** What is over, and waits to be collected. */
type Result =
  | "none"
  | "ended"
  | "cut off"
  | "halted"
  | "halted while suspended"
  | "cleared"
  | "called"
  | "deferred";

/** What is on its way, and waits to be collected. */
type News = "none" | "some";

const activity: Readonly<Record<Stage, number>> = {
  none: 0,
  "to begin": Actl.START_PEND,
  works: Actl.SCHACT | Actl.DEVACT,
  suspended: Actl.SUSPENDED,
  "to resume": Actl.SUSPENDED | Actl.RESUME_PEND,
};

const said: Readonly<Record<Result, number>> = {
  none: 0,
  ended: Stctl.PRIM | Stctl.SEC | Stctl.PEND,
  "cut off": Stctl.ALERT | Stctl.PRIM | Stctl.SEC | Stctl.PEND,
  halted: Stctl.PEND,
  "halted while suspended": Stctl.PRIM | Stctl.PEND,
  cleared: Stctl.PEND,
  called: Stctl.ALERT | Stctl.PEND,
  deferred: Stctl.ALERT | Stctl.PEND,
};

const ofStart: readonly Result[] = ["ended", "cut off", "deferred"];

export class SubchannelModel {
  #power: "enabled" | "disabled" = "enabled";
  #path: "there" | "gone" = "there";
  #stage: Stage = "none";
  /** Whether the program is suspended as soon as it goes on. */
  #kind: "works" | "suspends" = "works";
  /** Whether its path went while it was suspended. */
  #hold: "kept" | "lost" = "kept";
  #halt: "no" | "asked" | "done" = "no";
  #clear: "no" | "asked" | "done" = "no";
  #news: News = "none";
  #result: Result = "none";
  #call: "none" | "waits" = "none";
  /** A resume of what is not suspended: for the next time that it is. */
  #ahead: "no" | "asked" = "no";

  /** Functions that were asked for are carried out meanwhile. */
  pass(): void {
    if (this.#clear === "asked") {
      this.#clear = "done";
      this.#result = "cleared";
      this.#call = "none";
      return;
    }
    if (this.#stage === "to resume" && this.#hold === "lost") this.#end("cut off");
    else if (this.#stage === "to begin" || this.#stage === "to resume") {
      this.#stage = this.#kind === "works" ? "works" : "suspended";
      // The program is looked at again, and is suspended all the same.
      if (this.#stage === "suspended") this.#ahead = "no";
      this.#news = "some";
    }
    if (this.#halt === "asked" && this.#result === "none") this.#stop();
  }

  /** @returns the condition code; null where there is none */
  apply(operation: Operation): number | null {
    switch (operation) {
      case "time passes":
        return null;
      case "device ends":
        if (this.#stage === "works") this.#end("ended");
        return null;
      case "device calls":
        this.#onCall();
        return null;
      case "path goes":
        this.#path = "gone";
        if (this.#stage === "works") this.#end("cut off");
        else if (this.#stage !== "none") this.#hold = "lost";
        return null;
      case "path comes":
        this.#path = "there";
        return null;
      case "ssch":
      case "ssch suspending":
      case "hsch":
      case "csch":
      case "rsch":
      case "xsch":
      case "tsch":
      case "disable":
      case "enable":
        return this.#instruct(operation);
    }
  }

  get seen(): Seen {
    const { fctl, actl } = this.#functions;
    const news = this.#news === "some" ? Stctl.INTER | Stctl.PEND : 0;
    return { fctl, actl, stctl: news | said[this.#result], cc: this.#result === "deferred" ? 1 : 0 };
  }

  get #functions(): { readonly fctl: number; readonly actl: number } {
    if (this.#clear === "asked") return { fctl: Fctl.CLEAR, actl: Actl.CLEAR_PEND };
    if (this.#clear === "done") return { fctl: Fctl.CLEAR, actl: 0 };
    const start = this.#stage !== "none" || ofStart.includes(this.#result) ? Fctl.START : 0;
    const halt = this.#halt === "no" ? 0 : Fctl.HALT;
    const asked = this.#halt === "asked" ? Actl.HALT_PEND : 0;
    const ahead = this.#ahead === "no" ? 0 : Actl.RESUME_PEND;
    return { fctl: start | halt, actl: activity[this.#stage] | asked | ahead };
  }

  get #status(): "none" | "news" | "result" {
    if (this.#result !== "none") return "result";
    return this.#news === "some" ? "news" : "none";
  }

  get #busy(): boolean {
    return this.#stage !== "none" || this.#halt !== "no" || this.#clear !== "no";
  }

  #instruct(operation: Operation): number {
    if (operation === "disable" || operation === "enable") return this.#modify(`${operation}d`);
    if (this.#power === "disabled") return 3;
    if (operation === "csch") return this.#onClear();
    if (operation === "hsch") return this.#onHalt();
    if (operation === "tsch") return this.#collect();
    if (this.#status !== "none") return 1;
    if (operation === "rsch") return this.#resume();
    if (operation === "xsch") return this.#cancel();
    return this.#start(operation === "ssch" ? "works" : "suspends");
  }

  #modify(power: "enabled" | "disabled"): number {
    if (this.#status !== "none") return 1;
    if (this.#busy) return 2;
    this.#power = power;
    return 0;
  }

  #start(kind: "works" | "suspends"): number {
    if (this.#busy) return 2;
    if (this.#path === "gone") return 3;
    this.#stage = "to begin";
    this.#kind = kind;
    this.#hold = "kept";
    return 0;
  }

  #resume(): number {
    if (this.#stage === "none" || this.#stage === "to resume") return 2;
    if (this.#halt !== "no" || this.#ahead === "asked") return 2;
    if (this.#stage === "suspended") this.#stage = "to resume";
    else this.#ahead = "asked";
    return 0;
  }

  #cancel(): number {
    if (this.#stage !== "to begin" || this.#halt !== "no") return 2;
    this.#forget();
    return 0;
  }

  #onHalt(): number {
    if (this.#status === "result") return 1;
    if (this.#halt !== "no" || this.#clear !== "no") return 2;
    this.#news = "none";
    this.#halt = "asked";
    return 0;
  }

  #onClear(): number {
    this.#call = "none";
    this.#forget();
    this.#clear = "asked";
    return 0;
  }

  #collect(): number {
    if (this.#status === "none") return 1;
    if (this.#status === "news") this.#news = "none";
    else this.#forget();
    return 0;
  }

  #stop(): void {
    this.#halt = "done";
    if (this.#stage === "works") this.#end("ended");
    else this.#result = this.#stage === "suspended" ? "halted while suspended" : "halted";
  }

  #end(result: Result): void {
    this.#stage = "none";
    this.#ahead = "no";
    this.#result = result;
  }

  #onCall(): void {
    if (this.#power === "disabled") return;
    if (this.#stage === "to begin" && this.#halt === "no") {
      this.#end("deferred");
      return;
    }
    this.#call = "waits";
    this.#answerCall();
  }

  #answerCall(): void {
    if (this.#call === "none" || this.#busy || this.#status !== "none") return;
    this.#call = "none";
    this.#result = "called";
  }

  #forget(): void {
    this.#stage = "none";
    this.#ahead = "no";
    this.#halt = "no";
    this.#clear = "no";
    this.#news = "none";
    this.#result = "none";
    this.#answerCall();
  }
}
