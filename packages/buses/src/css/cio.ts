/**
 * What a driver does with its subchannel: instructions, with the answers that Linux gives for their condition codes
 * (drivers/s390/cio/cio.c). All are for callers that hold the subchannel's lock; none waits.
 */
import { type ErrnoCode, isKernelError } from "parhelion-core";
import { Actl, type Orb, type Schib } from "./layout/index.js";
import type { ConditionCode, CssMachine, SubchannelId } from "./machine.js";

export type CioAnswer = "done" | ErrnoCode;

/** How often a configuration is written before it is given up. */
const configTries = 5;

/** How far `cancelHaltClear` has come: kept from call to call by who wants the subchannel idle. */
export interface Retries {
  left: number;
}

/** What of a subchannel is needed for that. */
export interface CioTarget {
  readonly id: SubchannelId;
  readonly machine: CssMachine;
  schib: Schib;
  lpm: number;
  refresh(): "there" | "gone" | "another";
}

export class Cio {
  readonly #subchannel: CioTarget;

  constructor(subchannel: CioTarget) {
    this.#subchannel = subchannel;
  }

  /** EBUSY status pending or busy, EACCES those paths are gone and others are left, ENODEV none is, EIO the ORB is not valid. */
  start(orb: Orb): CioAnswer {
    const { machine, id } = this.#subchannel;
    let cc: ConditionCode;
    try {
      cc = machine.ssch(id, orb);
    } catch (error) {
      if (isKernelError(error, "EIO")) return "EIO";
      throw error;
    }
    if (cc === 0) return this.#pending(Actl.START_PEND);
    if (cc !== 3) return "EBUSY";
    this.#subchannel.lpm &= ~orb.lpm;
    return this.update() === "done" && this.#subchannel.lpm !== 0 ? "EACCES" : "ENODEV";
  }

  /** EBUSY status pending or busy, ENODEV. */
  halt(): CioAnswer {
    const { machine, id } = this.#subchannel;
    const cc = machine.hsch(id);
    return cc === 0 ? this.#pending(Actl.HALT_PEND) : cc === 3 ? "ENODEV" : "EBUSY";
  }

  /** ENODEV. */
  clear(): CioAnswer {
    const { machine, id } = this.#subchannel;
    return machine.csch(id) === 0 ? this.#pending(Actl.CLEAR_PEND) : "ENODEV";
  }

  /** EBUSY status pending, EINVAL nothing to resume, ENODEV. */
  resume(): CioAnswer {
    const { machine, id } = this.#subchannel;
    const cc = machine.rsch(id);
    if (cc === 0) return this.#pending(Actl.RESUME_PEND);
    return cc === 1 ? "EBUSY" : cc === 2 ? "EINVAL" : "ENODEV";
  }

  /** Takes a start back that has not begun. EBUSY status pending, EINVAL it has begun, ENODEV. */
  cancel(): CioAnswer {
    const { machine, id } = this.#subchannel;
    const cc = machine.xsch(id);
    if (cc === 0) return this.update();
    return cc === 1 ? "EBUSY" : cc === 2 ? "EINVAL" : "ENODEV";
  }

  /** Looks at the subchannel again. ENODEV it is gone, or another device is there. */
  update(): CioAnswer {
    return this.#subchannel.refresh() === "there" ? "done" : "ENODEV";
  }

  /** EBUSY status was pending again and again, ENODEV. */
  enable(intparm: number, isc: number): CioAnswer {
    return this.#configure({ ena: 1, intparm, isc });
  }

  /** EBUSY something is under way: see `cancelHaltClear`. ENODEV. */
  disable(): CioAnswer {
    if (this.update() !== "done") return "ENODEV";
    if (this.#subchannel.schib.scsw.actl !== 0) return "EBUSY";
    return this.#configure({ ena: 0, intparm: 0 });
  }

  /**
   * Ends what is under way by the mildest means that works: takes it back, halts, clears. Done: nothing was. EBUSY: wait
   * for an interruption, then call it again. EIO: nothing helps. ENODEV.
   */
  cancelHaltClear(retries: Retries): CioAnswer {
    if (this.update() !== "done") return "ENODEV";
    const { pmcw, scsw } = this.#subchannel.schib;
    if (pmcw.ena === 0) return "done";
    if ((scsw.actl & (Actl.HALT_PEND | Actl.CLEAR_PEND)) === 0) {
      const cancelled = this.cancel();
      if (cancelled !== "EINVAL") return cancelled;
      retries.left = 3;
    }
    if ((scsw.actl & Actl.CLEAR_PEND) === 0) {
      while (retries.left > 0) {
        retries.left -= 1;
        const halted = this.halt();
        if (halted !== "EBUSY") return halted === "done" ? "EBUSY" : halted;
      }
      retries.left = 255;
    }
    if (retries.left === 0) return "EIO";
    retries.left -= 1;
    const cleared = this.clear();
    return cleared === "done" ? "EBUSY" : cleared;
  }

  #configure(change: Partial<Schib["pmcw"]>): CioAnswer {
    const { machine, id } = this.#subchannel;
    const wanted = { ...this.#subchannel.schib, pmcw: { ...this.#subchannel.schib.pmcw, ...change } };
    for (let tries = 0; tries < configTries; tries += 1) {
      const cc = machine.msch(id, wanted);
      if (cc === 0) return this.update();
      if (cc === 3) return "ENODEV";
      // What is pending belongs to nobody: it is taken, and dropped.
      if (cc === 2 || machine.tsch(id).cc !== 0) return "EBUSY";
    }
    return "EBUSY";
  }

  #pending(actl: number): CioAnswer {
    const { schib } = this.#subchannel;
    this.#subchannel.schib = { ...schib, scsw: { ...schib.scsw, actl: schib.scsw.actl | actl } };
    return "done";
  }
}
