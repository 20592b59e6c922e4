/**
 * Engines without processes: each takes the messages of the engine's IPC one by one, in tasks of the given runtime, and keeps
 * devices, queues and fences as a real one does; there is no GPU behind it, so a submit is done when it is read. Give
 * `engines.start` to whatever starts children. `fate` is asked before each message is served, whether the engine goes on, says
 * nothing, or dies there; `kill()` and `exit(code)` of an engine in `started` may come from any task at any moment. What an
 * engine has said before its end still arrives before the end does. Nothing waits, so no task of an engine is left over.
 */
import { type Named, type Runtime, WorkQueue } from "parhelion-core";
import type {
  AdapterDescription,
  EngineQuota,
  EngineRefusal,
  FromEngine,
  ToEngine,
} from "parhelion-protocol";
import type { EngineChild, EngineChildEvents, StartEngineChild } from "./engine-child.js";

export type Fate = "goes on" | "stays silent" | "dies";

export const inMemoryAdapter: AdapterDescription = {
  info: {
    vendor: "in memory",
    architecture: "",
    device: "",
    description: "",
    subgroupMinSize: 4,
    subgroupMaxSize: 64,
    isFallbackAdapter: true,
  },
  features: [],
  limits: {},
  wgslLanguageFeatures: [],
};

interface Queue {
  readonly device: number;
  done: number;
  readonly waits: { readonly id: number; readonly value: number }[];
}

export class InMemoryEngine implements EngineChild, Named {
  readonly name: string;
  readonly pid: number;
  readonly devices = new Set<number>();
  readonly queues = new Map<number, Queue>();
  /** The last that it was given. */
  quota: EngineQuota | undefined;
  readonly #runtime: Runtime;
  readonly #events: EngineChildEvents;
  readonly #fate: (engine: InMemoryEngine, message: ToEngine) => Fate;
  readonly #toEngine: WorkQueue;
  readonly #fromEngine: WorkQueue;
  #state: "alive" | "dying" | "dead" = "alive";
  #process: "runs" | "paused" = "runs";
  readonly #waiting: ToEngine[] = [];

  constructor(
    runtime: Runtime,
    number: number,
    events: EngineChildEvents,
    fate: (engine: InMemoryEngine, message: ToEngine) => Fate,
  ) {
    this.name = `engine child ${number}`;
    this.pid = number;
    this.#runtime = runtime;
    this.#events = events;
    this.#fate = fate;
    this.#toEngine = new WorkQueue(runtime, `messages to ${this.name}`);
    this.#fromEngine = new WorkQueue(runtime, `messages from ${this.name}`);
  }

  /** "dying": it does nothing any more, and is still there, as a process is that has been killed. */
  get state(): "alive" | "dying" | "dead" {
    this.#runtime.scheduler.access(this, "read");
    return this.#state;
  }

  send(message: ToEngine): void {
    if (this.#process === "paused") this.#waiting.push(message);
    else if (this.state === "alive")
      this.#toEngine.queue({ name: message.op, run: () => this.#take(message) });
  }

  kill(): void {
    this.#end(null, "SIGKILL");
  }

  pause(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#process = "paused";
  }

  resume(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#process = "runs";
    for (const message of this.#waiting.splice(0)) this.send(message);
  }

  /** It ends by itself. */
  exit(code: number): void {
    this.#end(code, null);
  }

  /** As from inside: whatever it likes, at any time. */
  say(message: FromEngine): void {
    if (this.state !== "alive") return;
    this.#fromEngine.queue({ name: message.op, run: () => this.#events.message(message) });
  }

  #end(exitCode: number | null, signal: NodeJS.Signals | null): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state !== "alive") return;
    this.#state = "dying";
    this.#fromEngine.queue({
      name: "end",
      run: () => {
        this.#runtime.scheduler.access(this, "write");
        this.#state = "dead";
        this.#events.ended(exitCode, signal);
      },
    });
  }

  #take(message: ToEngine): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state !== "alive") return;
    const fate = this.#fate(this, message);
    if (fate === "dies") this.exit(7);
    else if (fate === "goes on") this.#serve(message);
  }

  #serve(message: ToEngine): void {
    switch (message.op) {
      case "start":
        this.quota = message.quota;
        this.say({ op: "ready", adapter: inMemoryAdapter });
        return;
      case "createDevice":
        this.devices.add(message.device);
        this.say({ op: "created", id: message.id, grant: { features: [], limits: {} } });
        return;
      case "destroyDevice":
        for (const [number, queue] of this.queues)
          if (queue.device === message.device) this.#destroyQueue(number);
        if (this.devices.delete(message.device))
          this.say({ op: "deviceLost", device: message.device, reason: "destroyed", message: "as asked" });
        return;
      case "createQueue":
        if (!this.devices.has(message.device)) this.#refuse(message.id, "device-gone");
        else {
          this.queues.set(message.queue, { device: message.device, done: 0, waits: [] });
          this.say({ op: "created", id: message.id });
        }
        return;
      case "quota":
        this.quota = message.quota;
        return;
      case "lease":
      case "recall":
        // It has no work of its own to wait with.
        return;
      case "destroyQueue":
        this.#destroyQueue(message.queue);
        return;
      case "waitFence":
      case "submit": {
        const queue = this.queues.get(message.queue);
        if (queue === undefined) this.#refuse(message.id, "unknown-queue");
        else this.#advance(queue, message);
        return;
      }
      case "statistics": {
        const { devices, queues } = this;
        const rest = { objects: 0, submits: 0, bytesReceived: 0, residentBytes: 0 };
        const statistics = { devices: devices.size, queues: queues.size, ...rest };
        this.say({ op: "statistics", id: message.id, statistics });
        return;
      }
      case "stop":
        this.exit(0);
    }
  }

  #advance(queue: Queue, message: Extract<ToEngine, { op: "waitFence" | "submit" }>): void {
    if (message.op === "submit") {
      queue.done += 1;
      this.say({ op: "fence", id: message.id, value: queue.done });
    } else queue.waits.push({ id: message.id, value: message.value });
    for (const wait of queue.waits.splice(0)) {
      if (wait.value <= queue.done) this.say({ op: "fence", id: wait.id, value: queue.done });
      else queue.waits.push(wait);
    }
  }

  #destroyQueue(number: number): void {
    for (const { id } of this.queues.get(number)?.waits ?? []) this.#refuse(id, "unknown-queue");
    this.queues.delete(number);
  }

  #refuse(id: number, code: NonNullable<EngineRefusal["code"]>): void {
    this.say({ op: "refused", id, refusal: { name: "OperationError", message: code, code } });
  }
}

export class InMemoryEngines implements Named {
  readonly name = "engine children";
  fate: (engine: InMemoryEngine, message: ToEngine) => Fate = () => "goes on";
  readonly start: StartEngineChild;
  readonly #runtime: Runtime;
  readonly #started: InMemoryEngine[] = [];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.start = (_clock, _program, events) => {
      runtime.scheduler.access(this, "write");
      const fate = (of: InMemoryEngine, message: ToEngine): Fate => this.fate(of, message);
      const engine = new InMemoryEngine(runtime, this.#started.length + 1, events, fate);
      this.#started.push(engine);
      return engine;
    };
  }

  /** All that were ever started, in order. */
  get started(): readonly InMemoryEngine[] {
    this.#runtime.scheduler.access(this, "read");
    return this.#started;
  }

  /** Those that are dying included. */
  get living(): readonly InMemoryEngine[] {
    return this.started.filter(({ state }) => state !== "dead");
  }
}
