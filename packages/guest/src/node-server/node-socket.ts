/** The Unix socket that stands for one node: connect is open, disconnect is close. */
import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import net from "node:net";
import { Completion, type DeviceNode, type Runtime, type WaitOptions } from "parhelion-core";
import { Newcomers } from "parhelion-protocol";
import type { NodeRequest } from "../dxg/request.js";
import { NodeConnection } from "./node-connection.js";

/** Most connections to one node at a time. */
const maxConnections = 4096;
/** Of them, those that have not said HELLO; beyond that the oldest is dropped. */
const maxNewcomers = 1024;
/** Permission of a node that names none: the owner's. */
const defaultMode = 0o600;

export class NodeSocket {
  readonly #path: string;
  readonly #node: DeviceNode<NodeRequest, Uint8Array>;
  readonly #server: net.Server;
  readonly #connections = new Set<NodeConnection>();
  readonly #empty: Completion;
  #state: "live" | "gone" = "live";

  constructor(runtime: Runtime, node: DeviceNode<NodeRequest, Uint8Array>, path: string) {
    this.#path = path;
    this.#node = node;
    this.#empty = new Completion(runtime, `last close of ${node.name}`);
    const newcomers = new Newcomers(maxNewcomers);
    this.#server = net.createServer((socket) => {
      newcomers.add(socket);
      const connection = new NodeConnection(runtime, node, socket, {
        greeted: () => newcomers.known(socket),
        ended: () => {
          this.#connections.delete(connection);
          this.#checkEmpty();
        },
      });
      this.#connections.add(connection);
    });
    this.#server.maxConnections = maxConnections;
  }

  /** A socket that an earlier guest kernel left behind is replaced. @throws the operating system's errors */
  async listen(): Promise<void> {
    await rm(this.#path, { force: true });
    if (this.#gone) return;
    // A server that is closed while it is about to listen never says so.
    const closed = once(this.#server, "close");
    this.#server.listen(this.#path);
    await Promise.race([once(this.#server, "listening"), closed]);
    if (!this.#gone) await chmod(this.#path, this.#node.mode ?? defaultMode);
  }

  /** Takes the socket away and ends the connections, telling them why. Waits for nothing. */
  gone(): void {
    if (this.#state === "gone") return;
    this.#state = "gone";
    // Also unlinks the socket.
    this.#server.close();
    for (const connection of this.#connections) connection.gone();
    this.#checkEmpty();
  }

  /** Precondition: `gone`. Waits until every file has been released. @throws KernelError ETIMEDOUT */
  async released(options?: WaitOptions): Promise<void> {
    await this.#empty.wait(options);
  }

  /** Asked anew after each wait: the node may go meanwhile. */
  get #gone(): boolean {
    return this.#state === "gone";
  }

  #checkEmpty(): void {
    if (this.#gone && this.#connections.size === 0) this.#empty.completeAll();
  }
}
