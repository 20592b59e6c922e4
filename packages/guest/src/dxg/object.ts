/**
 * What a process has on a vGPU. Objects form a tree (adapter → device → context → queue, device → allocation, fence), each with
 * a handle of the guest's own and the host's handle. Both kinds never meet outside this driver, so that a number the host
 * uses again can't name the wrong thing here.
 */
import type { Named, Runtime } from "parhelion-core";
import { HandleTable } from "parhelion-protocol";

export type DxgKind = "adapter" | "device" | "context" | "hwqueue" | "allocation" | "syncobject";

export interface Loss {
  readonly reason: string;
  readonly text: string;
}

export interface DxgObject {
  readonly kind: DxgKind;
  /** The guest's handle. */
  readonly handle: number;
  /** The host's handle. */
  readonly host: number;
  readonly parent: DxgObject | null;
  /** In the order of their creation. */
  readonly children: Set<DxgObject>;
  /** Set on a device that works no more. */
  loss: Loss | null;
  /** What the guest kernel itself holds for it. */
  readonly release: () => void;
}

/** Most objects that one process can have at a time. */
export const MAX_OBJECTS = 65_536;

export class DxgObjects implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #table = new HandleTable<DxgObject>({ limit: MAX_OBJECTS });
  readonly #roots = new Set<DxgObject>();

  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
  }

  get size(): number {
    this.access("read");
    return this.#table.size;
  }

  /** Precondition: the parent is linked. @throws ControlError EMFILE at the limit */
  link(kind: DxgKind, host: number, parent: DxgObject | null, release: () => void = () => {}): DxgObject {
    this.access("write");
    const draft = { kind, host, parent, children: new Set<DxgObject>(), loss: null, release };
    const object: { -readonly [K in keyof DxgObject]: DxgObject[K] } = { ...draft, handle: 0 };
    object.handle = this.#table.add(kind, object);
    (parent?.children ?? this.#roots).add(object);
    return object;
  }

  /** @throws ControlError EBADF */
  get(kind: DxgKind, handle: number): DxgObject {
    this.access("read");
    return this.#table.get(kind, handle);
  }

  /** Whether it still is what its handle names. */
  linked(object: DxgObject): boolean {
    this.access("read");
    return (object.parent?.children ?? this.#roots).has(object);
  }

  /**
   * Makes the object and all below it unknown. From here on the host may use their numbers again.
   * @returns them in the order in which they have to go: the reverse of their creation
   */
  unlink(object: DxgObject): DxgObject[] {
    this.access("write");
    const order = [...object.children].reverse().flatMap((child) => this.unlink(child));
    this.#table.remove(object.kind, object.handle);
    (object.parent?.children ?? this.#roots).delete(object);
    return [...order, object];
  }

  unlinkAll(): DxgObject[] {
    this.access("write");
    return [...this.#roots].reverse().flatMap((root) => this.unlink(root));
  }

  /** The device with the host's handle. */
  deviceOf(host: number): DxgObject | undefined {
    this.access("read");
    for (const adapter of this.#roots) {
      for (const child of adapter.children) if (child.kind === "device" && child.host === host) return child;
    }
    return undefined;
  }

  /** Declares to the scheduler that the objects, or what they say of themselves, are read or changed. */
  access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}
