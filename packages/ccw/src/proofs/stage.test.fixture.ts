/**
 * What the programs about passing subchannels through stand on: the drivers that ship, on the buses that ship, over a small
 * machine; a user with the device open and memory mapped; and an account of it all at the end. A plant is handed in where
 * the drivers are made.
 */
import {
  CssBus,
  type CssDriver,
  ccw1,
  Fctl,
  MdevBus,
  orb as orbLayout,
  type Subchannel,
  scsw as scswLayout,
  subchannelName,
} from "parhelion-buses";
import { type Bus, type Driver, type ErrnoCode, System } from "parhelion-core";
import { outcomeOf, type World, watchSystem } from "parhelion-explorer";
import {
  AttachedDevice,
  bytesMemory,
  EventCounter,
  type Eventfd,
  IrqSetFlag,
  Vfio,
  type VfioDevice,
} from "parhelion-vfio";
import { createCssDriver, createMdevDriver, type MakeParent, type MakePrivate } from "../vfio-ccw/drivers.js";
import { HostStorage } from "../vfio-ccw/host-storage.js";
import { VfioCcwParent } from "../vfio-ccw/parent.js";
import { VfioCcwPrivate } from "../vfio-ccw/private.js";
import { StageMachine, stageId } from "./stage-machine.test.fixture.js";

export const uuid = "00000000-0000-4000-8000-000000000001";
export const other = "00000000-0000-4000-8000-000000000002";

export interface CcwStageInit {
  readonly makeParent?: MakeParent;
  readonly makePrivate?: MakePrivate;
  /** What is otherwise of the css driver. */
  readonly css?: (driver: CssDriver<VfioCcwParent>) => CssDriver<VfioCcwParent>;
  readonly stops?: "as asked" | "never";
  readonly qf?: 0 | 1;
  /** How long a close waits for the device to stop. Default 100. */
  readonly quiesceMs?: number;
  /** How long a user may stay. Default 10. */
  readonly revokeMs?: number;
}

export class CcwStage {
  readonly world: World;
  readonly system: System;
  readonly machine: StageMachine;
  readonly storage: HostStorage;
  readonly css: CssBus;
  readonly mdev: MdevBus;
  readonly memory = new Uint8Array(2 * 4096);
  /** What became of subchannels. */
  readonly events: string[] = [];
  readonly #init: CcwStageInit;
  #vfio: Vfio | null = null;
  #drivers: { readonly css: Driver; readonly mdev: Driver } | null = null;
  /** The one that was made last. */
  #owned: VfioCcwPrivate | null = null;
  #device: VfioDevice | null = null;
  #parent: VfioCcwParent | null = null;
  #attached: AttachedDevice | null = null;
  #signalled: EventCounter | null = null;

  constructor(world: World, init: CcwStageInit = {}) {
    this.world = world;
    this.#init = init;
    const { runtime } = world;
    this.system = new System(runtime);
    this.machine = new StageMachine(world, init.stops, init.qf);
    this.storage = new HostStorage(runtime);
    this.css = new CssBus(this.system, this.machine);
    this.mdev = new MdevBus(this.system);
    watchSystem(world, this.system, [this.css.bus as Bus, this.mdev.bus as Bus]);
    this.system.onUevent(({ action, devpath }) => {
      if (devpath.endsWith(subchannelName(stageId))) this.events.push(action);
    });
  }

  get owned(): VfioCcwPrivate {
    this.world.reads(this);
    if (this.#owned === null) throw new Error("there is no mediated device yet");
    return this.#owned;
  }

  get parent(): VfioCcwParent {
    if (this.#parent === null) throw new Error("the subchannel has no driver yet");
    return this.#parent;
  }

  get vfio(): Vfio {
    if (this.#vfio === null) throw new Error("it has not begun");
    return this.#vfio;
  }

  get device(): VfioDevice {
    this.world.reads(this);
    if (this.#device === null) throw new Error("there is no VFIO device yet");
    return this.#device;
  }

  get user(): AttachedDevice {
    this.world.reads(this);
    if (this.#attached === null) throw new Error("nobody has it open");
    return this.#attached;
  }

  get subchannel(): Subchannel {
    const found = this.css.find(subchannelName(stageId));
    if (found === undefined) throw new Error("the subchannel is gone");
    return found;
  }

  get name(): string {
    return "what the stage knows";
  }

  /** @param as far as which: the machine and its bus, the drivers as well, a mediated device, a user who has it open */
  async begin(as: "machine" | "drivers" | "mdev" | "open" = "open"): Promise<void> {
    const { css: change = (driver) => driver, revokeMs = 10, quiesceMs = 100 } = this.#init;
    this.#vfio = await Vfio.create(this.system, { revokeMs });
    const { css, mdev, storage } = this;
    const makeParent: MakeParent = (system, subchannel) => {
      const make = this.#init.makeParent ?? ((...of) => new VfioCcwParent(...of));
      this.#parent = make(system, subchannel);
      return this.#parent;
    };
    const make: MakePrivate = (device, init) => this.makePrivate(device, init);
    this.#drivers = {
      css: change(createCssDriver({ css, mdev }, makeParent)) as Driver,
      mdev: createMdevDriver({ mdev, vfio: this.#vfio, storage, quiesceMs }, make) as Driver,
    };
    await this.system.registerDriver(this.#drivers.mdev);
    await this.css.start();
    await this.css.settle();
    await this.css.settle();
    if (as !== "machine") await this.drive();
    if (as === "mdev" || as === "open") await this.create();
    if (as === "open") await this.open();
  }

  /** What the mediated device's driver makes, or a plant. */
  makePrivate(...[device, init]: Parameters<MakePrivate>): VfioCcwPrivate {
    this.world.writes(this);
    this.#device = device;
    this.#owned = this.#init.makePrivate?.(device, init) ?? new VfioCcwPrivate(device, init);
    return this.#owned;
  }

  /** Registers the css driver. */
  async drive(): Promise<void> {
    if (this.#drivers !== null) await this.system.registerDriver(this.#drivers.css);
  }

  async undrive(): Promise<void> {
    if (this.#drivers !== null) await this.system.unregisterDriver(this.#drivers.css);
  }

  create(wanted = uuid, ...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    const parent = this.mdev.parents()[0];
    return outcomeOf(async () => parent?.create("io", wanted), ...answers);
  }

  remove(wanted = uuid, ...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    return outcomeOf(() => this.mdev.remove(wanted), ...answers);
  }

  /** Opens the device, maps memory with a channel program in it, and listens to interruptions. */
  async open(): Promise<void> {
    const attached = await AttachedDevice.open(this.system, this.device.name);
    this.world.writes(this);
    this.#attached = attached;
    await attached.map(0n, BigInt(this.memory.length), bytesMemory(this.memory), "read-write");
    this.prepare();
    this.#signalled = new EventCounter(this.world.runtime, "io eventfd");
    await this.listen(this.#signalled);
  }

  /** Puts a channel program into memory. */
  protected prepare(): void {
    this.memory.set(ccw1.encode({ cmd: 0x02, count: 8, cda: 4096 }), 0);
  }

  /** What the user waits on for interruptions. */
  get signalled(): EventCounter {
    if (this.#signalled === null) throw new Error("nobody has it open");
    return this.#signalled;
  }

  /** Gives the device an eventfd for interruptions; null takes it back. */
  async listen(eventfd: Eventfd | null): Promise<void> {
    await this.user.call("SET_IRQS", {
      argsz: 64,
      flags: IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER,
      index: 0,
      start: 0,
      count: 1,
      data: [eventfd],
    });
  }

  /** Has VFIO refuse what is registered from here on. */
  failRegistration(refuse: () => Promise<never>): void {
    if (this.#vfio !== null) Object.assign(this.#vfio, { register: refuse });
  }

  async close(): Promise<void> {
    const attached = this.#attached;
    this.world.writes(this);
    this.#attached = null;
    await attached?.close();
  }

  /** Writes a start into the region, as VFIO hands it to the driver. */
  start(...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    return outcomeOf(() => this.owned.write(0, 0, request()), ...answers);
  }

  /** The same, by the user's file. */
  write(...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    const { user } = this;
    return outcomeOf(() => user.call("WRITE", { offset: 0n, bytes: request() }), ...answers);
  }

  /** By the user's file. */
  reset(...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    const { user } = this;
    return outcomeOf(() => user.call("RESET", {}), ...answers);
  }

  clear(...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    return outcomeOf(() => this.owned.write(1, 0, Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 0)), ...answers);
  }

  /** Everything goes; nothing is left of anything. @param faults that may have been logged */
  async end(faults: readonly string[] = []): Promise<void> {
    await this.close();
    await this.undrive().catch(() => {});
    if (this.#drivers !== null) await this.system.unregisterDriver(this.#drivers.mdev);
    await this.#vfio?.close();
    await this.mdev.unregister();
    await this.css.stop();
    this.world.expect(this.storage.used === 0, `${this.storage.used} frames of main storage are left`);
    const expected = [...faults, "probe.failed"];
    const found = this.world.log.filter(({ level, event }) => level === "error" && !expected.includes(event));
    this.world.expect(found.length === 0, `it was logged: ${found.map(({ event }) => event).join()}`);
    this.world.expect(
      !this.machine.enabled || faults.length > 0,
      "the subchannel is enabled, and nobody has it",
    );
  }
}

/** A start of the program at the begin of the memory. */
export function request(): Uint8Array {
  const bytes = new Uint8Array(24);
  bytes.set(orbLayout.encode({ fmt: 1, pfch: 1, cpa: 0 }));
  bytes.set(scswLayout.encode({ fctl: Fctl.START }), 12);
  return bytes;
}

export function named(name: string, plant: string | undefined): string {
  return plant === undefined ? name : `${name} (planted: ${plant})`;
}
