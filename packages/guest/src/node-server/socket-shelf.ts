/** The run directory as a shelf: a Unix socket stands for each node, connect is open, disconnect is close. */
import { chmodSync, existsSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import type { Duplex } from "node:stream";
import { Completion, noDeadline, type Runtime } from "parhelion-core";
import { ControlConnection, Newcomers } from "parhelion-protocol";
import type { NodeDoor, NodeReception, NodeShelf, NodeVisit, ServableNode } from "./shelf.js";

/** Most connections to one node at a time. */
const maxConnections = 4096;
/** Of them, those that have not said HELLO; beyond that the oldest is dropped. */
const maxNewcomers = 1024;
/** Permission of a node that names none: the owner's. */
const defaultMode = 0o600;

export class SocketShelf implements NodeShelf {
  readonly where: string;
  readonly #runtime: Runtime;
  readonly #directory: string;

  /** @param file name of the file with what is published */
  constructor(runtime: Runtime, directory: string, file: string) {
    this.#runtime = runtime;
    this.#directory = directory;
    this.where = path.join(directory, file);
  }

  get present(): boolean {
    return existsSync(this.#directory);
  }

  door(node: ServableNode, reception: NodeReception): NodeDoor {
    return new SocketDoor(this.#runtime, node, path.join(this.#directory, node.name), reception);
  }

  async publish(text: string): Promise<void> {
    await writeFile(`${this.where}.new`, text);
    await rename(`${this.where}.new`, this.where);
  }

  async retract(): Promise<void> {
    await rm(this.where, { force: true });
  }
}

class SocketDoor implements NodeDoor {
  readonly #runtime: Runtime;
  readonly #node: ServableNode;
  readonly #path: string;
  readonly #server: net.Server;
  #state: "open" | "closed" = "open";

  constructor(runtime: Runtime, node: ServableNode, path: string, reception: NodeReception) {
    this.#runtime = runtime;
    this.#node = node;
    this.#path = path;
    const newcomers = new Newcomers(maxNewcomers);
    this.#server = net.createServer((socket) => {
      newcomers.add(socket);
      visit(runtime, socket, reception, () => newcomers.known(socket));
    });
    this.#server.maxConnections = maxConnections;
  }

  /** A socket that an earlier guest kernel left behind is replaced. */
  async open(): Promise<void> {
    await rm(this.#path, { force: true });
    if (this.#closed) return;
    const listening = new Completion(this.#runtime, `listening on ${this.#node.name}`);
    const done = (): void => listening.completeAll();
    const failed = (error: Error): void => listening.fail(error);
    this.#server.once("listening", done);
    // A server that is closed while it is about to listen never says so.
    this.#server.once("close", done);
    this.#server.once("error", failed);
    this.#server.listen(this.#path);
    try {
      await listening.wait({ deadline: noDeadline });
    } finally {
      this.#server.off("listening", done);
      this.#server.off("close", done);
      this.#server.off("error", failed);
    }
    // In the step that looked: in any later one the socket may be gone.
    if (!this.#closed) chmodSync(this.#path, this.#node.mode ?? defaultMode);
  }

  close(): void {
    if (this.#closed) return;
    this.#state = "closed";
    // Also unlinks the socket.
    this.#server.close();
  }

  /** Asked anew after each wait: the node may go meanwhile. */
  get #closed(): boolean {
    return this.#state === "closed";
  }
}

function visit(runtime: Runtime, stream: Duplex, reception: NodeReception, known: () => void): void {
  const connection = new ControlConnection(stream, { clock: runtime.clock, peer: "the application" });
  const visitor: NodeVisit = reception.admit(
    {
      deliver: (notice, value) => connection.notify(notice, value),
      end: (reason) => connection.close(reason),
    },
    known,
  );
  connection.onRequest(
    (type, body) =>
      new Promise((reply, refuse) => {
        visitor.request(type, body, { reply, refuse });
      }),
  );
  connection.onClose(() => visitor.ended());
}
