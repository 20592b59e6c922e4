/**
 * One application at one node: an open file. HELLO opens it, the driver's requests go to it, the end closes it, whoever brings
 * the end about and whatever is under way.
 */
import {
  Completion,
  type Named,
  noDeadline,
  type OpenFile,
  type Runtime,
  Timer,
  WaitQueue,
} from "parhelion-core";
import { controlError, type Notice, nodeMessage } from "parhelion-protocol";
import { NodeEventKind, type NodeRequest } from "../dxg/request.js";
import type { NodeAnswer, NodePeer, NodeVisit, ServableNode } from "./shelf.js";

/** Within this time an application says HELLO, in ms. */
const helloMs = 10_000;
/** The text's field holds 4096 bytes; a UTF-16 unit takes three at most. */
const maxText = 1300;
/** Feature bits of the node. Nothing optional yet. */
const nodeFeatures = 0n;

type File = OpenFile<NodeRequest, Uint8Array>;

/** Each is called once at most. */
export interface NodeSessionOwner {
  /** HELLO was said. */
  greeted(): void;
  /** The file is closed and released. */
  ended(): void;
}

export class NodeSession implements NodeVisit, Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #node: ServableNode;
  readonly #peer: NodePeer;
  readonly #owner: NodeSessionOwner;
  readonly #late: Timer;
  /** Woken when the last reply has gone out. */
  readonly #replied: WaitQueue;
  /** Replies that are on their way. */
  #underWay = 0;
  #opening: Completion<File> | null = null;
  /** Once it is open. */
  #file: File | null = null;

  constructor(runtime: Runtime, node: ServableNode, peer: NodePeer, owner: NodeSessionOwner) {
    this.#runtime = runtime;
    this.#node = node;
    this.#peer = peer;
    this.#owner = owner;
    this.name = `session ${runtime.ids.next(`session of ${node.name}`)} of ${node.name}`;
    this.#replied = new WaitQueue(runtime, `replies of ${this.name}`);
    this.#late = new Timer(runtime, `HELLO of ${this.name}`, () => {
      this.#access("read");
      if (this.#opening === null) peer.end(new Error(`no HELLO within ${helloMs} ms`));
    });
    this.#late.start(helloMs);
  }

  request(type: number, body: Uint8Array, answer: NodeAnswer): void {
    this.#access("write");
    try {
      const task = type === nodeMessage.hello.type ? this.#hello(body) : this.#ioctl(type, body);
      this.#underWay += 1;
      this.#runtime.scheduler.spawn(`request of ${this.name}`, () => this.#answer(task, answer));
    } catch (error) {
      answer.refuse(error);
    }
  }

  ended(): void {
    this.#late.cancel();
    this.#runtime.scheduler.spawn(`close of ${this.#node.name}`, async () => {
      await this.#release();
      this.#owner.ended();
    });
  }

  /** Tells the application, if it has said HELLO. */
  tell<T>(notice: Notice<T>, value: Partial<T>): void {
    this.#access("read");
    if (this.#opening !== null) this.#peer.deliver(notice, value);
  }

  /** Says that the node is gone, lets the requests under way have their ENODEV, and ends the connection. */
  gone(why: string): void {
    const text = `${this.#node.name} is gone: ${why}`.slice(0, maxText);
    this.#peer.deliver(nodeMessage.event, { kind: NodeEventKind.NODE_GONE, reason: "removed", text });
    this.#runtime.scheduler.spawn(`end of ${this.#node.name}`, async () => {
      const idle = (): boolean => {
        this.#access("read");
        return this.#underWay === 0;
      };
      await this.#replied.wait(idle, { deadline: noDeadline });
      this.#peer.end(new Error(text));
    });
  }

  /** @throws ControlError EPROTO nobody has said HELLO */
  #ioctl(type: number, body: Uint8Array): () => Promise<Uint8Array> {
    const opening = this.#opening;
    if (opening === null) throw controlError("EPROTO", "the first message on a node is HELLO");
    return async () => {
      this.#access("read");
      const file = this.#file ?? (await opening.wait({ deadline: noDeadline }));
      return file.request({ kind: "ioctl", type, body });
    };
  }

  /** @throws ControlError EPROTO it was said before, ProtocolError malformed */
  #hello(body: Uint8Array): () => Promise<Uint8Array> {
    const { process, name } = nodeMessage.hello.request.decode(body);
    if (this.#opening !== null) throw controlError("EPROTO", "HELLO was said before");
    const opening = new Completion<File>(this.#runtime, `opening of ${this.name}`);
    this.#opening = opening;
    this.#owner.greeted();
    return async () => {
      try {
        const file = await this.#open(process, name);
        this.#access("write");
        this.#file = file;
        opening.completeAll(file);
      } catch (error) {
        opening.fail(error);
        throw error;
      }
      return nodeMessage.hello.reply.encode({ features: nodeFeatures, node: this.#node.name });
    };
  }

  async #answer(task: () => Promise<Uint8Array>, answer: NodeAnswer): Promise<void> {
    try {
      answer.reply(await task());
    } catch (error) {
      answer.refuse(error);
    }
    this.#access("write");
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#replied.wake();
  }

  async #open(pid: number, comm: string): Promise<File> {
    const file = await this.#node.open({ pid, comm });
    try {
      await file.request({ kind: "listen", deliver: this.#peer.deliver });
      return file;
    } catch (error) {
      // The node went between the two.
      await file.close();
      throw error;
    }
  }

  async #release(): Promise<void> {
    this.#access("read");
    try {
      // Bounded by the driver's open; how long the driver takes to let go is bounded by its own deadlines.
      const file = await this.#opening?.wait({ deadline: noDeadline });
      await file?.close({ deadline: noDeadline });
    } catch (error) {
      this.#runtime.log("debug", "node.close", { node: this.#node.name, error });
    }
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}
