/**
 * An application's command stream at work: its records are replayed into Dawn in turns, what Dawn answers goes back. A stream that
 * breaks the protocol ends its own queue and nothing else.
 */
import {
  type Clock,
  DEVICE_HANDLE,
  InterfaceKind,
  isProtocolError,
  ObjectTable,
  type Port,
  QUEUE_HANDLE,
  Replayer,
} from "parhelion-protocol";
import type { SliceLedger } from "./accounting/ledger.js";
import type { Reclaimer } from "./accounting/reclaimer.js";
import type { Collector } from "./collector.js";
import { Commands } from "./commands.js";
import { CountingReader } from "./counting-reader.js";
import type { EngineDevice, Loss } from "./device.js";
import { Doorbells } from "./doorbells.js";
import type { ErrorKind } from "./error-kind.js";
import { EventSender } from "./event-sender.js";
import type { ProgressFence } from "./fence.js";
import type { EngineLimits } from "./limits.js";
import { Outbox } from "./outbox.js";
import { messageOf } from "./refusal.js";
import type { Scheduler, Turns } from "./scheduler.js";
import type { EngineTime } from "./time/engine-time.js";
import type { QueueTime, TimedQueue } from "./time/queue-time.js";

export interface CommandQueueOptions {
  readonly device: EngineDevice;
  readonly fence: ProgressFence;
  readonly limits: EngineLimits;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly collector: Collector;
  readonly reclaimer: Reclaimer;
  /** The objects of another queue of the same owner. */
  readonly objectsOf: (serial: number) => ObjectTable | undefined;
  /** Called after each turn that replayed commands. */
  readonly onCommands: () => void;
  readonly log: (line: string) => void;
  /** Default: the adapter is this engine's alone, and nothing is too long. */
  readonly time?: EngineTime | undefined;
}

export class CommandQueue implements Turns {
  readonly objects = new ObjectTable();
  readonly #port: Port;
  readonly #options: CommandQueueOptions;
  readonly #reader: CountingReader;
  readonly #outbox: Outbox;
  readonly #events: EventSender;
  readonly #commands: Commands;
  readonly #replayer: Replayer;
  readonly #doorbells = new Doorbells();
  readonly #time: QueueTime | undefined;
  /** "short": a command waits for memory, or for the GPU. */
  #state: "open" | "catching-up" | "short" | "condemned" | "ended" = "open";
  /** Objects of the table that the ledger knows of. */
  #counted = 0;
  #watch: "off" | "on" = "off";

  constructor(port: Port, options: CommandQueueOptions) {
    const { device, limits } = options;
    this.#port = port;
    this.#options = options;
    this.#time = options.time?.open(this.#timed());
    const work = this.#time?.log;
    this.#reader = new CountingReader(port.rx, work && ((u32, i) => work.observe(u32, i)));
    this.#outbox = new Outbox(port, limits.eventsWaiting);
    this.#events = new EventSender(port, this.#outbox, (error) => this.#fail(error));
    this.#commands = new Commands(this.#events, {
      ...options,
      hopeful: () => options.reclaimer.hopeful,
      reclaim: (round) => options.reclaimer.reclaim(round),
      received: () => this.#reader.bytes,
      queueTime: this.#time,
    });
    this.objects.put(DEVICE_HANDLE, InterfaceKind.GPUDevice, this.#commands.device);
    this.objects.put(QUEUE_HANDLE, InterfaceKind.GPUQueue, device.dawn.queue);
    this.#replayer = new Replayer(this.#reader, this.objects, this.#commands);
    // A `begin` of this same thread that waits for room calls us and must find progress made, so there is no waiting for others.
    const lone = port.carrier === "in-process";
    port.onReadable(() => (lone ? this.#turnNow() : options.scheduler.ready(this)));
  }

  get bytesReceived(): number {
    return this.#reader.bytes;
  }

  turn(): "more" | "idle" {
    if (this.#state !== "open") {
      this.#time?.rested("idle");
      return "idle";
    }
    if (this.#time?.admits() === false) return "idle";
    this.#outbox.hold();
    this.objects.capacity = this.#ledger.objectsFor(this.#counted);
    try {
      const outcome = this.#replay();
      this.#answerDoorbells(outcome);
      this.#time?.rested(outcome);
      return outcome;
    } catch (error) {
      this.#fail(error);
      return "idle";
    } finally {
      this.#countObjects();
      this.#options.onCommands();
      this.#options.collector.plan();
      this.#options.device.settleSoon(this.#options.clock);
      this.#outbox.release();
    }
  }

  uncaptured(kind: ErrorKind, message: string): void {
    this.#events.uncaptured(kind, message);
  }

  /** Callers of `submit` that have no answer yet. */
  get asked(): number {
    return this.#doorbells.waiting;
  }

  /**
   * Looks at the ring now. Resolves with the value that the fence has once everything that had arrived there is done; rejects
   * when the queue ends, or the device is lost, before that has been read.
   */
  submit(): Promise<number> {
    const unread = this.#port.look();
    const { fence } = this.#options;
    return unread === 0
      ? Promise.resolve(fence.submitted)
      : this.#doorbells.ring(this.#reader.bytes + unread);
  }

  deviceLost(loss: Loss): void {
    this.#doorbells.end(new Error(loss.message));
    this.#commands.deviceLost();
    this.#events.deviceLost(loss);
  }

  /** Idempotent. */
  end(reason: Error): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#time?.end();
    this.#options.scheduler.remove(this);
    this.#doorbells.end(reason);
    this.#commands.deviceLost();
    this.#outbox.close();
    this.#options.collector.dropped(this.#options.device, 0, this.objects.size);
    this.objects.clear();
    this.#countObjects();
    this.#port.close(reason);
  }

  /** Whether the GPU has nothing of this queue's, as far as is known; if it has, the device hears when that is over. */
  hasEnded(): boolean {
    this.#time?.askForRest();
    return (this.#time?.inFlight ?? 0) === 0;
  }

  #timed(): TimedQueue {
    const { device, fence, scheduler, clock, limits } = this.#options;
    return {
      device: device.id,
      objects: this.objects,
      workDone: () => device.dawn.queue.onSubmittedWorkDone(),
      reached: (count) => fence.note(count),
      resume: () => scheduler.ready(this),
      idle: () => device.idle(),
      condemned: (message) => {
        device.condemn({ reason: "unknown", message });
        if (this.#state !== "ended") this.#state = "condemned";
        // Nothing that is sent now is ever done; the loss has been told by then.
        clock.setTimer(limits.lossMs, () => this.end(new Error(message)));
      },
    };
  }

  get #ledger(): SliceLedger {
    return this.#options.device.account.ledger;
  }

  #countObjects(): void {
    const { size } = this.objects;
    this.#ledger.countObjects(size - this.#counted);
    this.#counted = size;
  }

  #turnNow(): void {
    // Whoever calls may be waiting for room in a ring that only this thread empties.
    const stuck = this.#state === "short" && this.#port.look() > 0.7 * this.#port.rx.capacity;
    if (stuck) {
      this.#state = "open";
      this.#commands.patience = "hurried";
    }
    const outcome = this.turn();
    this.#commands.patience = "patient";
    if (outcome === "more") this.#options.scheduler.ready(this);
  }

  #replay(): "more" | "idle" {
    const { clock, collector, limits } = this.#options;
    const until = clock.now() + limits.turnMs;
    for (let records = 0; records < limits.turnRecords; records += limits.turnStride) {
      if (this.#replayer.replay(limits.turnStride) < limits.turnStride) {
        // What waits for time is told when there is some.
        if (this.#replayer.deferred && (this.#time?.waits ?? "no") === "no") this.#waitForRoom();
        return "idle";
      }
      if (this.#farAhead()) return "idle";
      // What comes next may need the memory that is about to be freed.
      if (collector.due || clock.now() >= until) return "more";
    }
    return "more";
  }

  #answerDoorbells(outcome: "more" | "idle"): void {
    const everything = outcome === "idle" && this.#state === "open" && !this.#replayer.deferred;
    this.#doorbells.read(everything ? Infinity : this.#reader.bytes, this.#options.fence.submitted);
  }

  /** Whether the GPU is so far behind that reading on would only pile up work inside of Dawn. */
  #farAhead(): boolean {
    const { fence, limits } = this.#options;
    const behind = fence.submitted - fence.completed;
    if (behind < limits.submitsInFlight / 2 || this.#port.carrier === "in-process") return false;
    if (this.#watch === "off") {
      this.#watch = "on";
      const look = () => this.#caughtUp();
      fence.reach(fence.submitted).then(look, look);
    }
    if (behind < limits.submitsInFlight) return false;
    this.#state = "catching-up";
    return true;
  }

  /** The command that was deferred is the first of the next turn. */
  #waitForRoom(): void {
    this.#state = "short";
    const { device, reclaimer, scheduler } = this.#options;
    const { shortage } = this.#commands;
    const room = shortage.of === "memory" ? reclaimer.reclaim(shortage.round) : device.settle();
    void room.then(() => {
      if (this.#state !== "short") return;
      this.#state = "open";
      scheduler.ready(this);
    });
  }

  #caughtUp(): void {
    this.#watch = "off";
    if (this.#state !== "catching-up") return;
    this.#state = "open";
    this.#options.scheduler.ready(this);
  }

  /** Also for errors of our own: they were found on this queue's way, and the others had no part in it. */
  #fail(error: unknown): void {
    if (this.#state === "ended") return;
    const own = !isProtocolError(error) && error instanceof Error;
    this.#options.log(`queue closed: ${own ? error.stack : messageOf(error)}`);
    this.end(error instanceof Error ? error : new Error(String(error)));
  }
}
