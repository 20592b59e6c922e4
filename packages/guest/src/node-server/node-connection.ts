/**
 * One connection to a node's socket: an open file. HELLO opens it, the driver's requests go to it, the connection's end closes
 * it, whoever ends it and whatever is under way.
 */
import type { Duplex } from "node:stream";
import { type DeviceNode, noDeadline, type OpenFile, type Runtime } from "parhelion-core";
import { ControlConnection, controlError, nodeMessage } from "parhelion-protocol";
import { NodeEventKind, type NodeRequest } from "../dxg/request.js";

/** Within this time a connection says HELLO, in ms. */
const helloMs = 10_000;
/** Feature bits of the node. Nothing optional yet. */
const nodeFeatures = 0n;

type File = OpenFile<NodeRequest, Uint8Array>;

/** Each is called once at most. */
export interface NodeConnectionOwner {
  /** HELLO was said. */
  greeted(): void;
  /** The file is closed and released. */
  ended(): void;
}

export class NodeConnection {
  readonly #runtime: Runtime;
  readonly #node: DeviceNode<NodeRequest, Uint8Array>;
  readonly #connection: ControlConnection;
  /** Replies that are on their way. */
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #greeted: () => void;
  #opening: Promise<File> | null = null;

  constructor(
    runtime: Runtime,
    node: DeviceNode<NodeRequest, Uint8Array>,
    stream: Duplex,
    owner: NodeConnectionOwner,
  ) {
    this.#greeted = owner.greeted;
    this.#runtime = runtime;
    this.#node = node;
    this.#connection = new ControlConnection(stream, { clock: runtime.clock, peer: "the application" });
    this.#connection.onRequest((type, body) => this.#track(this.#serve(type, body)));
    const late = runtime.clock.setTimer(helloMs, () => {
      if (this.#opening === null) this.#connection.close(new Error(`no HELLO within ${helloMs} ms`));
    });
    this.#connection.onClose(() => {
      late.cancel();
      runtime.scheduler.spawn(`close of ${node.name}`, async () => {
        await this.#release();
        owner.ended();
      });
    });
  }

  /** Says that the node is gone, lets the requests under way have their ENODEV, and ends the connection. */
  gone(): void {
    const text = `${this.#node.name} is gone`;
    this.#connection.notify(nodeMessage.event, { kind: NodeEventKind.NODE_GONE, reason: "removed", text });
    this.#runtime.scheduler.spawn(`end of ${this.#node.name}`, async () => {
      await Promise.allSettled(this.#underWay);
      this.#connection.close(new Error(text));
    });
  }

  async #serve(type: number, body: Uint8Array): Promise<Uint8Array> {
    if (type === nodeMessage.hello.type) return this.#hello(body);
    if (this.#opening === null) throw controlError("EPROTO", "the first message on a node is HELLO");
    const file = await this.#opening;
    return file.request({ kind: "ioctl", type, body });
  }

  async #hello(body: Uint8Array): Promise<Uint8Array> {
    const { process, name } = nodeMessage.hello.request.decode(body);
    if (this.#opening !== null) throw controlError("EPROTO", "HELLO was said before");
    this.#greeted();
    this.#opening = this.#open(process, name);
    await this.#opening;
    return nodeMessage.hello.reply.encode({ features: nodeFeatures, node: this.#node.name });
  }

  async #open(pid: number, comm: string): Promise<File> {
    const file = await this.#node.open({ pid, comm });
    try {
      await file.request({
        kind: "listen",
        deliver: (event) => this.#connection.notify(nodeMessage.event, event),
      });
      return file;
    } catch (error) {
      // The node went between the two.
      await file.close();
      throw error;
    }
  }

  async #release(): Promise<void> {
    try {
      const file = await this.#opening;
      // Closed is closed; how long the driver takes to let go is bounded by its own deadlines.
      await file?.close({ deadline: noDeadline });
    } catch (error) {
      this.#runtime.log("debug", "node.close", { node: this.#node.name, error });
    }
  }

  #track(reply: Promise<Uint8Array>): Promise<Uint8Array> {
    const tracked = reply.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
    return tracked;
  }
}
