/**
 * Shows a system's nodes on a shelf, and publishes there what applications must know without asking. One thing at a time changes
 * the shelf; what is asked of live connections does not wait for that.
 */
import {
  type DeviceNode,
  invoke,
  type Named,
  noDeadline,
  type System,
  type WaitOptions,
  WorkQueue,
} from "parhelion-core";
import { nodeMessage } from "parhelion-protocol";
import { CONTROL_NODE, liveVgpus, VgpuNode } from "../dxg/node.js";
import { ServedNode } from "./served-node.js";
import type { NodeShelf, ServableNode } from "./shelf.js";

export const ATTRIBUTES_FILE = "attributes.json";

/** What attributes.json holds. */
export interface GuestAttributes {
  /** Names of the vGPUs' nodes whose sockets are there. */
  readonly nodes: readonly string[];
  /** What every vGPU understands; empty without one. */
  readonly wgslLanguageFeatures: readonly string[];
}

export class NodeServer implements Named {
  readonly name = "node server";
  readonly #system: System;
  readonly #shelf: NodeShelf;
  readonly #work: WorkQueue;
  readonly #served = new Map<DeviceNode, ServedNode>();
  readonly #listening = new Set<DeviceNode>();
  #attributes: "current" | "stale" = "current";
  readonly #leaving = new Set<ServedNode>();
  readonly #stopWatching: () => void;
  /** One work item: however often it is asked for before it runs, the file is written once. */
  readonly #writing = { name: "write attributes", run: () => this.#writeAttributes() };

  constructor(system: System, shelf: NodeShelf) {
    this.#system = system;
    this.#shelf = shelf;
    this.#work = new WorkQueue(system.runtime, "work of the node server");
    this.#stopWatching = system.nodes.watch({
      added: (node) => this.#onAdded(node),
      removed: (node) => this.#onRemoved(node),
    });
    this.attributesChanged();
  }

  /** Has the attributes written again. */
  attributesChanged(): void {
    this.#work.queue(this.#writing);
  }

  /** Waits until the directory shows the nodes there are. @throws KernelError ETIMEDOUT */
  async settled(options?: WaitOptions): Promise<void> {
    await this.#work.flush(options);
  }

  /** Precondition: the nodes are gone. Waits for the last files, and clears the directory. @throws KernelError ETIMEDOUT */
  async stop(options?: WaitOptions): Promise<void> {
    this.#stopWatching();
    this.#access("write");
    for (const [node, served] of this.#served) this.#leave(node, served);
    this.#served.clear();
    await this.#work.flush(options);
    this.#access("read");
    for (const served of [...this.#leaving]) await served.released(options);
    await this.#work.destroy(options);
    await invoke(this.#system.runtime, "shelf.retract", this, () => this.#shelf.retract());
  }

  #onAdded(node: DeviceNode): void {
    const { runtime } = this.#system;
    const served = new ServedNode(runtime, node as ServableNode, this.#shelf);
    this.#access("write");
    this.#served.set(node, served);
    this.#work.queue({
      name: `listen on ${node.name}`,
      run: async () => {
        await invoke(runtime, "shelf.listen", this, () => served.listen());
        this.#access("write");
        if (this.#served.get(node) !== served) return;
        this.#listening.add(node);
        // Here and not as work of its own: who waits for the nodes there are waits for this, too.
        await this.#writeAttributes();
        if (node instanceof VgpuNode) this.#tellAdaptersChanged();
      },
    });
  }

  #onRemoved(node: DeviceNode): void {
    this.#access("write");
    const served = this.#served.get(node);
    if (served === undefined) return;
    this.#served.delete(node);
    this.#listening.delete(node);
    this.#leave(node, served);
    this.attributesChanged();
    if (node instanceof VgpuNode) this.#tellAdaptersChanged();
  }

  /** Whoever hears of a vGPU can open it. */
  #tellAdaptersChanged(): void {
    this.#access("read");
    for (const [node, served] of this.#served)
      if (node.name === CONTROL_NODE) served.tell(nodeMessage.adaptersChanged, {});
  }

  #leave(node: DeviceNode, served: ServedNode): void {
    served.gone(node instanceof VgpuNode ? node.vgpu.goneBecause : "the guest kernel stops");
    this.#leaving.add(served);
    this.#system.runtime.scheduler.spawn("end of a node", async () => {
      await served.released({ deadline: noDeadline });
      this.#access("write");
      this.#leaving.delete(served);
    });
  }

  /** Nodes are served all the same: what the file tells is a convenience. Said once until it is written again. */
  #notWritten(error: unknown): void {
    const { runtime } = this.#system;
    const { present, where: file } = this.#shelf;
    if (!present) {
      // The host has removed the guest, and its directory with it: nobody is left to read.
      runtime.log("debug", "attributes.unread", { file });
      return;
    }
    if (this.#attributes === "stale") return;
    this.#attributes = "stale";
    runtime.log("error", "attributes.not-written", {
      file,
      reason: error instanceof Error ? error.message : String(error),
      effect: "programs may see no WGSL language features; their GPUs work",
      remedy: "make room or permit writing there; the next change of the nodes writes the file again",
    });
  }

  async #writeAttributes(): Promise<void> {
    this.#access("read");
    const vgpus = liveVgpus(this.#system).filter((node) => this.#listening.has(node as DeviceNode));
    const [first = [], ...rest] = vgpus.map(({ vgpu }) => vgpu.wgslLanguageFeatures);
    const attributes: GuestAttributes = {
      nodes: vgpus.map((node) => node.name),
      wgslLanguageFeatures: first.filter((feature) => rest.every((features) => features.includes(feature))),
    };
    const text = `${JSON.stringify(attributes)}\n`;
    try {
      await invoke(this.#system.runtime, "shelf.publish", this, () => this.#shelf.publish(text));
      this.#attributes = "current";
    } catch (error) {
      this.#notWritten(error);
    }
  }

  #access(mode: "read" | "write"): void {
    this.#system.runtime.scheduler.access(this, mode);
  }
}
