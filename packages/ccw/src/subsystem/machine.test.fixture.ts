/** A channel subsystem whose time stands still, with a device behind it that ends when it is told to. */
import {
  CcwFlag,
  ccw1,
  Dstat,
  type Interruption,
  type Irb,
  type Orb,
  orb,
  type Pmcw,
  type Scsw,
  type SubchannelId,
} from "parhelion-buses";
import {
  type Clock,
  type ClockTimer,
  Completion,
  createRuntime,
  noDeadline,
  type Runtime,
} from "parhelion-core";
import type { ChannelDevice, Command, DataPath, DeviceLine, Ending } from "../interpreter/device.js";
import { AbsoluteStorage } from "../storage/absolute.js";
import { type AttachInit, ChannelSubsystem, type ChannelSubsystemInit } from "./channel-subsystem.js";

export const good = Dstat.CHN_END | Dstat.DEV_END;

/** Time that passes when it is told to. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Map<object, { readonly due: number; readonly fire: () => void }>();

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fire: () => void): ClockTimer {
    const key = {};
    this.#timers.set(key, { due: this.#now + ms, fire });
    return { cancel: () => void this.#timers.delete(key) };
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const [key, { due, fire }] of [...this.#timers]) {
      if (due > this.#now) continue;
      this.#timers.delete(key);
      fire();
    }
  }
}

export class TestDevice implements ChannelDevice {
  readonly commands: Command[] = [];
  readonly signals: string[] = [];
  resets = 0;
  /** How it answers a command: "waits" is for `end`; "ignores" is as well, and no signal ends it. */
  mode: "at once" | "waits" | "ignores" = "at once";
  answer: Ending = { status: good };
  line: DeviceLine | null = null;
  readonly #runtime: Runtime;
  #working: Completion<Ending> | null = null;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  attached(line: DeviceLine): void {
    this.line = line;
  }

  async execute(command: Command, data: DataPath): Promise<Ending> {
    this.commands.push(command);
    if (this.mode === "at once") {
      if (command.kind === "read") await data.send(Uint8Array.of(0xaa));
      return this.answer;
    }
    data.accept();
    return this.#wait();
  }

  /** What `deviceEnd` of an ending may be. */
  later(): Promise<Ending> {
    return this.#wait();
  }

  get working(): boolean {
    return this.#working !== null;
  }

  end(ending: Ending = { status: good }): void {
    const working = this.#working;
    this.#working = null;
    working?.completeAll(ending);
  }

  halt(signal: "halt" | "clear"): void {
    this.signals.push(signal);
    if (this.mode !== "ignores") this.end();
  }

  reset(): void {
    this.resets += 1;
  }

  async #wait(): Promise<Ending> {
    this.#working = new Completion<Ending>(this.#runtime, "the device");
    return this.#working.wait({ deadline: noDeadline });
  }
}

export class Rig {
  readonly clock = new ManualClock();
  readonly runtime: Runtime;
  readonly storage = new AbsoluteStorage(new Uint8Array(65536));
  readonly css: ChannelSubsystem;
  readonly device: TestDevice;
  readonly id: SubchannelId;
  readonly interruptions: Interruption[] = [];

  constructor(init: Partial<ChannelSubsystemInit> = {}, attach: Partial<AttachInit> = {}) {
    this.runtime = createRuntime({ clock: this.clock });
    this.css = new ChannelSubsystem(this.runtime, { storage: this.storage, ...init });
    this.device = new TestDevice(this.runtime);
    this.id = this.css.attach({ device: this.device, devno: 0x1000, chpids: [0x40], schno: 5, ...attach });
    this.css.onInterruption((interruption) => void this.interruptions.push(interruption));
    this.css.enableSubclasses(0xff);
    this.modify({ ena: 1, isc: 3 });
  }

  /** Everything that can happen has happened: the event loop has been round, and time stands still. */
  async quiet(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  get pmcw(): Pmcw {
    return this.#schib().pmcw;
  }

  get scsw(): Scsw {
    return this.#schib().scsw;
  }

  modify(change: Partial<Pmcw>): number {
    const schib = this.#schib();
    return this.css.msch(this.id, { ...schib, pmcw: { ...schib.pmcw, ...change } });
  }

  /** Format 1, from 0x1000 on. Each word: command, flags. */
  program(...words: readonly (readonly [cmd: number, flags?: number])[]): void {
    words.forEach(([cmd, flags = 0], at) => {
      this.storage.bytes.set(ccw1.encode({ cmd, flags, count: 1, cda: 0x2000 }), 0x1000 + 8 * at);
    });
  }

  start(change: Partial<Orb> = {}): number {
    return this.css.ssch(
      this.id,
      orb.make({ intparm: 0x1234, fmt: 1, pfch: 1, lpm: 0xff, cpa: 0x1000, ...change }),
    );
  }

  /** Collects the status. */
  collect(): Irb {
    const { irb } = this.css.tsch(this.id);
    if (irb === null) throw new Error("not operational");
    return irb;
  }

  #schib() {
    const { schib } = this.css.stsch(this.id);
    if (schib === null) throw new Error("no subchannel");
    return schib;
  }
}

/** A control command that has no data, and its variants in a chain. */
export const control = 0x07;
export const chained = CcwFlag.CC | CcwFlag.SLI;
