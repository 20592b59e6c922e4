/**
 * What the tests of this package stand on: a run directory, and a small host that answers dxg's host commands out of
 * tables. The real host is tested against this kernel elsewhere; here the other end has to be able to misbehave.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import {
  type Command,
  GLOBAL_CHANNEL,
  type HostChannel,
  identifyConnection,
  pciPassthroughOffer,
  VGPU_CHANNEL,
  VmbusHost,
  vgpuConfigModel,
} from "parhelion-buses";
import { createRuntime, type LogRecord } from "parhelion-core";
import {
  ControlConnection,
  ControlError,
  guestCommand,
  type NodeEvent,
  nodeMessage,
  StatusErrno,
  vgpuCommand,
  vmCommand,
} from "parhelion-protocol";
import {
  ATTRIBUTES_FILE,
  type GuestAttributes,
  type GuestKernel,
  type GuestKernelInit,
  startGuestKernel,
} from "./index.js";

export const channelInstance = (n: number): string =>
  `aaaaaaaa-0000-0000-0000-${n.toString(16).padStart(12, "0")}`;
export const pciInstance = (n: number): string =>
  `bbbbbbbb-0000-0000-0000-${n.toString(16).padStart(12, "0")}`;
const globalInstance = (n: number): string => `cccccccc-0000-0000-0000-${n.toString(16).padStart(12, "0")}`;

/** The host's end of one guest. */
export class TestHost {
  readonly vmbus: VmbusHost;
  readonly processes = new Set<number>();
  /** Everything that was created and not destroyed, by kind and number. */
  readonly objects = new Set<string>();
  /** What was asked, in order: command names with the object they are about. */
  readonly asked: string[] = [];
  /** Waits of processes for fences: end them by hand, or never. */
  readonly waits: (() => void)[] = [];
  /** Called before a command is served; throws to refuse it. */
  intercept: (name: string, command: Command) => void | Promise<void> = () => {};
  /** How queues are reached: see createHwQueue. */
  reach = 0;
  #last = 0x100;

  constructor(vmbus: VmbusHost) {
    this.vmbus = vmbus;
  }

  offerGlobal(n = 0): HostChannel {
    return this.vmbus.offer({
      interfaceType: GLOBAL_CHANNEL,
      interfaceInstance: globalInstance(n),
      request: (command) => this.#serveGlobal(command),
    });
  }

  offerChannel(n: number): HostChannel {
    return this.vmbus.offer({
      interfaceType: VGPU_CHANNEL,
      interfaceInstance: channelInstance(n),
      request: (command) => this.#serveVgpu(command),
    });
  }

  offerFunction(n: number): HostChannel {
    const model = vgpuConfigModel({ channelInstance: channelInstance(n), luid: BigInt(0x1000 + n) });
    return this.vmbus.offer(pciPassthroughOffer(pciInstance(n), 0, model));
  }

  /** @returns the vGPU's channel */
  offerVgpu(n: number): HostChannel {
    this.offerFunction(n);
    return this.offerChannel(n);
  }

  async #serveGlobal(command: Command): Promise<Uint8Array> {
    switch (command.type) {
      case vmCommand.createProcess.type: {
        await this.intercept("createProcess", command);
        const process = this.#next();
        this.processes.add(process);
        return vmCommand.createProcess.reply.encode({ process });
      }
      case vmCommand.destroyProcess.type:
        this.asked.push("destroyProcess");
        assert.ok(this.processes.delete(command.process), "an unknown process was destroyed");
        return vmCommand.destroyProcess.reply.encode({});
      default:
        throw new ControlError(StatusErrno.ENOTTY, `global command ${command.type}`);
    }
  }

  async #serveVgpu(command: Command): Promise<Uint8Array> {
    const { type, body } = command;
    const exchange = Object.values(vgpuCommand).find((candidate) => candidate.type === type);
    if (exchange === undefined) throw new ControlError(StatusErrno.ENOTTY, `vGPU command ${type}`);
    await this.intercept(exchange.name, command);
    const destroyed = (kind: string, handle: number): void => {
      this.asked.push(`${exchange.name} ${handle}`);
      assert.ok(this.objects.delete(`${kind} ${handle}`), `${kind} ${handle} is unknown`);
    };
    const created = (kind: string): number => {
      const handle = this.#next();
      this.objects.add(`${kind} ${handle}`);
      return handle;
    };
    switch (type) {
      case vgpuCommand.openAdapter.type:
        return vgpuCommand.openAdapter.reply.encode({ adapter: created("adapter") });
      case vgpuCommand.closeAdapter.type:
        destroyed("adapter", vgpuCommand.closeAdapter.request.decode(body).adapter);
        break;
      case vgpuCommand.getInternalAdapterInfo.type:
        return vgpuCommand.getInternalAdapterInfo.reply.encode({ wgslLanguageFeatures: ["packed_4x8"] });
      case vgpuCommand.queryAdapterInfo.type: {
        const { infoType } = vgpuCommand.queryAdapterInfo.request.decode(body);
        return vgpuCommand.queryAdapterInfo.reply.encode({
          privateData: new TextEncoder().encode(`info ${infoType}`),
        });
      }
      case vgpuCommand.createDevice.type: {
        const { privateData } = vgpuCommand.createDevice.request.decode(body);
        return vgpuCommand.createDevice.reply.encode({ device: created("device"), privateData });
      }
      case vgpuCommand.destroyDevice.type:
        destroyed("device", vgpuCommand.destroyDevice.request.decode(body).device);
        break;
      case vgpuCommand.getDeviceState.type:
        return vgpuCommand.getDeviceState.reply.encode({ executionState: 1 });
      case vgpuCommand.createContextVirtual.type:
        return vgpuCommand.createContextVirtual.reply.encode({ context: created("context") });
      case vgpuCommand.destroyContext.type:
        destroyed("context", vgpuCommand.destroyContext.request.decode(body).context);
        break;
      case vgpuCommand.createHwQueue.type: {
        const queue = created("queue");
        const token = queue.toString(16).padStart(32, "0");
        const endpoint = this.reach === 0 ? "q-of-the-engine" : "";
        return vgpuCommand.createHwQueue.reply.encode({
          queue,
          progressFence: this.#next(),
          endpoint,
          token,
          reach: this.reach,
        });
      }
      case vgpuCommand.destroyHwQueue.type:
        destroyed("queue", vgpuCommand.destroyHwQueue.request.decode(body).queue);
        break;
      case vgpuCommand.submitCommandToHwQueue.type: {
        const { queue } = vgpuCommand.submitCommandToHwQueue.request.decode(body);
        assert.ok(this.objects.has(`queue ${queue}`), `queue ${queue} is unknown`);
        return vgpuCommand.submitCommandToHwQueue.reply.encode({ fenceValue: 2n ** 40n + BigInt(queue) });
      }
      case vgpuCommand.createAllocation.type: {
        const { allocations } = vgpuCommand.createAllocation.request.decode(body);
        return vgpuCommand.createAllocation.reply.encode({
          allocations: allocations.map(() => created("allocation")),
        });
      }
      case vgpuCommand.destroyAllocation.type:
        for (const handle of vgpuCommand.destroyAllocation.request.decode(body).allocations)
          destroyed("allocation", handle);
        break;
      case vgpuCommand.createSyncObject.type:
        return vgpuCommand.createSyncObject.reply.encode({ syncObject: created("fence") });
      case vgpuCommand.destroySyncObject.type:
        destroyed("fence", vgpuCommand.destroySyncObject.request.decode(body).syncObject);
        break;
      case vgpuCommand.waitForSyncFromCpu.type:
        await new Promise<void>((resolve) => this.waits.push(resolve));
        break;
      default:
        break;
    }
    return new Uint8Array(0);
  }

  /** What the engine's death looks like on the channel. */
  loseDevice(channel: HostChannel, process: number, device: number): void {
    channel.notify(
      guestCommand.deviceLost,
      { device, reason: "unknown", text: "the engine died" },
      { process },
    );
  }

  #next(): number {
    this.#last += 4;
    return this.#last;
  }
}

export interface Rig {
  readonly directory: string;
  readonly log: LogRecord[];
  /** Guests that made contact, in order. */
  readonly hosts: TestHost[];
  /** Streams of queues that came in from guest kernels, with their tokens. */
  readonly queues: { readonly token: string; readonly socket: net.Socket }[];
  readonly target: { readonly path: string };
  /** Starts a kernel; it is stopped after the test. @param offers made as soon as the contact is */
  start(
    offers?: (host: TestHost) => void,
    init?: Partial<GuestKernelInit>,
  ): Promise<{ kernel: GuestKernel; host: TestHost }>;
}

export async function createRig(t: TestContext): Promise<Rig> {
  const directory = await mkdtemp(path.join(tmpdir(), "guest-"));
  const log: LogRecord[] = [];
  const hosts: TestHost[] = [];
  const queues: Rig["queues"] = [];
  const kernels: GuestKernel[] = [];
  const sockets = new Set<net.Socket>();
  const runtime = createRuntime({ patienceMs: 5000 });
  let onContact: (host: TestHost) => void = () => {};
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    void (async () => {
      const connection = await identifyConnection(runtime, socket);
      if (connection.kind === "queue") {
        queues.push({ token: connection.connect.token, socket });
        return;
      }
      const vmbus = await VmbusHost.accept(socket, {
        runtime,
        authorize({ credential }) {
          if (credential !== "secret") throw new ControlError(StatusErrno.EACCES, "no such guest");
          return 0n;
        },
      });
      const host = new TestHost(vmbus);
      hosts.push(host);
      onContact(host);
    })().catch(() => {});
  });
  const target = { path: path.join(directory, "vmbus.sock") };
  server.listen(target.path);
  await once(server, "listening");
  t.after(async () => {
    for (const kernel of kernels) await kernel.stop();
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    directory,
    log,
    hosts,
    queues,
    target,
    async start(offers = () => {}, init = {}) {
      onContact = offers;
      const kernel = await startGuestKernel({
        connect: target,
        credential: "secret",
        directory: path.join(directory, `run${kernels.length}`),
        log: (record) => log.push(record),
        runtime: { patienceMs: 5000 },
        ...init,
      });
      kernels.push(kernel);
      return { kernel, host: hosts.at(-1) as TestHost };
    },
  };
}

/** One application's open node. */
export interface Application {
  readonly connection: ControlConnection;
  readonly events: NodeEvent[];
  readonly closed: Promise<Error>;
}

export async function openNode(kernel: GuestKernel, node: string): Promise<Application> {
  const socket = net.connect(path.join(kernel.directory, node));
  await once(socket, "connect");
  const connection = new ControlConnection(socket, { peer: node, patienceMs: 5000 });
  const events: NodeEvent[] = [];
  connection.onEvent((type, body) => {
    if (type === nodeMessage.event.type) events.push(nodeMessage.event.body.decode(body));
  });
  const closed = new Promise<Error>((resolve) => connection.onClose(resolve));
  await connection.call(nodeMessage.hello, { process: process.pid, name: "test" });
  return { connection, events, closed };
}

export async function attributesOf(kernel: GuestKernel): Promise<GuestAttributes> {
  await kernel.settled();
  return JSON.parse(await readFile(path.join(kernel.directory, ATTRIBUTES_FILE), "utf8")) as GuestAttributes;
}

/** Waits until `condition` holds; fails after a great many turns of the event loop instead of hanging. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 50_000; turn++) {
    if (condition()) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  assert.fail(`never: ${what}`);
}
