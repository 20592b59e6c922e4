/** What the bus tells subchannels of their channel paths, and which of them software has varied off. */
import { type Named, noDeadline, type Runtime } from "parhelion-core";
import type { ChpEvent, ChpLink } from "./event.js";
import type { Subchannel } from "./subchannel.js";

export class Paths implements Named {
  readonly name = "channel paths varied off";
  readonly #runtime: Runtime;
  readonly #variedOff = new Set<number>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** The mask of those paths that are not varied off. */
  operable(pim: number, chpid: Uint8Array): number {
    this.#runtime.scheduler.access(this, "read");
    let mask = 0xff;
    chpid.forEach((id, at) => {
      if ((pim & (0x80 >> at)) !== 0 && this.#variedOff.has(id)) mask &= ~(0x80 >> at);
    });
    return mask;
  }

  /** @returns whether that is a change */
  vary(chpid: number, to: "on" | "off"): boolean {
    this.#runtime.scheduler.access(this, "write");
    if (to === "on") return this.#variedOff.delete(chpid);
    if (this.#variedOff.has(chpid)) return false;
    this.#variedOff.add(chpid);
    return true;
  }

  /** Tells the subchannel if that path is one of its own. One that is gone is left to its evaluation. */
  async event(subchannel: Subchannel, chpid: number, event: ChpEvent): Promise<void> {
    await locked(subchannel, async () => {
      if (subchannel.refresh() !== "there") return;
      const link = subchannel.linkOf(chpid);
      if (link !== null) await this.#tell(subchannel, link, event);
    });
  }

  /**
   * Looks at the subchannel again, and tells it of the paths that have come and gone meanwhile: a report may have been lost.
   */
  reconcile(subchannel: Subchannel): Promise<"there" | "gone" | "another"> {
    return locked(subchannel, async () => {
      const found = subchannel.refresh();
      if (found !== "there") return found;
      const { pam, pim, chpid } = subchannel.schib.pmcw;
      const changed = (pam ^ subchannel.known) & pim;
      for (const [at, id] of chpid.entries()) {
        const mask = 0x80 >> at;
        if ((changed & mask) === 0) continue;
        await this.#tell(subchannel, { chpid: id, mask }, (pam & mask) === 0 ? "OFFLINE" : "ONLINE");
      }
      return found;
    });
  }

  /** Under the subchannel's lock. */
  async #tell(subchannel: Subchannel, link: ChpLink, event: ChpEvent): Promise<void> {
    if (!change(subchannel, link, event)) return;
    const callbacks = subchannel.publication.underLock();
    const answer = (await callbacks?.chpEvent?.(link, event)) ?? "done";
    if (answer === "done" || event !== "OFFLINE") return;
    subchannel.lpm = 0;
    subchannel.schedule("evaluate");
  }
}

/** Carries the event over to the masks. @returns false: the subchannel knows that already */
function change(subchannel: Subchannel, { mask }: ChpLink, event: ChpEvent): boolean {
  switch (event) {
    case "OFFLINE":
      if ((subchannel.known & mask) === 0) return false;
      subchannel.known &= ~mask;
      subchannel.lpm &= ~mask;
      return true;
    case "ONLINE":
      if ((subchannel.known & mask) !== 0) return false;
      subchannel.known |= mask;
      subchannel.lpm |= mask & subchannel.opm;
      return true;
    case "VARY_OFF":
      subchannel.opm &= ~mask;
      subchannel.lpm &= ~mask;
      return true;
    case "VARY_ON":
      subchannel.opm |= mask;
      subchannel.lpm |= mask & subchannel.known;
      return true;
    case "FCES":
      return true;
  }
}

function locked<T>(subchannel: Subchannel, fn: () => Promise<T>): Promise<T> {
  return subchannel.lock.withLock(fn, { deadline: noDeadline });
}
