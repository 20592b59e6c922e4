/**
 * The subchannel of one mediated device, driven by the state machine (after drivers/s390/cio/vfio_ccw_fsm.c).
 *
 * One lock guards it all, the subchannel's: the one that interruptions and path events hold. Nobody sleeps in it, so what
 * an event means is decided in one piece, and what takes time happens before or after: a channel program is translated
 * first, and is its translator's own until it is started; closing forbids everything, then waits for the device to let go.
 * What an interruption means is decided in its handler; only telling the user is left for later.
 */
import {
  Actl,
  type CioAnswer,
  type Irb,
  type Orb,
  orb as orbLayout,
  type Scsw,
  Stctl,
  type Subchannel,
} from "parhelion-buses";
import {
  Completion,
  type ErrnoCode,
  isKernelError,
  type Named,
  noDeadline,
  type Runtime,
  WaitQueue,
} from "parhelion-core";
import { actionOf, type FsmAction, type FsmState } from "./fsm.js";
import type { HostStorage } from "./host-storage.js";
import { ChannelProgram } from "./program/channel-program.js";
import type { GuestMemory } from "./program/guest-memory.js";
import { translate } from "./program/translate.js";

/** What a request of the user is answered with. */
export type Answer = "done" | ErrnoCode;

export interface SubchannelIoInit {
  readonly subchannel: Subchannel;
  /** The device that the user has: this is a part of it. */
  readonly owner: string;
  readonly memory: GuestMemory;
  readonly storage: HostStorage;
  /** How long closing waits for a device that does not let go. */
  readonly quiesceMs: number;
  /** Each interruption that the user is to be told of. Called with the lock held. @param irb its address is the user's */
  interrupted(irb: Irb): void;
}

/** Interruption subclass (Linux: VFIO_CCW_ISC). */
const interruptionSubclass = 3;
/** How long one attempt to stop a device is waited for (Linux: 3 * HZ). */
const attemptMs = 3000;

export class SubchannelIo implements Named {
  readonly name: string;
  protected readonly runtime: Runtime;
  protected readonly init: SubchannelIoInit;
  /** Told when a program is freed. */
  readonly #freed: WaitQueue;
  #frees = 0;
  protected fsm: FsmState = "standby";
  /** Tells a translation that it was overtaken. */
  #closings = 0;
  /** What the subchannel has. */
  protected started: ChannelProgram | null = null;
  readonly #translating = new Set<ChannelProgram>();
  /** Completed by the next interruption: somebody waits for the device to stop. */
  #progress: Completion | null = null;

  constructor(init: SubchannelIoInit) {
    this.name = `state machine of ${init.owner}`;
    this.runtime = init.subchannel.runtime;
    this.init = init;
    this.#freed = new WaitQueue(this.runtime, `freed programs of ${init.owner}`);
  }

  /** At this moment. */
  state(): Promise<FsmState> {
    return this.locked(() => this.fsm);
  }

  /** Not beside another open or close. @returns the state afterwards: "idle", or "not-oper" */
  open(): Promise<FsmState> {
    return this.locked(() => {
      const action = actionOf(this.fsm, "open");
      const { cio, id } = this.init.subchannel;
      if (action === "open" && cio.enable(id.schno, interruptionSubclass) === "done") this.fsm = "idle";
      else if (action !== "nothing") this.giveUp();
      return this.fsm;
    });
  }

  /**
   * Ends what runs, disables the subchannel, and frees what was pinned, in `quiesceMs` whatever the device does. Not beside
   * another open or close.
   */
  async close(): Promise<void> {
    const left = await this.locked(() => this.#beginClose());
    if (left === null) return;
    const answer = await this.#disable();
    await this.locked(() => {
      // Not before: the device may have used it until here. From here on it can't, whether it has let go or not.
      if (left.program !== null) this.free(left.program);
      if (answer !== "done" && this.fsm === "standby") this.giveUp();
    });
  }

  /**
   * Starts a channel program.
   * @returns EIO not open, or closed meanwhile; EAGAIN, EBUSY another one is there; EBUSY the subchannel is; EACCES,
   * ENODEV no path @throws KernelError what `translate` says
   */
  async start(orb: Orb): Promise<Answer> {
    const { name } = this.init.subchannel;
    if (orb.pfch === 0) this.runtime.log("warn", "vfio-ccw.no-prefetch", { subchannel: name });
    const begun = await this.locked(() => this.#beginStart());
    if (typeof begun === "string") return begun;
    const { program, closings } = begun;
    const failure = await translate(program, orb);
    return this.locked(() => {
      this.#translating.delete(program);
      const overtaken = this.#closings !== closings;
      const answer = overtaken ? "EIO" : (failure?.code ?? this.#ssch(program));
      if (answer === "done") {
        this.started = program;
        this.fsm = "cp-pending";
        return answer;
      }
      this.free(program);
      if (overtaken) return answer;
      this.fsm = "idle";
      if (failure !== null) throw failure;
      return answer;
    });
  }

  /** What is written where a start is, and is none. @returns what the state says, or else `answer` */
  noStart(answer: Answer): Promise<Answer> {
    return this.locked(() => refusalOf(actionOf(this.fsm, "io-request")) ?? answer);
  }

  /** @param how null: what was written is neither @returns EIO not open, EAGAIN a program is being translated, EBUSY, ENODEV */
  stop(how: "halt" | "clear" | null): Promise<Answer> {
    return this.locked(() => {
      const refusal = refusalOf(actionOf(this.fsm, "async-request"));
      if (refusal !== null) return refusal;
      const { cio } = this.init.subchannel;
      if (how === null) return "EINVAL";
      return how === "halt" ? cio.halt() : cio.clear();
    });
  }

  /** Whether a channel program has something pinned there, or is about to. */
  uses(address: bigint, length: bigint): Promise<boolean> {
    return this.locked(() => {
      if (this.started?.uses(address, length) === true) return true;
      return [...this.#translating].some((program) => program.uses(address, length));
    });
  }

  /** Waits until none has. @throws KernelError ETIMEDOUT */
  async unused(address: bigint, length: bigint): Promise<void> {
    for (;;) {
      this.runtime.scheduler.access(this.#freed, "read");
      const seen = this.#frees;
      if (!(await this.uses(address, length))) return;
      await this.#freed.wait(() => this.#frees !== seen);
    }
  }

  /** An interruption. With the lock held. */
  interrupt(irb: Irb): void {
    this.#touch();
    this.#progress?.complete();
    if (actionOf(this.fsm, "interrupt") === "collect") this.collect(irb);
    else if (this.#progress === null) this.init.subchannel.cio.disable();
  }

  /** The subchannel is not operational any more. With the lock held. */
  gone(): void {
    this.#touch();
    if (actionOf(this.fsm, "not-oper") === "give up") this.giveUp();
  }

  protected collect(irb: Irb): void {
    const { scsw } = irb;
    const program = this.started;
    const solicited = isSolicited(scsw);
    const cpa = solicited ? (program?.guestAddress(scsw.cpa) ?? 0) : scsw.cpa;
    if (program !== null && solicited && isFinal(scsw)) {
      this.started = null;
      this.free(program);
      this.fsm = "idle";
    }
    this.init.interrupted({ ...irb, scsw: { ...scsw, cpa } });
  }

  #beginStart(): { readonly program: ChannelProgram; readonly closings: number } | Answer {
    const refusal = refusalOf(actionOf(this.fsm, "io-request"));
    if (refusal !== null) return refusal;
    this.fsm = "cp-processing";
    const program = new ChannelProgram(this.init.memory, this.init.storage);
    this.#translating.add(program);
    return { program, closings: this.#closings };
  }

  #ssch(program: ChannelProgram): Answer {
    const { cio, id, lpm } = this.init.subchannel;
    return cio.start(orbLayout.make(program.orb(id.schno, lpm)));
  }

  /** @returns what is to be freed when the device has let go; null when there is nothing to close */
  #beginClose(): { readonly program: ChannelProgram | null } | null {
    const action = actionOf(this.fsm, "close");
    if (action === "give up") this.giveUp();
    if (action !== "close") return null;
    this.#closings += 1;
    this.fsm = "standby";
    const program = this.started;
    this.started = null;
    return { program };
  }

  protected giveUp(): void {
    this.#closings += 1;
    this.fsm = "not-oper";
    if (this.started !== null) this.free(this.started);
    this.started = null;
    this.init.subchannel.schedule("unregister");
  }

  /** @returns done, or why the subchannel can't be disabled (after vfio_ccw_sch_quiesce) */
  async #disable(): Promise<CioAnswer> {
    const { clock } = this.runtime;
    const end = clock.now() + this.init.quiesceMs;
    const retries = { left: 255 };
    for (;;) {
      const progress = new Completion(this.runtime, `next interruption of ${this.init.owner}`);
      const answer = await this.locked(() => this.#tryDisable(retries, progress));
      if (answer !== "EBUSY" && answer !== "again") return answer;
      if (clock.now() >= end) return this.locked(() => this.#giveUpStopping());
      if (answer === "EBUSY") await this.#stopped(progress, Math.min(end, clock.now() + attemptMs));
    }
  }

  #giveUpStopping(): CioAnswer {
    this.#progress = null;
    this.runtime.log("error", "vfio-ccw.not-stopped", { subchannel: this.init.subchannel.name });
    return "EIO";
  }

  /** @returns EBUSY: wait for `progress`; or what there is to say about the subchannel */
  #tryDisable(retries: { left: number }, progress: Completion): CioAnswer | "again" {
    const { cio } = this.init.subchannel;
    this.#progress = null;
    const disabled = cio.disable();
    if (disabled !== "EBUSY") return disabled;
    const stopped = cio.cancelHaltClear(retries);
    if (stopped === "EBUSY") this.#progress = progress;
    return stopped === "done" ? "again" : stopped;
  }

  async #stopped(progress: Completion, deadline: number): Promise<void> {
    try {
      await progress.wait({ deadline });
    } catch (error) {
      if (!isKernelError(error, "ETIMEDOUT")) throw error;
    }
  }

  protected free(program: ChannelProgram): void {
    program.free();
    this.#frees += 1;
    this.#freed.wake();
  }

  protected locked<T>(run: () => T): Promise<T> {
    return this.init.subchannel.lock.withLock(
      () => {
        this.#touch();
        return run();
      },
      { deadline: noDeadline },
    );
  }

  #touch(): void {
    this.runtime.scheduler.access(this, "store");
  }
}

function refusalOf(action: FsmAction): ErrnoCode | null {
  if (action === "refuse with EIO") return "EIO";
  if (action === "refuse with EAGAIN") return "EAGAIN";
  return action === "refuse with EBUSY" ? "EBUSY" : null;
}

/** Whether the status is about what was asked for, and not an alert that the device raised by itself. */
function isSolicited({ cc, stctl }: Scsw): boolean {
  return cc !== 0 || stctl !== (Stctl.PEND | Stctl.ALERT);
}

/** Whether nothing of the channel program is left to do. One that is suspended goes on. */
function isFinal({ actl }: Scsw): boolean {
  return (actl & (Actl.SCHACT | Actl.DEVACT | Actl.SUSPENDED)) === 0;
}
