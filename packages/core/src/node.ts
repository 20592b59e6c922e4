/**
 * A device node: the name under which processes reach a device. It is visible between `publish` and `revoke`; an open
 * that races with the removal either gets a file that answers ENODEV or no file at all, and never leaves one behind.
 */
import type { CharRegion } from "./char-region.js";
import { KernelError } from "./error.js";
import { OpenFile } from "./file.js";
import type { FileOperations, Opener } from "./file-operations.js";
import type { Runtime, WaitOptions } from "./runtime.js";
import { StateMachine, type Transitions } from "./state-machine.js";
import type { Counted } from "./sync/refcount.js";
import type { Named } from "./sync/scheduler.js";

export interface NodeInit<Req = unknown, Res = unknown> {
  /** Unique in its system, without a slash: the file name in the run directory. */
  readonly name: string;
  /** Whose numbers the node gets; without it it is a misc node. */
  readonly region?: CharRegion;
  /**
   * A fixed number: of the region, or 0 … 255 for a misc node. Without it the registry takes the lowest free one of the
   * region, for a misc node from 256 on.
   */
  readonly minor?: number;
  /** Permission bits, for example 0o666; told in DEVMODE. */
  readonly mode?: number;
  /** Who owns it; root if not given. Told in DEVUID and DEVGID. */
  readonly uid?: number;
  readonly gid?: number;
  /**
   * Called for each open. All that it needs must exist before the node is added: the node is visible at once.
   * Throws to refuse.
   */
  open(file: OpenFile<Req, Res>): FileOperations<Req, Res> | Promise<FileOperations<Req, Res>>;
}

/** The device that a node belongs to. */
export interface NodeOwner extends Counted {
  readonly devpath: string;
}

type NodeState = "hidden" | "live" | "dead";

const transitions: Transitions<NodeState> = { hidden: ["live"], live: ["dead"], dead: [] };

/** The major of the nodes that have no region of their own. */
export const miscMajor = 10;

export class DeviceNode<Req = unknown, Res = unknown> implements Named {
  readonly name: string;
  readonly major: number;
  /** Null for a misc node. */
  readonly region: CharRegion | null;
  readonly fixedMinor: number | null;
  readonly mode: number | null;
  readonly uid: number;
  readonly gid: number;
  readonly #runtime: Runtime;
  readonly #open: NodeInit<Req, Res>["open"];
  readonly #lifecycle: StateMachine<NodeState>;
  readonly #files = new Set<OpenFile>();
  #owner: NodeOwner | null = null;
  #minor: number | null = null;

  constructor(runtime: Runtime, init: NodeInit<Req, Res>) {
    if (!/^[A-Za-z0-9_.:-]+$/.test(init.name)) {
      throw new KernelError(
        "EINVAL",
        `node name ${JSON.stringify(init.name)}: use letters, digits and _ . : -`,
      );
    }
    const { minor, region } = init;
    const first = region?.firstMinor ?? 0;
    const last = region === undefined ? 255 : first + region.count - 1;
    if (minor !== undefined && !(Number.isInteger(minor) && minor >= first && minor <= last)) {
      throw new KernelError(
        "EINVAL",
        `node ${init.name}: fixed minor ${minor} is not in ${first} … ${last}; leave it out`,
      );
    }
    this.#runtime = runtime;
    this.name = init.name;
    this.major = region?.major ?? miscMajor;
    this.region = region ?? null;
    this.fixedMinor = minor ?? null;
    this.mode = init.mode ?? null;
    this.uid = init.uid ?? 0;
    this.gid = init.gid ?? 0;
    this.#open = (file) => init.open(file);
    this.#lifecycle = new StateMachine(runtime, `node ${init.name}`, transitions, "hidden");
  }

  get state(): NodeState {
    return this.#lifecycle.state;
  }

  /** The number it was published under; null before. */
  get minor(): number | null {
    this.#runtime.scheduler.access(this, "read");
    return this.#minor;
  }

  get owner(): NodeOwner | null {
    return this.#owner;
  }

  /** How many files are open, those closed but not yet released by the driver included. */
  get openFiles(): number {
    this.#runtime.scheduler.access(this, "read");
    return this.#files.size;
  }

  /**
   * @throws KernelError ENODEV not there or gone, ETIMEDOUT (should the driver's open still succeed, the file is
   * released), and what the driver's open throws
   */
  async open(opener: Opener = {}, options?: WaitOptions): Promise<OpenFile<Req, Res>> {
    if (this.state !== "live" || this.#owner === null) throw this.#gone();
    const id = this.#runtime.ids.next(`file of ${this.name}`);
    const file = new OpenFile<Req, Res>(
      this.#runtime,
      `${this.name}#${id}`,
      opener,
      this.#owner,
      (released) => {
        this.#runtime.scheduler.access(this, "write");
        this.#files.delete(released);
      },
    );
    this.#runtime.scheduler.access(this, "write");
    this.#files.add(file as OpenFile);
    await file.start(this.#open, options);
    return file;
  }

  /** Only the device that has this node calls this. @param owner outlives every open file */
  belongTo(owner: NodeOwner): void {
    this.#owner = owner;
  }

  /** Only the registry calls this. */
  reserve(minor: number): void {
    this.#runtime.scheduler.access(this, "write");
    this.#minor = minor;
  }

  /** Only the registry calls this. */
  publish(): void {
    this.#lifecycle.moveTo("live");
  }

  /** Only the registry calls this. Nothing is waited for. */
  revoke(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#lifecycle.moveTo("dead");
    for (const file of this.#files) file.revoke(this.#gone());
  }

  #gone(): KernelError {
    return new KernelError("ENODEV", `node ${this.name}: its device is not there`);
  }
}
