/** An adapter behind a node: the chain OPENADAPTER, CREATEDEVICE, CREATECONTEXTVIRTUAL, CREATEHWQUEUE, and back. */
import { isAbsolute, join } from "node:path";
import {
  type AdapterDescription,
  type DeviceGrant,
  type DeviceRequest,
  ioctl,
  isControlError,
  type Port,
  parseAdapterDescription,
  parseDeviceGrant,
  parseEngineRefusal,
  parseSliceDescription,
  type QueueOwner,
  type SliceMemory,
} from "parhelion-protocol";
import {
  AdapterGoneError,
  type AdapterLink,
  DeviceRefusedError,
  type OpenedDevice,
  type SliceLink,
} from "./adapter-source.js";
import type { NodeConnection } from "./node-connection.js";

/** QUERYADAPTERINFO's number for the JSON AdapterDescription. */
const webgpuDescription = 0x1000;
/** Its number for the JSON SliceDescription. */
const sliceDescription = 0x1001;
const hwQueueSupported = 1 << 4;

/** Opens the command queue that CREATEHWQUEUE announced, on the slice that it named. */
export type QueueConnector = (path: string, token: string, owner: QueueOwner) => Promise<Port>;

class NodeSlice implements SliceLink {
  readonly uuid: string;
  readonly type: string;
  readonly #node: NodeConnection;
  readonly #first: SliceMemory;

  constructor(node: NodeConnection, uuid: string, type: string, first: SliceMemory) {
    this.#node = node;
    this.uuid = uuid;
    this.type = type;
    this.#first = first;
  }

  get memory(): SliceMemory {
    return this.#node.memory ?? this.#first;
  }

  onMemoryChanged(listener: (memory: SliceMemory) => void): () => void {
    return this.#node.onMemoryChanged(listener);
  }
}

/** Null when the host is one that does not tell. */
async function sliceOf(node: NodeConnection, adapter: number): Promise<SliceLink | null> {
  let slice: SliceLink | null = null;
  try {
    await node.learnMemory(async () => {
      const { privateData } = await node.call(ioctl.queryAdapterInfo, {
        adapter,
        infoType: sliceDescription,
      });
      const { uuid, type, memory } = parseSliceDescription(fromJson(privateData), "SliceDescription");
      slice = new NodeSlice(node, uuid, type, memory);
      return memory;
    });
  } catch (error) {
    if (!isControlError(error) || error.code === "ENODEV" || error.code === "ETIMEDOUT") throw error;
  }
  return slice;
}

export class NodeAdapter implements AdapterLink {
  readonly description: AdapterDescription;
  readonly slice: SliceLink | null;
  readonly #node: NodeConnection;
  readonly #handle: number;
  readonly #directory: string;
  readonly #connectQueue: QueueConnector;

  private constructor(
    node: NodeConnection,
    handle: number,
    description: AdapterDescription,
    slice: SliceLink | null,
    directory: string,
    connectQueue: QueueConnector,
  ) {
    this.#node = node;
    this.#handle = handle;
    this.description = description;
    this.slice = slice;
    this.#directory = directory;
    this.#connectQueue = connectQueue;
  }

  /** @throws ControlError, ProtocolError */
  static async open(
    node: NodeConnection,
    luid: bigint,
    directory: string,
    connectQueue: QueueConnector,
  ): Promise<NodeAdapter> {
    const { adapter } = await node.call(ioctl.openAdapterFromLuid, { luid });
    try {
      const { privateData } = await node.call(ioctl.queryAdapterInfo, {
        adapter,
        infoType: webgpuDescription,
      });
      return new NodeAdapter(
        node,
        adapter,
        parseAdapterDescription(fromJson(privateData), "AdapterDescription"),
        await sliceOf(node, adapter),
        directory,
        connectQueue,
      );
    } catch (error) {
      node.discard(ioctl.closeAdapter, { adapter });
      throw error;
    }
  }

  /** Closes the handle, and with it whatever was created through it. */
  get close(): () => void {
    const node = this.#node;
    const adapter = this.#handle;
    // Without `this`: the closure outlives the adapter, to be called when that was collected.
    return () => node.discard(ioctl.closeAdapter, { adapter });
  }

  async createDevice(request: DeviceRequest): Promise<OpenedDevice> {
    try {
      return await this.#createDevice(request);
    } catch (error) {
      throw asApplicationSeesIt(error);
    }
  }

  async #createDevice(request: DeviceRequest): Promise<OpenedDevice> {
    const made = this.#node.makingDevice();
    try {
      return await this.#makeDevice(request, made);
    } catch (error) {
      made();
      throw error;
    }
  }

  /** @param made called when somebody listens for the device's loss, or nobody will */
  async #makeDevice(request: DeviceRequest, made: () => void): Promise<OpenedDevice> {
    const node = this.#node;
    const created = await node.call(ioctl.createDevice, {
      adapter: this.#handle,
      privateData: toJson(request),
    });
    const device = created.device;
    try {
      const grant = parseDeviceGrant(fromJson(created.privateData), "DeviceGrant");
      const { context } = await node.call(ioctl.createContextVirtual, {
        device,
        engineAffinity: 1,
        flags: hwQueueSupported,
      });
      const announced = await node.call(ioctl.createHwQueue, { context });
      const { serial, endpoint, token, slice, generation } = announced;
      const path = isAbsolute(endpoint) ? endpoint : join(this.#directory, endpoint);
      const port = await this.#connectQueue(path, token, { slice, generation });
      return new NodeDevice(this, node, { device, grant, port, serial, made });
    } catch (error) {
      node.discard(ioctl.destroyDevice, { device });
      // Whatever failed, it failed because of this.
      const loss = node.lossOf(device);
      if (loss !== undefined) throw new AdapterGoneError(loss, { cause: error });
      throw error;
    }
  }
}

interface MadeDevice {
  readonly device: number;
  readonly grant: DeviceGrant;
  readonly port: Port;
  readonly serial: number;
  /** See NodeConnection.makingDevice. */
  readonly made: () => void;
}

class NodeDevice implements OpenedDevice {
  readonly grant: DeviceGrant;
  readonly port: Port;
  readonly serial: number;
  /** Keeps the adapter's handle open, which the device hangs on. */
  readonly adapter: NodeAdapter;
  readonly #node: NodeConnection;
  readonly #device: number;
  readonly #made: () => void;
  #state: "open" | "released" = "open";

  constructor(adapter: NodeAdapter, node: NodeConnection, made: MadeDevice) {
    this.adapter = adapter;
    this.#node = node;
    this.#device = made.device;
    this.grant = made.grant;
    this.port = made.port;
    this.serial = made.serial;
    this.#made = made.made;
  }

  onLost(listener: (message: string) => void): void {
    this.#node.onDeviceLost(this.#device, listener);
    this.#made();
  }

  release(): void {
    if (this.#state === "released") return;
    this.#state = "released";
    this.#made();
    this.#node.forgetDevice(this.#device);
    this.port.close();
    this.#node.discard(ioctl.destroyDevice, { device: this.#device });
  }
}

/** The engine's own refusal if there is one; a node that is gone is a lost adapter; the rest failed to operate. */
function asApplicationSeesIt(error: unknown): Error {
  if (!(error instanceof Error)) return new DeviceRefusedError("OperationError", String(error));
  if (error instanceof AdapterGoneError) return error;
  if (!isControlError(error))
    return new DeviceRefusedError("OperationError", error.message, { cause: error });
  if (error.code === "ENODEV") return new AdapterGoneError(error.message, { cause: error });
  if (error.privateData.length > 0) {
    const refusal = parseEngineRefusal(fromJson(error.privateData), "EngineRefusal");
    return new DeviceRefusedError(refusal.name, refusal.message, { cause: error });
  }
  return new DeviceRefusedError("OperationError", error.message, { cause: error });
}

function toJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value), "utf8");
}

function fromJson(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
}
