/**
 * A device and its three lifetimes, which are never mixed: registered (added … removed, what others can find), bound
 * (probe … remove, what a driver uses), referenced (first get … last put, what can still be reached).
 *
 * Buses extend this class with what their devices are.
 */
import type { Attribute, AttributeGroup } from "./attribute.js";
import { AttributeSet, type AttributeSetInit } from "./attribute-set.js";
import type { Bus } from "./bus.js";
import type { DeviceClass } from "./class.js";
import { Devres } from "./devres.js";
import type { Driver } from "./driver.js";
import { BugError, KernelError } from "./error.js";
import type { DeviceNode } from "./node.js";
import { parseOverride } from "./override.js";
import type { Runtime, WaitOptions } from "./runtime.js";
import { StateMachine, type Transitions } from "./state-machine.js";
import { Mutex } from "./sync/mutex.js";
import { type Counted, Refcount } from "./sync/refcount.js";
import type { Access, Named } from "./sync/scheduler.js";

export type RegistrationState = "initialized" | "registered" | "dead" | "removed";
/** "failing": the probe has refused and what it had acquired is being released. */
export type BindingState = "unbound" | "probing" | "failing" | "bound" | "unbinding";

const registrationTransitions: Transitions<RegistrationState> = {
  initialized: ["registered"],
  registered: ["dead"],
  dead: ["removed"],
  removed: [],
};

const bindingTransitions: Transitions<BindingState> = {
  unbound: ["probing"],
  probing: ["bound", "failing"],
  failing: ["unbound"],
  bound: ["unbinding"],
  unbinding: ["unbound"],
};

export interface DeviceInit {
  /** Unique among the parent's children and on the bus; a slash becomes "!". */
  readonly name: string;
  readonly parent?: Device;
  readonly bus?: Bus;
  readonly class?: DeviceClass;
  /** Told in DEVTYPE. */
  readonly devtype?: string;
  /** The node that appears and goes with this device. */
  readonly node?: DeviceNode;
  readonly attributes?: readonly Attribute[];
  readonly groups?: readonly AttributeGroup[];
  /** Called once, by the last put, after what was left in devres has been released. */
  readonly release?: () => void;
}

/** The package does not export it: nobody can bind a device by setting its driver. */
export const changeBinding: unique symbol = Symbol("change of a device's binding");

/** What is absent stays as it is. */
export interface BindingChange {
  readonly driver?: Driver | null;
  readonly driverData?: unknown;
  readonly devres?: Devres;
}

export class Device implements Named, Counted {
  readonly name: string;
  readonly runtime: Runtime;
  readonly parent: Device | null;
  readonly bus: Bus | null;
  readonly class: DeviceClass | null;
  readonly devtype: string | null;
  readonly node: DeviceNode | null;
  /** The name of this device's place in the tree, from /devices. */
  readonly devpath: string;
  readonly attributes: AttributeSet;
  /** The device's lock: held around probe, remove and every change of the binding. Taken after the parent's. */
  readonly mutex: Mutex;
  readonly registration: StateMachine<RegistrationState>;
  readonly binding: StateMachine<BindingState>;
  readonly #refs: Refcount;
  readonly #release: (() => void) | undefined;
  #devres: Devres;
  #driver: Driver | null = null;
  #driverData: unknown = undefined;
  #driverOverride: string | null = null;
  /** Made for the first child: most devices have none. */
  #children: Set<Device> | null = null;
  #uevents: "sent" | "suppressed" = "sent";

  constructor(runtime: Runtime, init: DeviceInit) {
    this.name = init.name.replaceAll("/", "!");
    if (this.name === "" || this.name === "." || this.name === ".." || this.name.includes("\0")) {
      throw new KernelError("EINVAL", `device name ${JSON.stringify(init.name)}: give it a name`);
    }
    if (init.parent !== undefined && init.parent.runtime !== runtime) {
      throw new BugError("wrong-runtime", `device ${this.name}: its parent belongs to another system`);
    }
    this.runtime = runtime;
    this.parent = init.parent ?? null;
    this.bus = init.bus ?? null;
    this.class = init.class ?? null;
    this.devtype = init.devtype ?? null;
    this.node = init.node ?? null;
    this.devpath = `${this.#directory()}/${this.name}`;
    this.attributes = new AttributeSet(runtime, this.devpath, this, attributesOf(init));
    this.mutex = new Mutex(runtime, `lock of ${this.devpath}`);
    this.registration = new StateMachine(
      runtime,
      `registration of ${this.devpath}`,
      registrationTransitions,
      "initialized",
    );
    this.binding = new StateMachine(runtime, `binding of ${this.devpath}`, bindingTransitions, "unbound");
    this.#devres = new Devres(runtime, `devres of ${this.devpath}`);
    this.#release = init.release;
    this.#refs = new Refcount(runtime, this.devpath, () => this.#lastPut());
    // Until the last put, not until removal: what is still reachable may ask its parent.
    this.parent?.get();
    this.node?.belongTo(this);
  }

  get registered(): boolean {
    return this.registration.state === "registered";
  }

  /** Whether a driver is bound: its probe has succeeded and its remove has not begun. */
  get bound(): boolean {
    return this.binding.state === "bound";
  }

  /**
   * Set while binding, bound or unbinding. Written by the core only, under the lock; to be read under it too, or from
   * the driver's own callbacks. Without the lock ask `bound` or `peekDriver`.
   */
  get driver(): Driver | null {
    this.#uses("driver", "load");
    return this.#driver;
  }

  /** `driver` for who does not hold the lock: right at the moment, and another may be bound by the next one. */
  peekDriver(): Driver | null {
    // The core moves `binding` in every step that stores `driver`, so this orders the two (Linux: READ_ONCE).
    this.runtime.scheduler.access(this.binding, "read");
    return this.#driver;
  }

  /** What the bound driver's probe returned. The core clears it when the binding ends. Read it as `driver`. */
  get driverData(): unknown {
    this.#uses("driver data", "load");
    return this.#driverData;
  }

  /**
   * Of the current binding; closed for good when it ends. Before the first binding: what belongs to the device until
   * it is removed; a probe is refused (EBUSY) while there is such a thing. Replaced by the core only, under the lock.
   * Read it as `driver`.
   */
  get devres(): Devres {
    this.#uses("devres in use", "load");
    return this.#devres;
  }

  /** Only the binder calls this, under the lock. */
  [changeBinding](change: BindingChange): void {
    if (change.driver !== undefined) {
      this.#uses("driver", "store");
      this.#driver = change.driver;
    }
    if ("driverData" in change) {
      this.#uses("driver data", "store");
      this.#driverData = change.driverData;
    }
    if (change.devres !== undefined) {
      this.#uses("devres in use", "store");
      this.#devres = change.devres;
    }
  }

  /** The name of the only driver that may have this device; null: any that matches. */
  get driverOverride(): string | null {
    if (this.bus?.driverOverride === undefined) return null;
    // Guards itself: matching looks before it has the lock, and again under it.
    this.#uses("driver override", "read");
    return this.#driverOverride;
  }

  /**
   * Decides which driver may have the device from now on; it neither binds nor unbinds. Takes the device's lock.
   * @param text the driver's name, up to the first newline; an empty one clears the override
   * @throws KernelError EOPNOTSUPP the bus has no override, EINVAL 4095 bytes or more, ETIMEDOUT
   */
  async setDriverOverride(text: string, options?: WaitOptions): Promise<void> {
    if (this.bus?.driverOverride === undefined) {
      throw new KernelError("EOPNOTSUPP", `${this.devpath}: its bus has no driver override`);
    }
    const name = parseOverride(text);
    await this.mutex.withLock(() => {
      this.#uses("driver override", "write");
      this.#driverOverride = name;
    }, options);
  }

  /** The registered children at this moment. */
  get children(): ReadonlySet<Device> {
    this.#uses("children", "read");
    return new Set(this.#children);
  }

  /** Only the core calls this. */
  addChild(child: Device): void {
    this.#uses("children", "write");
    this.#children ??= new Set();
    this.#children.add(child);
  }

  /** Only the core calls this. */
  removeChild(child: Device): void {
    this.#uses("children", "write");
    this.#children?.delete(child);
    if (this.#children?.size === 0) this.#children = null;
  }

  /** For diagnostics. */
  get references(): number {
    return this.#refs.count;
  }

  /** Precondition: the caller holds a reference, or the device is registered. @throws BugError refcount-… */
  get(): void {
    this.#refs.get();
  }

  /** False when the last reference is gone. */
  tryGet(): boolean {
    return this.#refs.tryGet();
  }

  /** @throws BugError refcount-underflow */
  put(): void {
    this.#refs.put();
  }

  /**
   * Whether anybody is told about the device. What happens while its uevents are suppressed is not made up for
   * (Linux's uevent_suppress).
   */
  get uevents(): "sent" | "suppressed" {
    this.runtime.scheduler.access(this, "read");
    return this.#uevents;
  }

  set uevents(delivery: "sent" | "suppressed") {
    this.runtime.scheduler.access(this, "write");
    this.#uevents = delivery;
  }

  /** The attribute's value as text. @throws KernelError as `AttributeSet.read` */
  readAttribute(path: string, options?: WaitOptions): Promise<string> {
    return this.attributes.read(path, options);
  }

  /** Writes the attribute. @returns how many bytes were taken @throws KernelError as `AttributeSet.write` */
  writeAttribute(path: string, text: string, options?: WaitOptions): Promise<number> {
    return this.attributes.write(path, text, options);
  }

  #uses(what: string, mode: Access): void {
    this.runtime.scheduler.access({ name: `${what} of ${this.devpath}` }, mode);
  }

  #directory(): string {
    const { parent } = this;
    if (this.class === null) return parent?.devpath ?? "/devices";
    if (parent === null) return `/devices/virtual/${this.class.name}`;
    // A directory named after the class keeps class devices apart from the parent's own children.
    return parent.class === null ? `${parent.devpath}/${this.class.name}` : parent.devpath;
  }

  #lastPut(): void {
    const finish = () => {
      this.#release?.();
      this.parent?.put();
    };
    if (this.devres.closeIfEmpty()) finish();
    else {
      this.runtime.scheduler.spawn(`release ${this.devpath}`, async () => {
        await this.devres.releaseAll();
        finish();
      });
    }
  }
}

/** The bus's come first, as in the tree. */
function attributesOf(init: DeviceInit): AttributeSetInit {
  const { deviceGroups } = init.bus ?? {};
  return deviceGroups === undefined ? init : { ...init, groups: [...deviceGroups, ...(init.groups ?? [])] };
}
