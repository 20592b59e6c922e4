/** What `main.ts` does, apart from touching the process: Dawn, the engine, its socket and the host's link, in their order. */
import type { FromEngine, KoffiModule } from "parhelion-protocol";
import { platformClock } from "parhelion-protocol";
import { describeAdapter } from "./adapter.js";
import { exposedCollector } from "./collector.js";
import { Engine } from "./engine.js";
import { EventPump, processPumpRuntime } from "./event-pump.js";
import { HostLink, type StartMessage } from "./host-link.js";
import { loadKoffi } from "./koffi.js";
import { defaultLimits, shorten } from "./limits.js";
import { dieWithParent } from "./parent-death.js";
import { acceptQueues } from "./queue-sockets.js";
import { seal } from "./sandbox/seal.js";
import type { QueueServer } from "./server.js";
import { DAWN_SWITCHES } from "./switches.js";
import { EngineTime } from "./time/engine-time.js";

export interface EngineProcessOptions {
  /** Processor time of this process so far, in ms. */
  readonly processorMs: () => number;
  readonly send: (message: FromEngine, sent?: () => void) => void;
  readonly log: (line: string) => void;
  readonly exit: (code: number) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asked again and again: who the parent is changes when it dies. */
  readonly parent: () => number;
}

/** sysexits(3): the service is not available; an internal error. */
const EXIT_UNAVAILABLE = 69;
const EXIT_SOFTWARE = 70;

export class EngineProcess {
  readonly #options: EngineProcessOptions;
  readonly #link: HostLink;
  /** Held for the life of the process, because Dawn crashes when it is collected. */
  #gpu: GPU | undefined;
  readonly #pump = new EventPump(processPumpRuntime());
  #engine: Engine | undefined;
  #server: QueueServer | undefined;

  constructor(options: EngineProcessOptions) {
    this.#options = options;
    this.#link = new HostLink({
      send: options.send,
      log: options.log,
      start: (message) => this.#start(message),
      stop: (reason) => {
        if (reason !== undefined) options.log(reason);
        this.stop(reason === undefined ? 0 : EXIT_UNAVAILABLE);
      },
    });
  }

  receive(message: unknown): void {
    // Most of what the host asks for, Dawn answers within microseconds.
    this.#pump.stir();
    this.#link.receive(message);
  }

  /** Ends the process at once: the kernel and the driver take back whatever Dawn holds, and faster than Dawn would. */
  stop(code = 0): void {
    this.cleanUp();
    this.#options.exit(code);
  }

  /** Nobody knows what state we are in: better a fresh process, which the host starts, than wrong results. */
  crash(what: string, error: unknown): void {
    this.#options.log(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    this.stop(EXIT_SOFTWARE);
  }

  cleanUp(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Before anything is called that might not return. */
  async #tieToParent(): Promise<{ readonly koffi: KoffiModule | undefined; readonly tied: boolean }> {
    const { log, parent } = this.#options;
    const before = parent();
    const koffi = await loadKoffi();
    const tied = koffi !== undefined && dieWithParent(koffi);
    if (!tied) log("without koffi, an engine that hangs in its driver outlives a host that is killed");
    // It may have died before the kernel knew that we care.
    if (parent() !== before) this.stop(EXIT_UNAVAILABLE);
    return { koffi, tied };
  }

  async #start(message: StartMessage): Promise<{ engine: Engine; ready: FromEngine }> {
    const switches = this.#options.environment[DAWN_SWITCHES]?.split(" ").filter((each) => each !== "") ?? [];
    const { koffi, tied } = await this.#tieToParent();
    const pump = this.#pump;
    pump.install(globalThis);
    const { create } = await import("webgpu");
    this.#gpu = create([...message.dawn, ...switches]);
    const choice = { gpu: this.#gpu, forceFallback: message.forceFallback };
    const adapter = await describeAdapter(choice);
    // From here on nothing has to be loaded, and nobody's bytes have been read yet.
    const sandbox = seal(koffi, this.#options.environment);
    const computes = adapter.info.isFallbackAdapter;
    const time = new EngineTime({
      clock: platformClock,
      sharing: message.time,
      // Then the engine computes by itself, and so does every command of it.
      leased: computes ? "everything" : "submissions",
      processorMs: computes ? this.#options.processorMs : undefined,
      slice: message.slice,
      submissionMs: message.quota.submissionMs,
      send: (said) => this.#link.send(said),
      log: this.#options.log,
    });
    this.#link.time = time;
    this.#engine = new Engine({
      time,
      adapter: choice,
      limits: defaultLimits,
      clock: platformClock,
      collect: exposedCollector(),
      service: message,
      onMemory: (memory) => this.#link.send({ op: "memory", ...memory }),
      onCommands: () => pump.stir(),
      onDeviceLost: (device, reason, text) =>
        this.#link.send({ op: "deviceLost", device, reason, message: shorten(text) }),
      log: this.#options.log,
    });
    this.#server = await acceptQueues(
      this.#engine,
      message.queuePath,
      defaultLimits,
      koffi,
      this.#options.log,
    );
    return { engine: this.#engine, ready: { op: "ready", adapter, sandbox, pausable: tied } };
  }
}
