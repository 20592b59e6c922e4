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
} from "parhelion-protocol";

/** A node is a socket on this machine: whoever serves it answers at once or not at all. */
const connectMs = 5_000;

const NodeEventKind = { GONE: 1, DEVICE_LOST: 2 } as const;

export class NodeConnection {
  readonly #socket: Socket;
  readonly #connection: ControlConnection;
  readonly #lostListeners = new Map<number, (message: string) => void>();
  #waiting = 0;
  #goneBecause: string | undefined;

  private constructor(socket: Socket, clock: Clock, path: string) {
    this.#socket = socket;
    this.#connection = new ControlConnection(socket, { clock, peer: path });
    this.#connection.onEvent((type, body) => {
      if (type === NodeMessage.EVENT) this.#onEvent(NodeEvent.decode(body));
    });
    this.#connection.onClose((reason) => this.#onClose(reason));
    socket.unref();
  }

  /** @throws the system's error when the socket is not there, ControlError when nobody answers */
  static async open(path: string, clock: Clock): Promise<NodeConnection> {
    const node = new NodeConnection(await connectTo(path, clock), clock, path);
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

  /** `listener` hears once why the device is lost, from the node or from the node's end. */
  onDeviceLost(device: number, listener: (message: string) => void): void {
    this.#lostListeners.set(device, listener);
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

  #onEvent(event: NodeEvent): void {
    if (event.kind === NodeEventKind.GONE) this.#goneBecause = event.text || event.reason;
    else if (event.kind === NodeEventKind.DEVICE_LOST) this.#tell(event.object, event.text || event.reason);
  }

  #tell(device: number, message: string): void {
    const listener = this.#lostListeners.get(device);
    this.#lostListeners.delete(device);
    listener?.(message);
  }

  #onClose(reason: Error): void {
    const message = this.#goneBecause ?? `The GPU is gone: ${reason.message}.`;
    for (const device of [...this.#lostListeners.keys()]) this.#tell(device, message);
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
