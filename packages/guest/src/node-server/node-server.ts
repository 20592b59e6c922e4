/**
 * Shows a system's nodes as sockets in the run directory, and writes down beside them what applications must know without asking.
 * One thing at a time changes the directory; what is asked of live connections does not wait for that.
 */
import { existsSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { type DeviceNode, type System, type WaitOptions, WorkQueue } from "parhelion-core";
import { liveVgpus } from "../dxg/node.js";
import type { NodeRequest } from "../dxg/request.js";
import { NodeSocket } from "./node-socket.js";

export const ATTRIBUTES_FILE = "attributes.json";

/** What attributes.json holds. */
export interface GuestAttributes {
  /** Names of the vGPUs' nodes whose sockets are there. */
  readonly nodes: readonly string[];
  /** What every vGPU understands; empty without one. */
  readonly wgslLanguageFeatures: readonly string[];
}

export class NodeServer {
  readonly #system: System;
  readonly #directory: string;
  readonly #work: WorkQueue;
  readonly #sockets = new Map<DeviceNode, NodeSocket>();
  readonly #listening = new Set<DeviceNode>();
  #attributes: "current" | "stale" = "current";
  readonly #leaving = new Set<NodeSocket>();
  readonly #stopWatching: () => void;
  /** One work item: however often it is asked for before it runs, the file is written once. */
  readonly #writing = { name: "write attributes", run: () => this.#writeAttributes() };

  constructor(system: System, directory: string) {
    this.#system = system;
    this.#directory = directory;
    this.#work = new WorkQueue(system.runtime, "node server");
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
    for (const socket of this.#sockets.values()) this.#leave(socket);
    this.#sockets.clear();
    await this.#work.flush(options);
    for (const socket of this.#leaving) await socket.released(options);
    await this.#work.destroy(options);
    await rm(path.join(this.#directory, ATTRIBUTES_FILE), { force: true });
  }

  #onAdded(node: DeviceNode): void {
    const socket = new NodeSocket(
      this.#system.runtime,
      node as DeviceNode<NodeRequest, Uint8Array>,
      path.join(this.#directory, node.name),
    );
    this.#sockets.set(node, socket);
    this.#work.queue({
      name: `listen on ${node.name}`,
      run: async () => {
        await socket.listen();
        if (this.#sockets.get(node) !== socket) return;
        this.#listening.add(node);
        // Here and not as work of its own: who waits for the nodes there are waits for this, too.
        await this.#writeAttributes();
      },
    });
  }

  #onRemoved(node: DeviceNode): void {
    const socket = this.#sockets.get(node);
    if (socket === undefined) return;
    this.#sockets.delete(node);
    this.#listening.delete(node);
    this.#leave(socket);
    this.attributesChanged();
  }

  #leave(socket: NodeSocket): void {
    socket.gone();
    this.#leaving.add(socket);
    this.#system.runtime.scheduler.spawn("end of a node", async () => {
      await socket.released({ deadline: Number.POSITIVE_INFINITY });
      this.#leaving.delete(socket);
    });
  }

  /** Nodes are served all the same: what the file tells is a convenience. Said once until it is written again. */
  #notWritten(file: string, error: unknown): void {
    const { runtime } = this.#system;
    if (!existsSync(this.#directory)) {
      // The host has removed the guest, and its directory with it: nobody is left to read.
      runtime.log("debug", "attributes.unread", { directory: this.#directory });
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

  /** Readers see the old file or the new one, never a part. */
  async #writeAttributes(): Promise<void> {
    const vgpus = liveVgpus(this.#system).filter((node) => this.#listening.has(node as DeviceNode));
    const [first = [], ...rest] = vgpus.map(({ vgpu }) => vgpu.wgslLanguageFeatures);
    const attributes: GuestAttributes = {
      nodes: vgpus.map((node) => node.name),
      wgslLanguageFeatures: first.filter((feature) => rest.every((features) => features.includes(feature))),
    };
    const file = path.join(this.#directory, ATTRIBUTES_FILE);
    try {
      await writeFile(`${file}.new`, `${JSON.stringify(attributes)}\n`);
      await rename(`${file}.new`, file);
      this.#attributes = "current";
    } catch (error) {
      this.#notWritten(file, error);
    }
  }
}
