/** A node while applications can come to it, and until the last of them has left. */
import { Completion, type Named, type Runtime, type WaitOptions } from "parhelion-core";
import type { Notice } from "parhelion-protocol";
import { NodeSession } from "./node-session.js";
import type { NodeDoor, NodePeer, NodeReception, NodeShelf, NodeVisit, ServableNode } from "./shelf.js";

export class ServedNode implements NodeReception, Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #node: ServableNode;
  readonly #door: NodeDoor;
  readonly #sessions = new Set<NodeSession>();
  readonly #empty: Completion;
  #state: "live" | "gone" = "live";
  #goneBecause = "";

  constructor(runtime: Runtime, node: ServableNode, shelf: NodeShelf) {
    this.#runtime = runtime;
    this.#node = node;
    this.name = `sessions of ${node.name}`;
    this.#empty = new Completion(runtime, `last close of ${node.name}`);
    this.#door = shelf.door(node, this);
  }

  admit(peer: NodePeer, known: () => void): NodeVisit {
    this.#access("write");
    const session: NodeSession = new NodeSession(this.#runtime, this.#node, peer, {
      greeted: known,
      ended: () => {
        this.#access("write");
        this.#sessions.delete(session);
        this.#checkEmpty();
      },
    });
    this.#sessions.add(session);
    // It came in just before the door was closed.
    if (this.#state === "gone") session.gone(this.#goneBecause);
    return session;
  }

  /** @throws the operating system's errors */
  async listen(): Promise<void> {
    await this.#door.open();
  }

  /** Tells every application that has the node open. */
  tell<T>(notice: Notice<T>, value: Partial<T>): void {
    this.#access("read");
    for (const session of this.#sessions) session.tell(notice, value);
  }

  /** Closes the door and ends the connections, telling them why. Waits for nothing. */
  gone(why: string): void {
    this.#access("write");
    if (this.#state === "gone") return;
    this.#state = "gone";
    this.#goneBecause = why;
    this.#door.close();
    for (const session of this.#sessions) session.gone(why);
    this.#checkEmpty();
  }

  /** Precondition: `gone`. Waits until every file has been released. @throws KernelError ETIMEDOUT */
  async released(options?: WaitOptions): Promise<void> {
    await this.#empty.wait(options);
  }

  #checkEmpty(): void {
    if (this.#state === "gone" && this.#sessions.size === 0) this.#empty.completeAll();
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}
