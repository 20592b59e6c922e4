/** A slice on scripted engines, driven by commands as they come from a guest. */
import { createRuntime } from "parhelion-core";
import { type AdapterDescription, type DeviceRequest, type Exchange, noSlice } from "parhelion-protocol";
import { defaultEngineDeadlines, EngineProcess } from "../engines/engine-process.js";
import { EngineSupervisor } from "../engines/engine-supervisor.js";
import { defaultLimits, type HostLimits } from "../limits.js";
import { describeSlice } from "../slices/descriptor.js";
import { Slice } from "../slices/slice.js";
import type { CommandError } from "./command-error.js";
import { CommandTable } from "./command-table.js";
import { GuestProcesses } from "./guest-process.js";
import { type VgpuEnd, vgpuCommands } from "./vgpu-commands.js";
import type { DeviceLoss, VgpuDevice } from "./vgpu-device.js";

const entry = new URL("../engines/scripted-engine.test.fixture.js", import.meta.url).pathname;

const description: AdapterDescription = {
  info: {
    vendor: "scripted",
    architecture: "",
    device: "",
    description: "",
    subgroupMinSize: 4,
    subgroupMaxSize: 64,
    isFallbackAdapter: true,
  },
  features: [],
  limits: { maxBindGroups: 4 },
  wgslLanguageFeatures: ["packed_4x8_integer_dot_product"],
};

export class VgpuBench {
  readonly slice: Slice;
  readonly processes: GuestProcesses;
  readonly lost: { readonly device: VgpuDevice; readonly loss: DeviceLoss }[] = [];
  readonly faults: unknown[] = [];
  readonly exceeded: CommandError[] = [];
  readonly vgpu: VgpuEnd;
  readonly #table: CommandTable<VgpuEnd>;

  constructor(limits: Partial<HostLimits> = {}, queuePath = "/unused") {
    const runtime = createRuntime();
    const all = { ...defaultLimits, ...limits };
    this.slice = new Slice(
      {
        uuid: "00000000-0000-4000-8000-000000000001",
        pciInstance: "s-2",
        index: 0,
        generation: 1,
        terms: { descriptor: describeSlice({ type: "full" }, 2 ** 40), grantBytes: 2 ** 40 },
        description,
        queuePath,
        limits: all,
        runtime,
      },
      (slice) =>
        new EngineSupervisor({
          runtime,
          slice: slice.uuid,
          suspectMs: 60_000,
          backOff: { firstMs: 1, mostMs: 1, healthyAfterMs: 0 },
          launch: async () => {
            const engine: EngineProcess = new EngineProcess({
              entry,
              nodeFlags: [],
              environment: {},
              start: { queuePath, dawn: [], forceFallback: false, ...noSlice },
              deadlines: defaultEngineDeadlines,
              runtime,
              name: "engine of a test",
              onOutput: () => undefined,
              onDeviceLost: (device, reason, message) =>
                slice.engineLostDevice(engine, device, { reason, message }),
            });
            return engine;
          },
          onReady: (adapter) => slice.describe(adapter),
          onLost: (engine, loss) => slice.engineLost(engine, loss),
        }),
    );
    this.slice.listen({
      deviceLost: (device, loss) => this.lost.push({ device, loss }),
      descriptionChanged: () => undefined,
    });
    this.processes = new GuestProcesses(runtime, "g-1", all);
    let tokens = 0;
    this.vgpu = {
      slice: this.slice,
      processes: this.processes,
      limits: all,
      runtime,
      endpoint: "q0",
      reach: 1,
      adapterHandle: 77,
      newToken: () => (++tokens).toString(16).padStart(32, "0"),
    };
    this.#table = new CommandTable(
      vgpuCommands,
      (_command, error) => this.faults.push(error),
      (_command, refusal) => this.exceeded.push(refusal),
    );
  }

  /** @throws CommandError */
  async call<Q, R>(exchange: Exchange<Q, R>, process: number, request: Partial<Q> = {}): Promise<R> {
    return exchange.reply.decode(await this.raw(exchange.type, process, exchange.request.encode(request)));
  }

  /** @throws CommandError */
  raw(type: number, process: number, body: Uint8Array): Promise<Uint8Array> {
    return this.#table.serve(this.vgpu, type, process, body);
  }

  async stop(): Promise<void> {
    this.processes.destroyAll();
    await this.slice.engine.retire("the test is over");
  }
}

export function deviceRequest(label = ""): Uint8Array {
  const request: DeviceRequest = { label, requiredFeatures: [], requiredLimits: {}, defaultQueueLabel: "" };
  return new TextEncoder().encode(JSON.stringify(request));
}
