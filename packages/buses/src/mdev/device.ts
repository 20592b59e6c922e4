/** A mediated device: a share of its parent that drivers are bound to as to any device. */
import {
  type AttributeGroup,
  type Bus,
  Completion,
  type Device as CoreDevice,
  Device,
  type Driver,
  type Runtime,
  StateMachine,
  type Transitions,
} from "parhelion-core";
import type { MdevType } from "./type.js";

/** "creating": it is announced and its driver being bound. "leaving": its removal has begun. */
export type MdevLife = "creating" | "active" | "leaving";

const lives: Transitions<MdevLife> = { creating: ["active", "leaving"], active: ["leaving"], leaving: [] };

/** A driver of mediated devices; which it may have is said by their parents. */
export type MdevDriver<S = unknown, B = unknown> = Driver<MdevDevice<S>, B>;

export interface MdevDeviceInit<S> {
  readonly uuid: string;
  readonly type: MdevType;
  /** The type's directory. */
  readonly typePath: string;
  readonly uses: readonly string[];
  readonly state: S;
  readonly parent: CoreDevice;
  readonly bus: Bus;
  readonly groups: readonly AttributeGroup[];
  readonly release: () => void;
}

export class MdevDevice<S = unknown> extends Device {
  /** Its name as well. */
  readonly uuid: string;
  readonly type: MdevType;
  /** The names of the drivers that may have it. */
  readonly uses: readonly string[];
  /** What the parent's `create` returned. */
  readonly state: S;
  readonly life: StateMachine<MdevLife>;
  /** Completed when it is removed, whoever did it. */
  readonly removed: Completion;

  constructor(runtime: Runtime, init: MdevDeviceInit<S>) {
    const { uuid, typePath, parent, bus, release } = init;
    const links = new Map([["mdev_type", typePath]]);
    super(runtime, {
      name: uuid,
      parent,
      bus,
      groups: [{ attributes: [], links: () => links }, ...init.groups],
      release,
    });
    this.uuid = uuid;
    this.type = init.type;
    this.uses = init.uses;
    this.state = init.state;
    this.life = new StateMachine<MdevLife>(runtime, `life of ${this.devpath}`, lives, "creating");
    this.removed = new Completion(runtime, `removal of ${this.devpath}`);
  }

  /** The name of the driver that has it, at this moment. */
  get use(): string | null {
    return this.bound ? (this.peekDriver()?.name ?? null) : null;
  }
}
