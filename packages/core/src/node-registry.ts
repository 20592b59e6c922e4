/** The nodes of a system: names and minors, and who wants to know when one comes or goes (a node server does). */
import { KernelError } from "./error.js";
import { type DeviceNode, miscMajor } from "./node.js";
import type { Runtime } from "./runtime.js";
import type { Named } from "./sync/scheduler.js";

/** Called synchronously. On `removed` the node's files answer ENODEV already. */
export interface NodeWatcher {
  added(node: DeviceNode): void;
  removed(node: DeviceNode): void;
}

/** Fixed minors end at 255, and numbers handed out follow up to 20 bits (drivers/char/misc.c, MINORBITS). */
const firstDynamicMinor = 256;
const lastMinor = 2 ** 20 - 1;

export class NodeRegistry implements Named {
  readonly name = "nodes";
  readonly #runtime: Runtime;
  readonly #nodes = new Map<string, DeviceNode>();
  readonly #minors = new Map<number, DeviceNode>();
  readonly #watchers = new Set<NodeWatcher>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get(name: string): DeviceNode | undefined {
    this.#runtime.scheduler.access(this, "read");
    const node = this.#nodes.get(name);
    return node?.state === "live" ? node : undefined;
  }

  byNumber(major: number, minor: number): DeviceNode | undefined {
    this.#runtime.scheduler.access(this, "read");
    const node = major === miscMajor ? this.#minors.get(minor) : undefined;
    return node?.state === "live" ? node : undefined;
  }

  list(): readonly DeviceNode[] {
    this.#runtime.scheduler.access(this, "read");
    return [...this.#nodes.values()].filter((node) => node.state === "live");
  }

  /** Tells of the nodes there are, and of every change from then on. @returns a function that ends it */
  watch(watcher: NodeWatcher): () => void {
    const subscription: NodeWatcher = {
      added: (node) => watcher.added(node),
      removed: (node) => watcher.removed(node),
    };
    this.#watchers.add(subscription);
    for (const node of this.list()) this.#tell(subscription, "added", node);
    return () => {
      this.#watchers.delete(subscription);
    };
  }

  /**
   * Takes the name and a minor without showing the node yet, so that what can fail comes before what others see.
   * @throws KernelError EEXIST name in use, EBUSY the fixed minor or every minor is in use
   */
  reserve(node: DeviceNode): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#nodes.has(node.name)) throw new KernelError("EEXIST", `there is a node ${node.name} already`);
    const minor = this.#allocate(node);
    this.#minors.set(minor, node);
    this.#nodes.set(node.name, node);
    node.reserve(minor);
  }

  /** Shows a reserved node: from here on it can be opened. */
  publish(node: DeviceNode): void {
    this.#runtime.scheduler.access(this, "write");
    node.publish();
    for (const watcher of [...this.#watchers]) this.#tell(watcher, "added", node);
  }

  /** Hides the node and revokes its files. Nothing is waited for. */
  unpublish(node: DeviceNode): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#nodes.get(node.name) !== node) return;
    this.#nodes.delete(node.name);
    if (node.minor !== null) this.#minors.delete(node.minor);
    node.revoke();
    for (const watcher of [...this.#watchers]) this.#tell(watcher, "removed", node);
  }

  #allocate(node: DeviceNode): number {
    if (node.fixedMinor !== null) {
      if (!this.#minors.has(node.fixedMinor)) return node.fixedMinor;
      throw new KernelError("EBUSY", `node ${node.name}: minor ${node.fixedMinor} is in use; leave it out`);
    }
    for (let minor = firstDynamicMinor; minor <= lastMinor; minor += 1) {
      if (!this.#minors.has(minor)) return minor;
    }
    throw new KernelError("EBUSY", `node ${node.name}: every minor up to ${lastMinor} is in use`);
  }

  #tell(watcher: NodeWatcher, what: "added" | "removed", node: DeviceNode): void {
    try {
      watcher[what](node);
    } catch (error) {
      this.#runtime.log("error", "node.watcher-failed", { node: node.name, what, error });
    }
  }
}
