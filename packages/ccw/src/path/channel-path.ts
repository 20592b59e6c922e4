/**
 * A channel path of the machine. "available" is what its operator decides and what is reported; "link" is whether a device
 * answers on it, which is found out by trying.
 */
import type { Named, Runtime } from "parhelion-core";

export interface ChannelPathHooks {
  /** It was configured; the subchannels and their software are to be told. */
  configured(path: ChannelPath): void;
}

export class ChannelPath implements Named {
  /** 0 to 255. */
  readonly chpid: number;
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #hooks: ChannelPathHooks;
  #state: "available" | "not available" = "available";
  #link: "up" | "down" = "up";

  constructor(runtime: Runtime, chpid: number, hooks: ChannelPathHooks) {
    this.chpid = chpid;
    this.name = `channel path ${chpid.toString(16).padStart(2, "0")}`;
    this.#runtime = runtime;
    this.#hooks = hooks;
  }

  get state(): "available" | "not available" {
    this.#runtime.scheduler.access(this, "read");
    return this.#state;
  }

  get link(): "up" | "down" {
    this.#runtime.scheduler.access(this, "read");
    return this.#link;
  }

  /** What runs over a path that goes offline ends with an interface control check. */
  configure(to: "online" | "offline"): void {
    const state = to === "online" ? "available" : "not available";
    this.#runtime.scheduler.access(this, "write");
    if (this.#state === state) return;
    this.#state = state;
    this.#hooks.configured(this);
  }

  /** The cable: no report is made of it. A start that tries a path that is down finds it not operational. */
  plug(link: "up" | "down"): void {
    this.#runtime.scheduler.access(this, "write");
    this.#link = link;
  }
}
