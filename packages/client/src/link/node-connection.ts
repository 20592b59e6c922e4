/** One open node of the guest: requests that keep the process alive while they wait, and the node's own events. */

import { connect, type Socket } from "node:net";
import { basename } from "node:path";
import {
  type Clock,
  ControlConnection,
  type Exchange,
  NodeEvent,
  NodeMessage,
  nodeMessage,
  type SliceMemory,
} from "parhelion-protocol";

/** A node is a socket on this machine: whoever serves it answers at once or not at all. */
const connectMs = 5_000;

const NodeEventKind = { GONE: 1, DEVICE_LOST: 2 } as const;

/** A node that tells of more devices than a process can be making tells of nobody's. */
const maxLostEarly = 64;

export class NodeConnection {
  readonly #socket: Socket;
  readonly #connection: ControlConnection;
  readonly #lostListeners = new Map<number, (message: string) => void>();
  readonly #adaptersChanged: () => void;
  readonly #memoryListeners = new Set<(memory: SliceMemory) => void>();
  /** Of devices that are being made: what is said of them may come before the answer that names them. */
  readonly #lostEarly = new Map<number, string>();
  #making = 0;
  #waiting = 0;
  #goneBecause: string | undefined;
  #memory: SliceMemory | undefined;
  #memoryNotices = 0;

  private constructor(socket: Socket, clock: Clock, path: string, adaptersChanged: () => void) {
    this.#socket = socket;
    this.#adaptersChanged = adaptersChanged;
    this.#connection = new ControlConnection(socket, { clock, peer: path });
    this.#connection.onEvent((type, body) => {
      this.#onNotice(type, body);
    });
    this.#connection.onClose((reason) => this.#onClose(reason));
    socket.unref();
  }

  /**
   * @param adaptersChanged told by the control node: a vGPU appeared or went
   * @throws the system's error when the socket is not there, ControlError when nobody answers
   */
  static async open(
    path: string,
    clock: Clock,
    adaptersChanged: () => void = () => undefined,
  ): Promise<NodeConnection> {
    const node = new NodeConnection(await connectTo(path, clock), clock, path, adaptersChanged);
    const hello = { features: 0n, process: process.pid, name: programName() };
    await node.call(nodeMessage.hello, hello);
    return node;
  }

  /** @throws ControlError: the node's refusal, ETIMEDOUT, ENODEV when the node is gone */
  async call<Q, R>(exchange: Exchange<Q, R>, request: Partial<Q>): Promise<R> {
    if (this.#waiting++ === 0) this.#socket.ref();
    try {
      return await this.#connection.call(exchange, request);
    } finally {
      if (--this.#waiting === 0) this.#socket.unref();
    }
  }

  /** As `call`, for what is given back: nobody waits, and a node that is gone has taken it back already. */
  discard<Q, R>(exchange: Exchange<Q, R>, request: Partial<Q>): void {
    this.#connection.call(exchange, request).catch(() => {});
  }

  /** From before a device is asked for until the returned function is called, what is said of unknown devices is kept. */
  makingDevice(): () => void {
    this.#making += 1;
    let state: "making" | "made" = "making";
    return () => {
      if (state === "made") return;
      state = "made";
      this.#making -= 1;
      if (this.#making === 0) this.#lostEarly.clear();
    };
  }

  /** `listener` hears once why the device is lost, from the node or from the node's end; soon when it has been said. */
  onDeviceLost(device: number, listener: (message: string) => void): void {
    this.#lostListeners.set(device, listener);
    const early =
      this.#lostEarly.get(device) ??
      (this.#connection.state === "open" ? undefined : this.#whyGone("it was closed"));
    // Whoever registers is still being made.
    if (early !== undefined) queueMicrotask(() => this.#tell(device, early));
  }

  /** Of a vGPU's node. @returns ends it */
  onMemoryChanged(listener: (memory: SliceMemory) => void): () => void {
    this.#memoryListeners.add(listener);
    return () => this.#memoryListeners.delete(listener);
  }

  /** The latest that is known of the slice's memory; undefined before the first. */
  get memory(): SliceMemory | undefined {
    return this.#memory;
  }

  /** Asks with `ask` for the slice's memory; a notice that comes meanwhile is the later news. */
  async learnMemory(ask: () => Promise<SliceMemory>): Promise<void> {
    const before = this.#memoryNotices;
    const memory = await ask();
    if (this.#memoryNotices === before) this.#memory = memory;
  }

  /** What was said of a device that is being made. */
  lossOf(device: number): string | undefined {
    return this.#lostEarly.get(device);
  }

  forgetDevice(device: number): void {
    this.#lostListeners.delete(device);
  }

  /** Called once, also when already closed. */
  onClose(listener: () => void): void {
    this.#connection.onClose(listener);
  }

  close(): void {
    this.#connection.close();
  }

  #onNotice(type: number, body: Uint8Array): void {
    switch (type) {
      case NodeMessage.EVENT:
        this.#onEvent(NodeEvent.decode(body));
        break;
      case NodeMessage.ADAPTERSCHANGED:
        this.#adaptersChanged();
        break;
      case NodeMessage.MEMORYCHANGED: {
        const { limit, used, reserved } = nodeMessage.memoryChanged.body.decode(body);
        this.#memory = { limit: Number(limit), used: Number(used), reserved: Number(reserved) };
        this.#memoryNotices += 1;
        for (const listener of [...this.#memoryListeners]) listener(this.#memory);
      }
    }
  }

  #onEvent(event: NodeEvent): void {
    if (event.kind === NodeEventKind.GONE) {
      this.#goneBecause = event.text || event.reason;
      // Whoever asks again in the same moment shall not ask here: what was asked is answered with ENODEV on either end.
      this.#connection.close(new Error(this.#goneBecause));
    } else if (event.kind === NodeEventKind.DEVICE_LOST) this.#tell(event.object, event.text || event.reason);
  }

  #tell(device: number, message: string): void {
    const listener = this.#lostListeners.get(device);
    this.#lostListeners.delete(device);
    if (listener !== undefined) listener(message);
    else if (this.#making > 0 && this.#lostEarly.size < maxLostEarly) this.#lostEarly.set(device, message);
  }

  #tellAll(message: string): void {
    for (const device of [...this.#lostListeners.keys()]) this.#tell(device, message);
  }

  #onClose(reason: Error): void {
    this.#tellAll(this.#whyGone(reason.message));
  }

  #whyGone(otherwise: string): string {
    return this.#goneBecause ?? `The GPU is gone: ${otherwise}.`;
  }
}

function connectTo(path: string, clock: Clock): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const timer = clock.setTimer(connectMs, () => {
      socket.destroy(new Error(`nobody accepted the connection to ${path} within ${connectMs} ms`));
    });
    socket.once("error", (error) => {
      timer.cancel();
      reject(error);
    });
    socket.once("connect", () => {
      timer.cancel();
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

/** What an operator would call this process: its title if it gave itself one, else its program's file. */
function programName(): string {
  const { argv, title, argv0 } = process;
  const name = title === argv0 || title === "node" ? basename(argv[1] ?? title) : title;
  return name.slice(0, 60);
}
