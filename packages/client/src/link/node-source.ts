/** The guest's nodes as adapters: what `$PARHELION_DIR` holds, read again at every request because vGPUs come and go. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type AdapterDescription, type AdapterInfo, type Clock, ioctl } from "parhelion-protocol";
import type { AdapterLink, AdapterSource } from "./adapter-source.js";
import { NodeAdapter, type QueueConnector } from "./node-adapter.js";
import { NodeConnection } from "./node-connection.js";

const controlNode = "dxg";
const attributesFile = "attributes.json";

export interface NodeSourceOptions {
  /** The guest's run directory; undefined outside of a guest. Asked at every use. */
  readonly directory: () => string | undefined;
  readonly clock: Clock;
  readonly connectQueue: QueueConnector;
}

export class NodeSource implements AdapterSource {
  readonly #options: NodeSourceOptions;
  /** One connection a node for the whole process: the guest counts what a process has by its open nodes. */
  readonly #nodes = new Map<string, Promise<NodeConnection>>();
  readonly #collected = new FinalizationRegistry<() => void>((close) => close());
  readonly #changeListeners = new Set<() => void>();
  #why: string | undefined = "requestAdapter was not called yet.";

  constructor(options: NodeSourceOptions) {
    this.#options = options;
  }

  whyNone(): string | undefined {
    return this.#why;
  }

  wgslLanguageFeatures(): readonly string[] {
    const directory = this.#options.directory();
    if (directory === undefined) return [];
    try {
      const attributes: unknown = JSON.parse(readFileSync(join(directory, attributesFile), "utf8"));
      if (typeof attributes !== "object" || attributes === null) return [];
      const features: unknown = Reflect.get(attributes, "wgslLanguageFeatures");
      return Array.isArray(features) ? features.filter((name) => typeof name === "string") : [];
    } catch {
      // No guest there: no adapter either, and whyNone says why.
      return [];
    }
  }

  onAdaptersChanged(listener: () => void): () => void {
    this.#changeListeners.add(listener);
    this.#listenToChanges();
    return () => this.#changeListeners.delete(listener);
  }

  /** Without a guest there is nothing to hear; the next `openAdapter` opens the control node again. */
  #listenToChanges(): void {
    const directory = this.#options.directory();
    if (directory !== undefined) this.#node(directory, controlNode).catch(() => {});
  }

  async openAdapter(accept: (description: AdapterDescription) => boolean): Promise<AdapterLink | null> {
    const directory = this.#options.directory();
    if (directory === undefined) {
      this.#why = "PARHELION_DIR is not set: this process was not started in a guest.";
      return null;
    }
    try {
      const adapter = await this.#firstAccepted(directory, accept);
      if (adapter !== null) this.#why = undefined;
      return adapter;
    } catch (error) {
      this.#why = `The guest in ${directory} does not answer: ${describe(error)}.`;
      return null;
    }
  }

  async #firstAccepted(
    directory: string,
    accept: (description: AdapterDescription) => boolean,
  ): Promise<AdapterLink | null> {
    const control = await this.#node(directory, controlNode);
    const { adapters } = await control.call(ioctl.enumAdapters3, {});
    if (adapters.length === 0) this.#why = `The guest in ${directory} has no vGPU now.`;
    for (const info of adapters) {
      const adapter = await this.#open(directory, info);
      if (adapter === null) continue;
      const close = adapter.close;
      if (accept(adapter.description)) {
        this.#collected.register(adapter, close);
        return adapter;
      }
      close();
      this.#why = `No vGPU of the guest in ${directory} is what the options ask for.`;
    }
    return null;
  }

  /** Null when this one went away or fails meanwhile: the next may do. */
  async #open(directory: string, info: AdapterInfo): Promise<NodeAdapter | null> {
    try {
      const node = await this.#node(directory, info.node);
      return await NodeAdapter.open(node, info.luid, directory, this.#options.connectQueue);
    } catch (error) {
      this.#why = `The node ${info.node} in ${directory} gives no adapter: ${describe(error)}.`;
      return null;
    }
  }

  #node(directory: string, name: string): Promise<NodeConnection> {
    const path = join(directory, name);
    const known = this.#nodes.get(path);
    if (known !== undefined) return known;
    const changed = () => {
      for (const listener of [...this.#changeListeners]) listener();
    };
    const opening = NodeConnection.open(path, this.#options.clock, changed);
    this.#nodes.set(path, opening);
    const forget = () => {
      if (this.#nodes.get(path) === opening) this.#nodes.delete(path);
    };
    opening.then((node) => {
      node.onClose(forget);
      // The guest kernel has gone, and every vGPU with it.
      if (name === controlNode) node.onClose(changed);
    }, forget);
    return opening;
  }

  /** Closes every node: what this process had in the guest is freed there. */
  async close(): Promise<void> {
    const nodes = [...this.#nodes.values()];
    this.#nodes.clear();
    this.#changeListeners.clear();
    for (const node of nodes) (await node.catch(() => undefined))?.close();
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
