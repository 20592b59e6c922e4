/**
 * An engine without a process of its own, for tests, benchmarks and programs that accept Dawn in their own process: then a crash of
 * Dawn or a driver is a crash of the program, and the event loop is kept busy while the GPU works.
 */
import {
  type AdapterDescription,
  type Clock,
  createInProcessPair,
  type DeviceGrant,
  type DeviceRequest,
  type EngineMemory,
  type EngineService,
  type InProcessOptions,
  type Port,
  platformClock,
} from "parhelion-protocol";
import { describeAdapter } from "./adapter.js";
import { exposedCollector } from "./collector.js";
import { Engine } from "./engine.js";
import { defaultLimits, type EngineLimits } from "./limits.js";
import { Refusal } from "./refusal.js";

export interface InProcessEngineOptions {
  /** What Dawn's `create` returned. The caller keeps it for the life of the process. */
  readonly gpu: GPU;
  readonly forceFallback?: boolean;
  readonly limits?: Partial<EngineLimits>;
  /** Whose the engine is and what it may use. Default: without a limit of memory. */
  readonly service?: EngineService;
  readonly onMemory?: (memory: EngineMemory) => void;
  readonly clock?: Clock;
  readonly port?: InProcessOptions;
  readonly log?: (line: string) => void;
}

/** Everything that a client needs for one device. */
export interface OpenedQueue {
  readonly grant: DeviceGrant;
  readonly port: Port;
  /** Names this queue where an object of it is used on another device. */
  readonly serial: number;
  /** Called at most once, when the device is lost, whatever the queue says. */
  onLost(listener: (message: string) => void): void;
  /** Gives device and queue back. Idempotent. */
  release(): void;
}

export interface InProcessEngine {
  readonly engine: Engine;
  readonly wgslLanguageFeatures: readonly string[];
  /** @throws Refusal `no-adapter` */
  describe(): Promise<AdapterDescription>;
  /** @throws Refusal; its `exception` names what the application's promise rejects with */
  /**
   * @param owner objects of one owner can be named on each other's queues; default 0
   */
  open(request: DeviceRequest, owner?: number): Promise<OpenedQueue>;
  /** Resolves when all devices are gone. */
  close(): Promise<void>;
}

export function createInProcessEngine(options: InProcessEngineOptions): InProcessEngine {
  const adapter = { gpu: options.gpu, forceFallback: options.forceFallback ?? false };
  const opened = new Map<number, { loss?: string; listener?: (message: string) => void }>();
  const engine = new Engine({
    adapter,
    limits: { ...defaultLimits, ...options.limits },
    clock: options.clock ?? platformClock,
    collect: exposedCollector(),
    ...(options.service === undefined ? {} : { service: options.service }),
    ...(options.onMemory === undefined ? {} : { onMemory: options.onMemory }),
    onDeviceLost: (device, _reason, message) => {
      const entry = opened.get(device);
      if (entry === undefined) return;
      entry.loss = message;
      entry.listener?.(message);
    },
    log: options.log ?? (() => undefined),
  });
  let serials = 0;

  const open = async (request: DeviceRequest, owner = 0): Promise<OpenedQueue> => {
    const serial = ++serials;
    const grant = await engine.createDevice(serial, owner, request);
    const entry: { loss?: string; listener?: (message: string) => void } = {};
    opened.set(serial, entry);
    const token = serial.toString(16).padStart(32, "0");
    engine.createQueue(serial, serial, token);
    const slot = engine.redeem(token);
    if (slot === undefined) throw new Refusal("unknown-queue", `queue ${serial} ended before it was opened`);
    const [client, port] = createInProcessPair(options.port);
    slot.attach(port);
    return {
      grant,
      port: client,
      serial,
      onLost: (listener) => {
        entry.listener = listener;
        if (entry.loss !== undefined) listener(entry.loss);
      },
      release: () => {
        opened.delete(serial);
        engine.destroyDevice(serial, "the application gave the device back");
      },
    };
  };

  return {
    engine,
    wgslLanguageFeatures: [...options.gpu.wgslLanguageFeatures],
    describe: () => describeAdapter(adapter),
    open,
    close: () => engine.close(),
  };
}
