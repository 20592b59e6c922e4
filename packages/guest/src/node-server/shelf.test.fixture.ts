/**
 * A shelf without sockets and files: `visit(name)` is an application that comes to a node, with what it asks and what it is told
 * carried in order by tasks of the given runtime. Nothing waits while nothing is on its way.
 */
import { Completion, KernelError, noDeadline, type Runtime, WorkQueue } from "parhelion-core";
import { type Exchange, type NodeEvent, nodeMessage } from "parhelion-protocol";
import type { NodeDoor, NodeReception, NodeShelf, NodeVisit, ServableNode } from "./shelf.js";

/** An application at a node, from its coming to its going. */
export class Application {
  readonly events: Partial<NodeEvent>[] = [];
  /** What else it was told. */
  readonly notices: { readonly name: string; readonly value: unknown }[] = [];
  readonly #name: string;
  readonly #runtime: Runtime;
  readonly #toNode: WorkQueue;
  readonly #fromNode: WorkQueue;
  readonly #pending = new Set<Completion<Uint8Array>>();
  readonly #visit: NodeVisit;
  readonly #gone: Completion<string>;
  #state: "there" | "gone" = "there";

  constructor(runtime: Runtime, name: string, reception: NodeReception) {
    this.#runtime = runtime;
    this.#name = name;
    this.#toNode = new WorkQueue(runtime, `to the node from ${name}`);
    this.#fromNode = new WorkQueue(runtime, `from the node to ${name}`);
    this.#gone = new Completion(runtime, `end of ${name}`);
    this.#visit = reception.admit(
      {
        deliver: (notice, value) =>
          this.#arrives(notice.name, () => {
            if (notice.type === nodeMessage.event.type) this.events.push(value as Partial<NodeEvent>);
            else this.notices.push({ name: notice.name, value });
          }),
        end: ({ message }) => this.#arrives("end", () => this.#end(message)),
      },
      () => undefined,
    );
  }

  /** @throws what the node refuses with; KernelError ENODEV the connection is over */
  async call<Q, R>(exchange: Exchange<Q, R>, request: Partial<Q> = {}): Promise<R> {
    const reply = new Completion<Uint8Array>(this.#runtime, `${exchange.name} of ${this.#name}`);
    this.#runtime.scheduler.access(this.#toNode, "write");
    if (this.#state === "gone") throw new KernelError("ENODEV", `${this.#name} is not at its node any more`);
    this.#pending.add(reply);
    const body = exchange.request.encode(request);
    const answer = {
      reply: (value: Uint8Array) => this.#arrives("reply", () => reply.completeAll(value)),
      refuse: (error: unknown) => this.#arrives("refusal", () => reply.fail(error)),
    };
    this.#toNode.queue({ name: exchange.name, run: () => this.#visit.request(exchange.type, body, answer) });
    try {
      return exchange.reply.decode(await reply.wait({ deadline: noDeadline }));
    } finally {
      this.#runtime.scheduler.access(this.#toNode, "write");
      this.#pending.delete(reply);
    }
  }

  hello(): Promise<unknown> {
    return this.call(nodeMessage.hello, { process: 1, name: this.#name });
  }

  /** It dies, or closes its node. Idempotent. */
  leave(): void {
    this.#end("it left");
  }

  /** Why it is gone, once it is. */
  async gone(): Promise<string> {
    return this.#gone.wait({ deadline: noDeadline });
  }

  #arrives(name: string, run: () => void): void {
    this.#fromNode.queue({ name, run });
  }

  #end(why: string): void {
    this.#runtime.scheduler.access(this.#toNode, "write");
    if (this.#state === "gone") return;
    this.#state = "gone";
    for (const reply of this.#pending) reply.fail(new KernelError("ENODEV", `${this.#name}: ${why}`));
    this.#toNode.queue({ name: "end", run: () => this.#visit.ended() });
    this.#gone.completeAll(why);
  }
}

interface Door {
  readonly reception: NodeReception;
  state: "shut" | "open" | "closed";
}

export class InMemoryShelf implements NodeShelf {
  readonly where = "in memory";
  readonly present = true;
  readonly name = "shelf";
  published: string | null = null;
  readonly #runtime: Runtime;
  readonly #doors = new Map<string, Door>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  door(node: ServableNode, reception: NodeReception): NodeDoor {
    const door: Door = { reception, state: "shut" };
    this.#access("write");
    this.#doors.set(node.name, door);
    return {
      open: async () => {
        this.#access("write");
        if (door.state === "shut") door.state = "open";
      },
      close: () => {
        this.#access("write");
        door.state = "closed";
      },
    };
  }

  /** @throws KernelError ENOENT no such node can be opened now */
  visit(node: string): Application {
    this.#access("read");
    const door = this.#doors.get(node);
    if (door?.state !== "open") throw new KernelError("ENOENT", `${node} can't be opened`);
    const number = this.#runtime.ids.next(`application at ${node}`);
    return new Application(this.#runtime, `application ${number} at ${node}`, door.reception);
  }

  async publish(text: string): Promise<void> {
    this.#access("write");
    this.published = text;
  }

  async retract(): Promise<void> {
    this.#access("write");
    this.published = null;
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}
