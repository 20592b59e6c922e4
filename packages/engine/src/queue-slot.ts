/**
 * A hardware queue as the host knows it: made for a device, admitted to by a token, attached to one connection, ended. The slot
 * outlives neither its connection nor its device, and takes whichever is left along.
 */
import type { Clock, ObjectTable, Port } from "parhelion-protocol";
import type { Reclaimer } from "./accounting/reclaimer.js";
import type { Collector } from "./collector.js";
import { CommandQueue } from "./command-queue.js";
import type { DeviceQueue, EngineDevice, Loss } from "./device.js";
import type { ErrorKind } from "./error-kind.js";
import { ProgressFence } from "./fence.js";
import type { EngineLimits } from "./limits.js";
import { Refusal } from "./refusal.js";
import type { Scheduler } from "./scheduler.js";
import type { EngineTime } from "./time/engine-time.js";

export interface QueueSlotOptions {
  readonly limits: EngineLimits;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly collector: Collector;
  readonly reclaimer: Reclaimer;
  /** Another queue of the same owner, for objects that are used on the wrong device. */
  readonly objectsOf: (serial: number) => ObjectTable | undefined;
  /** Called once, when the queue has ended. */
  readonly onEnd: (slot: QueueSlot, reason: Error) => void;
  readonly onCommands: () => void;
  readonly log: (line: string) => void;
  readonly time?: EngineTime | undefined;
}

export class QueueSlot implements DeviceQueue {
  readonly queue: number;
  readonly device: EngineDevice;
  readonly token: string;
  readonly fence: ProgressFence;
  readonly #options: QueueSlotOptions;
  #state: "waiting" | "attached" | "ended" = "waiting";
  #commands: CommandQueue | undefined;

  constructor(queue: number, device: EngineDevice, token: string, options: QueueSlotOptions) {
    this.queue = queue;
    this.device = device;
    this.token = token;
    this.#options = options;
    this.fence = new ProgressFence(
      () => device.dawn.queue.onSubmittedWorkDone(),
      (completed) => device.account.passSubmit(completed),
    );
  }

  get objects(): number {
    return this.#commands?.objects.size ?? 0;
  }

  hasEnded(): boolean {
    return this.#commands?.hasEnded() ?? true;
  }

  get bytesReceived(): number {
    return this.#commands?.bytesReceived ?? 0;
  }

  /** Undefined before an application has connected. */
  get table(): ObjectTable | undefined {
    return this.#commands?.objects;
  }

  /** The application has connected; from now on its records are replayed. */
  attach(port: Port): void {
    if (this.#state !== "waiting") {
      port.close(new Error(`queue ${this.queue} is ${this.#state}`));
      return;
    }
    this.#state = "attached";
    this.#commands = new CommandQueue(port, { ...this.#options, device: this.device, fence: this.fence });
    port.onClose((reason) => this.end(reason));
    if (this.device.loss !== undefined) this.#commands.deviceLost(this.device.loss);
  }

  /** Callers of `submit` that have no answer yet. */
  get asked(): number {
    return this.#commands?.asked ?? 0;
  }

  /** See CommandQueue.submit. @throws Refusal no-connection; what ended the device or the queue */
  async submit(): Promise<number> {
    if (this.device.loss !== undefined) throw new Error(this.device.loss.message);
    if (this.#commands === undefined)
      throw new Refusal(
        "no-connection",
        `nobody has connected to queue ${this.queue} yet; present its token at its endpoint first`,
      );
    return this.#commands.submit();
  }

  uncaptured(kind: ErrorKind, message: string): void {
    this.#commands?.uncaptured(kind, message);
  }

  deviceLost(loss: Loss): void {
    this.fence.end(new Error(loss.message));
    this.#commands?.deviceLost(loss);
  }

  /** Closes the connection and gives everything back. Idempotent. */
  end(reason: Error): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.fence.end(reason);
    this.#commands?.end(reason);
    this.#options.onEnd(this, reason);
  }
}
