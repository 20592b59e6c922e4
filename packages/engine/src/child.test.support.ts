/** A real engine process under test, spoken to as the host does. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AdapterDescription,
  connectQueue,
  type DeviceGrant,
  type EngineMemory,
  type EngineStatistics,
  type FromEngine,
  noSlice,
  parseFromEngine,
  type SharedMemoryProvider,
  type ToEngine,
} from "parhelion-protocol";
import { type AdapterKind, createEngineLauncher } from "./launcher.js";
import { plainDevice, Script } from "./script.test.support.js";

export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
}

type Reply = Extract<FromEngine, { id: number }>;

export class ChildEngine {
  readonly queuePath: string;
  readonly child: ChildProcess;
  readonly exited: Promise<ChildExit>;
  readonly memory: EngineMemory[] = [];
  readonly losses: { device: number; reason: string; message: string }[] = [];
  readonly #directory: string;
  readonly #waiting = new Map<number, (message: Reply) => void>();
  readonly #start: Promise<FromEngine>;
  #ids = 0;
  /** What the process wrote to its standard error so far. */
  log = "";

  private constructor(child: ChildProcess, directory: string) {
    this.child = child;
    this.#directory = directory;
    this.queuePath = join(directory, "q");
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.log += text;
    });
    // Not "close": a child whose channel was disconnected from this side never emits it.
    const silent = new Promise<void>((resolve) => child.stderr?.once("close", resolve));
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => void silent.then(() => resolve({ code, signal })));
    });
    this.#start = new Promise((resolve) => {
      child.on("message", (raw) => {
        const message = parseFromEngine(raw);
        if (message.op === "ready" || message.op === "failed") resolve(message);
        else if (message.op === "deviceLost") this.losses.push(message);
        else if (message.op === "memory") this.memory.push(message);
        else if ("id" in message) {
          this.#waiting.get(message.id)?.(message);
          this.#waiting.delete(message.id);
        }
      });
    });
  }

  /** Spawns without waiting for anything. */
  static async spawn(
    kind: AdapterKind,
    environment: NodeJS.ProcessEnv = {},
    directory = mkdtempSync(join(tmpdir(), "parhelion-engine-")),
  ): Promise<ChildEngine> {
    const launcher = createEngineLauncher();
    const env = { ...(await launcher.environmentFor(kind)), ...environment };
    const child = spawn(process.execPath, [launcher.entry], {
      cwd: directory,
      env,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    return new ChildEngine(child, directory);
  }

  static async start(kind: AdapterKind): Promise<ChildEngine> {
    const engine = await ChildEngine.spawn(kind);
    const first = await engine.begin();
    if (first.op !== "ready") throw new Error(`the engine did not start: ${JSON.stringify(first)}`);
    return engine;
  }

  /** @returns `ready` or `failed` */
  begin(dawn: readonly string[] = []): Promise<FromEngine> {
    this.send({ op: "start", queuePath: this.queuePath, dawn, forceFallback: false, ...noSlice });
    const gone = this.exited.then(({ code }): never => {
      throw new Error(`the engine ended with code ${code}: ${this.log}`);
    });
    return Promise.race([this.#start, gone]);
  }

  async adapter(): Promise<AdapterDescription> {
    const first = await this.#start;
    if (first.op !== "ready") throw new Error("no adapter");
    return first.adapter;
  }

  send(message: ToEngine): void {
    this.child.send(message);
  }

  ask(make: (id: number) => ToEngine): Promise<Reply> {
    const id = ++this.#ids;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve);
      void this.exited.then(() => reject(new Error("the engine ended")));
      this.send(make(id));
    });
  }

  async createDevice(device: number, requiredFeatures: readonly string[] = []): Promise<DeviceGrant> {
    const request = { ...plainDevice, requiredFeatures };
    const reply = await this.ask((id) => ({ op: "createDevice", id, device, owner: 1, request }));
    if (reply.op === "created" && reply.grant !== undefined) return reply.grant;
    throw new Error(reply.op === "refused" ? `${reply.refusal.name}: ${reply.refusal.message}` : reply.op);
  }

  /** A device and its queue under one number, connected. */
  async open(device: number, sharedMemory?: SharedMemoryProvider): Promise<Script> {
    await this.createDevice(device);
    const token = device.toString(16).padStart(32, "a");
    const made = await this.ask((id) => ({ op: "createQueue", id, device, queue: device, token }));
    if (made.op !== "created") throw new Error(JSON.stringify(made));
    return new Script(await connectQueue({ endpoint: { path: this.queuePath }, token, sharedMemory }));
  }

  async statistics(): Promise<EngineStatistics> {
    const reply = await this.ask((id) => ({ op: "statistics", id }));
    if (reply.op !== "statistics") throw new Error(reply.op);
    return reply.statistics;
  }

  /** Ends the process if it has not ended, and removes what it had. */
  async end(): Promise<ChildExit> {
    if (this.child.connected) this.send({ op: "stop" });
    else this.child.kill("SIGKILL");
    const exit = await this.exited;
    rmSync(this.#directory, { recursive: true, force: true });
    return exit;
  }
}
