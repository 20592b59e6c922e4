/// <reference types="@webgpu/types" />
/** For tests: a guest's run directory with real sockets, whose one vGPU is this process's Dawn. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AdapterDescription,
  acceptQueue,
  ControlConnection,
  ControlError,
  type Exchange,
  ioctl,
  nodeMessage,
  type Port,
  parseDeviceRequest,
  type SharedMemoryProvider,
  StatusErrno,
} from "parhelion-protocol";
import { DawnEngine } from "./dawn-engine.test.fixture.js";

const luid = 77n;
const sliceMemory = { limit: 1000, used: 100, reserved: 500 };
const instance = "00000000-0000-0000-0000-000000000001";
const token = "0123456789abcdef0123456789abcdef";

export class Guest {
  readonly directory = mkdtempSync(join(tmpdir(), "parhelion-client-"));
  /** Requests that arrived at the nodes, by name. */
  readonly requests: string[] = [];
  readonly ports: Port[] = [];
  readonly engines: DawnEngine[] = [];
  /** What createDevice answers instead of a device. */
  refusal: ControlError | undefined;
  /** "tells": of what slice the vGPU is. */
  slices: "tells" | "does not know" = "tells";
  /** Called when a device is made, before its number is told. */
  made: () => void = () => undefined;
  /** Called when a queue is asked for; throws to refuse it. */
  queue: () => void = () => undefined;
  readonly #dawn: GPU;
  readonly #description: AdapterDescription;
  readonly #sharedMemory: SharedMemoryProvider | undefined;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #nodes: ControlConnection[] = [];
  #device: GPUDevice | undefined;

  constructor(dawn: GPU, description: AdapterDescription, sharedMemory: SharedMemoryProvider | undefined) {
    this.#dawn = dawn;
    this.#description = description;
    this.#sharedMemory = sharedMemory;
  }

  async start(): Promise<void> {
    const { wgslLanguageFeatures } = this.#description;
    const attributes = { wgslLanguageFeatures, nodes: ["dxg0"] };
    writeFileSync(join(this.directory, "attributes.json"), JSON.stringify(attributes));
    await this.#listen("dxg", (socket) => this.#serve(socket));
    await this.#listen("dxg0", (socket) => this.#serve(socket));
    await this.#listen("q1", (socket) => void this.#acceptQueue(socket));
  }

  /** A driver that unbinds: the node says so, then closes. */
  unplug(text: string): void {
    for (const node of this.#nodes.splice(0)) {
      node.notify(nodeMessage.event, { kind: 1, reason: "removed", text });
      node.close();
    }
  }

  /** What its control node says when a vGPU appeared or went. */
  changeAdapters(): void {
    for (const node of this.#nodes) node.notify(nodeMessage.adaptersChanged, {});
  }

  changeMemory(limit: number, used: number, reserved: number): void {
    const bytes = { limit: BigInt(limit), used: BigInt(used), reserved: BigInt(reserved) };
    for (const node of this.#nodes) node.notify(nodeMessage.memoryChanged, bytes);
  }

  loseDevice(text: string): void {
    for (const node of this.#nodes)
      node.notify(nodeMessage.event, { kind: 2, object: 9, reason: "unknown", text });
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
    rmSync(this.directory, { recursive: true });
  }

  #listen(name: string, accept: (socket: Socket) => void): Promise<void> {
    // Paused: memory comes with the first bytes of a queue, and is lost on whoever reads them otherwise.
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      accept(socket);
    });
    this.#servers.push(server);
    return new Promise((resolve) => server.listen(join(this.directory, name), resolve));
  }

  async #acceptQueue(socket: Socket): Promise<void> {
    const port = await acceptQueue(socket, {
      sharedMemory: this.#sharedMemory,
      authorize: (given) =>
        given === token
          ? { outcome: "granted" }
          : { outcome: "refused", errno: StatusErrno.EACCES, message: "unknown token" },
    });
    this.ports.push(port);
    if (this.#device === undefined) throw new Error("a queue before its device");
    this.engines.push(new DawnEngine(port, this.#device, () => undefined));
  }

  #serve(socket: Socket): void {
    const node = new ControlConnection(socket);
    this.#nodes.push(node);
    node.onRequest((type, body) => this.#answer(type, body));
  }

  #answer(type: number, body: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const exchange = [nodeMessage.hello, ...Object.values(ioctl)].find((each) => each.type === type);
    this.requests.push(exchange?.name ?? `0x${type.toString(16)}`);
    const reply = <Q, R>({ reply: codec }: Exchange<Q, R>, value: Partial<R>): Uint8Array =>
      codec.encode(value);
    switch (type) {
      case nodeMessage.hello.type:
        return reply(nodeMessage.hello, {});
      case ioctl.enumAdapters3.type:
        return reply(ioctl.enumAdapters3, { adapters: [{ node: "dxg0", luid, instance }] });
      case ioctl.openAdapterFromLuid.type:
        return reply(ioctl.openAdapterFromLuid, { adapter: 5 });
      case ioctl.queryAdapterInfo.type:
        if (ioctl.queryAdapterInfo.request.decode(body).infoType === 0x1001) {
          if (this.slices !== "tells") throw new ControlError(StatusErrno.EPERM, "not kept here");
          const slice = { uuid: instance, generation: 3, type: "half", memory: sliceMemory };
          return reply(ioctl.queryAdapterInfo, { privateData: json(slice) });
        }
        return reply(ioctl.queryAdapterInfo, { privateData: json(this.#description) });
      case ioctl.createDevice.type:
        return this.#createDevice(ioctl.createDevice.request.decode(body).privateData);
      case ioctl.createContextVirtual.type:
        return reply(ioctl.createContextVirtual, { context: 10 });
      case ioctl.createHwQueue.type:
        this.queue();
        return reply(ioctl.createHwQueue, { queue: 11, endpoint: "q1", token });
      case ioctl.destroyDevice.type:
      case ioctl.closeAdapter.type:
        return new Uint8Array(0);
      default:
        throw new ControlError(StatusErrno.ENOTTY, "not in this guest");
    }
  }

  async #createDevice(privateData: Uint8Array): Promise<Uint8Array> {
    if (this.refusal !== undefined) throw this.refusal;
    const request = parseDeviceRequest(JSON.parse(Buffer.from(privateData).toString()), "DeviceRequest");
    const adapter = await this.#dawn.requestAdapter();
    this.#device = await adapter?.requestDevice({ label: request.label });
    this.made();
    const grant = { features: [...(this.#device?.features ?? [])], limits: this.#description.limits };
    return ioctl.createDevice.reply.encode({ device: 9, privateData: json(grant) });
  }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
