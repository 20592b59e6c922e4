/**
 * The attributes of one object: a device, a driver, a bus, a class. Each can be removed on its own, and all go with
 * the object; a removal waits until what runs on the removed attributes has ended, so nobody ever meets an object that
 * is being taken apart. Nothing is made per attribute before somebody looks.
 */
import { type Attribute, type AttributeGroup, defaultMode } from "./attribute.js";
import { AttributeNode } from "./attribute-node.js";
import { clashOf, directoryOf, pathsOf } from "./attribute-place.js";
import { KernelError } from "./error.js";
import { noDeadline, type Runtime, type WaitOptions } from "./runtime.js";
import type { Named } from "./sync/scheduler.js";

export interface AttributeSetInit {
  readonly attributes?: readonly Attribute[];
  readonly groups?: readonly AttributeGroup[];
}

export type AttributeEntry =
  | { readonly kind: "file"; readonly mode: number }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "directory" };

/** What there is once somebody has looked. */
class Opened {
  readonly nodes = new Map<string, AttributeNode>();
  /** The groups that have links. */
  readonly linked = new Set<AttributeGroup>();
  /** Removed, and something may still run on them. */
  readonly draining = new Set<AttributeNode>();
  readonly removed = new Set<string>();
}

const nothing: readonly never[] = Object.freeze([]);

export class AttributeSet implements Named {
  readonly #runtime: Runtime;
  readonly #owner: string;
  readonly #subject: unknown;
  /** Groups whose attributes nobody has looked at yet. */
  #unopened: readonly AttributeGroup[] = nothing;
  #opened: Opened | null = null;
  #state: "hidden" | "visible" | "removed" = "hidden";

  /**
   * @param owner the path of what has the attributes, @param subject what show and store are called with
   * @throws KernelError EEXIST two have one name, EINVAL a name that no file can have
   */
  constructor(runtime: Runtime, owner: string, subject: unknown, init: AttributeSetInit = {}) {
    this.#runtime = runtime;
    this.#owner = owner;
    this.#subject = subject;
    if (init.attributes !== undefined && init.attributes.length > 0) {
      this.addGroup({ attributes: init.attributes });
    }
    for (const group of init.groups ?? []) this.addGroup(group);
  }

  get name(): string {
    return `attributes of ${this.#owner}`;
  }

  /** Whether they can be found: from when the owner is registered until its removal begins. */
  get state(): "hidden" | "visible" | "removed" {
    this.#runtime.scheduler.access(this, "read");
    return this.#state;
  }

  /** The paths of all attributes; those of a named group start with its name and a slash. */
  list(): readonly string[] {
    return [...this.#open().keys()];
  }

  /** What stands in the set's directory, or in one of a named group. */
  names(directory = ""): readonly string[] {
    const prefix = directory === "" ? "" : `${directory}/`;
    const names = new Set<string>();
    const add = (path: string): void => {
      if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split("/", 1)[0] as string);
    };
    for (const path of this.#open().keys()) add(path);
    for (const group of this.#linked()) {
      if (group.name !== undefined) add(group.name);
      if ((group.name ?? "") === directory) for (const name of this.#linksOf(group).keys()) names.add(name);
    }
    names.delete("");
    return [...names];
  }

  entry(path: string): AttributeEntry | undefined {
    const nodes = this.#open();
    const node = nodes.get(path);
    if (node !== undefined) return { kind: "file", mode: node.mode };
    for (const other of nodes.keys()) if (other.startsWith(`${path}/`)) return { kind: "directory" };
    for (const group of this.#linked()) {
      if (group.name !== undefined && `${group.name}/`.startsWith(`${path}/`)) return { kind: "directory" };
      if (directoryOf(path) !== (group.name ?? "")) continue;
      const target = this.#linksOf(group).get(path.slice(path.lastIndexOf("/") + 1));
      if (target !== undefined) return { kind: "link", target };
    }
    return undefined;
  }

  /**
   * @throws KernelError ENODEV not there any more, ENOENT never was, EACCES the mode forbids it, EIO it can't be shown
   * or shows more than `attributeLimit` bytes, ETIMEDOUT, and what show throws
   */
  async read(path: string, options?: WaitOptions): Promise<string> {
    return this.#find(path).show(this.#subject, options);
  }

  /**
   * @returns how many bytes were taken
   * @throws KernelError ENODEV not there any more, ENOENT never was, EACCES the mode forbids it, EIO it can't be
   * stored, EINVAL `attributeLimit` bytes or more, ETIMEDOUT (it may still be stored), and what store throws
   */
  async write(path: string, text: string, options?: WaitOptions): Promise<number> {
    return this.#find(path).store(this.#subject, text, options);
  }

  /** @throws KernelError as `addGroup` */
  add(attribute: Attribute): void {
    this.addGroup({ attributes: [attribute] });
  }

  /**
   * Adds all of the group or nothing.
   * @throws KernelError EEXIST a name is taken, EINVAL a name that no file can have, ENODEV the owner is gone
   */
  addGroup(group: AttributeGroup): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state === "removed") throw new KernelError("ENODEV", `${this.name}: the owner is gone`);
    const groups = [...(this.#opened?.linked ?? nothing), ...this.#unopened];
    const clash = clashOf(
      this.#owner,
      {
        files: [
          ...(this.#opened?.nodes.keys() ?? nothing),
          ...this.#unopened.flatMap((other) => pathsOf(this.#owner, other)),
        ],
        directories: groups.flatMap(({ name, links }) => (links === undefined ? [] : (name ?? ""))),
      },
      group,
    );
    if (clash !== undefined) throw new KernelError("EEXIST", `${this.name}: there is a ${clash} already`);
    this.#unopened = [...this.#unopened, group];
    for (const path of pathsOf(this.#owner, group)) this.#opened?.removed.delete(path);
    if (this.#state === "visible" && group.isVisible !== undefined) this.#open();
  }

  /**
   * Removes one attribute and waits until nothing runs on it. Without effect when it is not there. Not from the
   * attribute itself: that is what `AttributeContext.removeSelf` is for.
   * @throws KernelError ETIMEDOUT: removed, but something still runs on it
   */
  async removeAttribute(path: string, options?: WaitOptions): Promise<void> {
    const node = this.#open().get(path);
    if (node !== undefined) await this.#remove([node], options);
  }

  /** Removes what is there of the group. Otherwise as `removeAttribute`. */
  async removeGroup(group: AttributeGroup, options?: WaitOptions): Promise<void> {
    const nodes = [...this.#open().values()].filter((node) => node.group === group);
    this.#opened?.linked.delete(group);
    await this.#remove(nodes, options);
  }

  publish(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#state = "visible";
    // Asked now, not when somebody looks: what it answers may change.
    if (this.#unopened.some(({ isVisible }) => isVisible !== undefined)) this.#open();
  }

  /** Refuses everything new. */
  beginRemoval(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#state = "removed";
    this.#unopened = nothing;
    for (const node of [...(this.#opened?.nodes.values() ?? nothing)]) node.beginRemoval();
  }

  /** Refuses everything new and waits, as long as it takes, for what is running. */
  async remove(): Promise<void> {
    this.beginRemoval();
    for (const node of this.#opened?.draining ?? nothing) await node.drain({ deadline: noDeadline });
  }

  #find(path: string): AttributeNode {
    const node = this.#open().get(path);
    if (node !== undefined) return node;
    if (this.#state !== "visible")
      throw new KernelError("ENODEV", `${this.name}: the owner is not registered`);
    if (this.#opened?.removed.has(path) === true)
      throw new KernelError("ENODEV", `${this.name}: ${path} was removed`);
    throw new KernelError("ENOENT", `${this.name}: there is no ${path}`);
  }

  #open(): ReadonlyMap<string, AttributeNode> {
    this.#runtime.scheduler.access(this, "read");
    if (this.#state !== "visible") return new Map();
    const groups = this.#unopened;
    this.#unopened = nothing;
    if (groups.length > 0) this.#opened ??= new Opened();
    for (const group of groups) {
      if (group.links !== undefined) this.#opened?.linked.add(group);
      const paths = pathsOf(this.#owner, group);
      for (const [index, attribute] of group.attributes.entries()) {
        const path = paths[index] as string;
        const mode = this.#modeOf(group, attribute);
        if (mode === 0) continue;
        const place = { path, attribute, group, mode };
        const moved = (...move: [AttributeNode, "removing" | "drained"]): void => this.#moved(...move);
        this.#opened?.nodes.set(path, new AttributeNode(this.#runtime, this.#owner, place, moved));
      }
    }
    return this.#opened?.nodes ?? new Map<string, AttributeNode>();
  }

  #linked(): Iterable<AttributeGroup> {
    return this.#state === "visible" ? (this.#opened?.linked ?? nothing) : nothing;
  }

  #linksOf(group: AttributeGroup): ReadonlyMap<string, string> {
    try {
      return group.links?.(this.#subject) ?? new Map<string, string>();
    } catch (error) {
      this.#runtime.log("error", "attribute.links-failed", { of: this.#owner, group: group.name, error });
      return new Map();
    }
  }

  #modeOf(group: AttributeGroup, attribute: Attribute): number {
    try {
      return group.isVisible?.(this.#subject, attribute) ?? defaultMode(attribute);
    } catch (error) {
      this.#runtime.log("error", "attribute.visibility-failed", {
        of: this.#owner,
        attribute: attribute.name,
        error,
      });
      return 0;
    }
  }

  async #remove(nodes: readonly AttributeNode[], options: WaitOptions | undefined): Promise<void> {
    for (const node of nodes) node.beginRemoval();
    for (const node of nodes) await node.drain(options);
  }

  #moved(node: AttributeNode, to: "removing" | "drained"): void {
    this.#runtime.scheduler.access(this, "write");
    const opened = this.#opened;
    if (opened === null) return;
    if (to === "drained") {
      opened.draining.delete(node);
      return;
    }
    opened.nodes.delete(node.path);
    opened.removed.add(node.path);
    opened.draining.add(node);
  }
}
