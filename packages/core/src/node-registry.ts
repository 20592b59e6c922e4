/** The nodes of a system: names and minors, and who wants to know when one comes or goes (a node server does). */
import { type CharRegion, type CharRegionInit, minorCount } from "./char-region.js";
import { CharRegions } from "./char-regions.js";
import { KernelError } from "./error.js";
import type { OpenFile } from "./file.js";
import type { Opener } from "./file-operations.js";
import { type DeviceNode, miscMajor } from "./node.js";
import type { Runtime, WaitOptions } from "./runtime.js";
import type { Named } from "./sync/scheduler.js";

/** Called synchronously. On `removed` the node's files answer ENODEV already. */
export interface NodeWatcher {
  added(node: DeviceNode): void;
  removed(node: DeviceNode): void;
}

/** Of misc nodes: smaller ones are only for who asks for them (drivers/char/misc.c). */
const firstDynamicMinor = 256;

export class NodeRegistry implements Named {
  readonly name = "nodes";
  readonly #runtime: Runtime;
  readonly #nodes = new Map<string, DeviceNode>();
  readonly #numbers = new Map<number, DeviceNode>();
  readonly #regions: CharRegions;
  readonly #misc: CharRegion;
  readonly #watchers = new Set<NodeWatcher>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#regions = new CharRegions(runtime);
    this.#misc = this.#regions.register(
      { name: "misc", major: miscMajor, count: minorCount },
      firstDynamicMinor,
    );
  }

  /**
   * Takes a range of character device numbers, to be given to nodes and back by `unregisterRegion`.
   * @throws KernelError EINVAL no such numbers, EBUSY some of them, or every major there is to hand out, are taken
   */
  registerRegion(init: CharRegionInit): CharRegion {
    return this.#regions.register(init);
  }

  /** @throws KernelError EBUSY nodes have minors of it, EINVAL it is not registered */
  unregisterRegion(region: CharRegion): void {
    // Who takes a minor does it under this name.
    this.#runtime.scheduler.access(this, "read");
    this.#regions.unregister(region);
  }

  get(name: string): DeviceNode | undefined {
    this.#runtime.scheduler.access(this, "read");
    const node = this.#nodes.get(name);
    return node?.state === "live" ? node : undefined;
  }

  byNumber(major: number, minor: number): DeviceNode | undefined {
    this.#runtime.scheduler.access(this, "read");
    const node = this.#numbers.get(keyOf(major, minor));
    return node?.state === "live" ? node : undefined;
  }

  /**
   * Opens what has that number.
   * @throws KernelError ENODEV no misc node has it, ENXIO no other one has, and as `DeviceNode.open`
   */
  async open(major: number, minor: number, opener?: Opener, options?: WaitOptions): Promise<OpenFile> {
    const node = this.byNumber(major, minor);
    if (node !== undefined) return node.open(opener, options);
    const code = major === miscMajor ? "ENODEV" : "ENXIO";
    throw new KernelError(code, `there is no device ${major}:${minor}`);
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
    this.#runtime.scheduler.access(this, "write");
    this.#watchers.add(subscription);
    for (const node of this.list()) this.#tell(subscription, "added", node);
    return () => {
      this.#runtime.scheduler.access(this, "write");
      this.#watchers.delete(subscription);
    };
  }

  /**
   * Takes the name and a minor without showing the node yet, so that what can fail comes before what others see.
   * @throws KernelError EEXIST name in use, EBUSY the fixed minor or every minor is in use, EINVAL its region is not
   * registered
   */
  reserve(node: DeviceNode): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#nodes.has(node.name)) throw new KernelError("EEXIST", `there is a node ${node.name} already`);
    const region = node.region ?? this.#misc;
    this.#regions.assertRegistered(region);
    const minor = region.take(node.fixedMinor, node.name);
    this.#numbers.set(keyOf(region.major, minor), node);
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
    if (node.minor !== null) {
      this.#numbers.delete(keyOf(node.major, node.minor));
      (node.region ?? this.#misc).give(node.minor);
    }
    node.revoke();
    for (const watcher of [...this.#watchers]) this.#tell(watcher, "removed", node);
  }

  #tell(watcher: NodeWatcher, what: "added" | "removed", node: DeviceNode): void {
    try {
      watcher[what](node);
    } catch (error) {
      this.#runtime.log("error", "node.watcher-failed", { node: node.name, what, error });
    }
  }
}

function keyOf(major: number, minor: number): number {
  return major * minorCount + minor;
}
