/**
 * The channel subsystem's bus of one system: its subchannels as devices, which come and go as the machine reports. It
 * calls their drivers back: for interruptions, for path events, and when a subchannel is to be looked at again.
 */
import {
  type Bus,
  Device,
  isKernelError,
  type Named,
  noDeadline,
  type System,
  type WaitOptions,
  type Work,
  WorkQueue,
} from "parhelion-core";
import { modaliasOf, subchannelAttributes } from "./attributes.js";
import { type CssDriver, callbacksOf } from "./driver.js";
import type { SchTodo } from "./event.js";
import { type CssMachine, type Interruption, type SubchannelId, subchannelName } from "./machine.js";
import { Paths } from "./paths.js";
import { type Report, readReports } from "./reports.js";
import { isValid, Subchannel, type SubchannelBus } from "./subchannel.js";

export interface CssBusOptions {
  /** Of the channel subsystem image; it names the root device. Default 0. */
  readonly cssid?: number;
  /** When a subchannel whose driver has no time for its evaluation is evaluated again, in ms. Default 10. */
  readonly retryMs?: number;
}

export class CssBus implements Named {
  readonly name: string;
  readonly system: System;
  readonly machine: CssMachine;
  /** To register drivers on. */
  readonly bus: Bus<Subchannel, CssDriver>;
  /** The parent of all subchannels: css0. */
  readonly root: Device;
  readonly #cssid: number;
  readonly #paths: Paths;
  /** By name: those that are registered, coming or going. */
  readonly #known = new Map<string, Subchannel>();
  /** Those that something was reported of and nobody has looked at since. */
  readonly #reported = new Map<string, SubchannelId>();
  readonly #slowPath: WorkQueue;
  readonly #reports: Work;
  readonly #evaluations: Work;
  readonly #around: SubchannelBus;
  /** Pieces of work for the slow path that have not ended. */
  #waiting = 0;
  #unsubscribe: (() => void) | null = null;

  constructor(system: System, machine: CssMachine, options: CssBusOptions = {}) {
    const { runtime } = system;
    this.system = system;
    this.machine = machine;
    this.#cssid = options.cssid ?? 0;
    this.name = `css${this.#cssid.toString(16)}`;
    this.bus = createBus();
    this.root = new Device(runtime, { name: this.name });
    this.#paths = new Paths(runtime);
    this.#slowPath = new WorkQueue(runtime, "cio");
    this.#reports = this.#work("channel reports", () => this.#readReports());
    this.#evaluations = this.#work("evaluations", () => this.#evaluateReported());
    this.#around = {
      bus: this.bus as Bus,
      root: this.root,
      machine,
      retryMs: options.retryMs ?? 10,
      perform: (subchannel, todo) => this.#perform(subchannel, todo),
    };
  }

  /**
   * Registers bus and root, finds the subchannels that are there, and follows what the machine reports from here on.
   * @throws KernelError EEXIST the system has such a bus
   */
  async start(options?: WaitOptions): Promise<void> {
    const { system, machine } = this;
    system.registerBus(this.bus as Bus);
    this.#unsubscribe = system.onBusEvent(this.bus as Bus, (event, device) => {
      if (event === "removed-device" && device instanceof Subchannel) this.#forget(device);
    });
    try {
      await system.addDevice(this.root);
    } catch (error) {
      this.#unsubscribe();
      await system.unregisterBus(this.bus as Bus, { deadline: noDeadline });
      throw error;
    }
    machine.onInterruption((interruption) => this.#interrupt(interruption));
    machine.onChannelReport(() => this.#queue(this.#reports));
    this.#queue(this.#reports);
    this.evaluateAll();
    machine.enableSubclasses(0xff);
    await this.settle(options);
  }

  /** Lets go of the machine and removes all subchannels and the bus; its drivers must be unregistered. */
  async stop(): Promise<void> {
    const { system, machine } = this;
    machine.onChannelReport(null);
    await this.#slowPath.destroy({ deadline: noDeadline });
    this.#waiting = 0;
    for (const subchannel of this.subchannels()) subchannel.schedule("unregister");
    await this.settle({ deadline: noDeadline });
    machine.enableSubclasses(0);
    machine.onInterruption(null);
    await system.unregisterDevice(this.root, { deadline: noDeadline });
    await system.unregisterBus(this.bus as Bus, { deadline: noDeadline });
    this.#unsubscribe?.();
  }

  /** The machine stops: every driver that can be called back is told, one after the other. */
  async shutdown(): Promise<void> {
    for (const subchannel of this.subchannels()) {
      if (!subchannel.tryGet()) continue;
      await this.#guarded("shutdown", subchannel, () =>
        subchannel.publication.outsideLock((callbacks) => callbacks.shutdown?.()),
      );
      subchannel.put();
    }
  }

  subchannels(): readonly Subchannel[] {
    this.#uses("read");
    return [...this.#known.values()];
  }

  /** @param name as 0.0.1234 */
  find(name: string): Subchannel | undefined {
    this.#uses("read");
    return this.#known.get(name);
  }

  /** Takes a channel path into use by software, or out of it: no start will choose it. Settles when all drivers know. */
  async vary(chpid: number, to: "on" | "off"): Promise<void> {
    if (!this.#paths.vary(chpid, to)) return;
    await this.#tellAll(chpid, to === "on" ? "VARY_ON" : "VARY_OFF");
  }

  /** Has that subchannel looked at: as if something had been reported about it. */
  evaluate(id: SubchannelId): void {
    this.#uses("write");
    this.#reported.set(subchannelName(id), id);
    this.#queue(this.#evaluations);
  }

  evaluateAll(): void {
    for (const id of this.machine.provided()) this.evaluate(id);
    for (const { id } of this.subchannels()) this.evaluate(id);
  }

  /**
   * Waits until what was reported so far is dealt with; what drivers want to be asked again about is not waited for.
   * @throws KernelError ETIMEDOUT
   */
  async settle(options?: WaitOptions): Promise<void> {
    do {
      await this.#slowPath.flush(options);
      for (const subchannel of this.subchannels()) await subchannel.flush(options);
      this.#uses("read");
    } while (this.#waiting > 0 || this.subchannels().some(({ busy }) => busy));
  }

  #queue(work: Work): void {
    this.#uses("write");
    if (this.#slowPath.queue(work)) this.#waiting += 1;
  }

  #work(name: string, run: () => Promise<void>): Work {
    return {
      name,
      run: async () => {
        try {
          await run();
        } finally {
          this.#uses("write");
          this.#waiting -= 1;
        }
      },
    };
  }

  /** One interruption: collects the status, whoever it is for. */
  async #interrupt({ id }: Interruption): Promise<void> {
    const subchannel = this.find(subchannelName(id));
    if (subchannel === undefined || !subchannel.tryGet()) {
      this.machine.tsch(id);
      return;
    }
    try {
      await subchannel.lock.withLock(
        async () => {
          const { cc, irb } = this.machine.tsch(id);
          if (cc !== 0 || irb === null) return;
          subchannel.schib = { ...subchannel.schib, scsw: irb.scsw };
          const callbacks = subchannel.publication.underLock();
          if (callbacks === null) this.system.runtime.log("debug", "css.interruption-of-nobody", { id });
          await callbacks?.irq?.(irb);
        },
        { deadline: noDeadline },
      );
    } catch (error) {
      this.#log("irq", subchannel, error);
    } finally {
      subchannel.put();
    }
  }

  async #readReports(): Promise<void> {
    for (const report of readReports(this.#cssid, () => this.machine.stcrw())) await this.#follow(report);
  }

  async #follow(report: Report): Promise<void> {
    switch (report.about) {
      case "subchannel":
        return this.evaluate(report.id);
      case "path":
        return this.#tellAll(report.chpid, report.event);
      case "everything":
        return this.evaluateAll();
      case "other":
        return this.system.runtime.log("debug", "css.report-ignored", { ...report });
    }
  }

  async #tellAll(chpid: number, event: Parameters<Paths["event"]>[2]): Promise<void> {
    for (const subchannel of this.subchannels()) {
      if (!subchannel.tryGet()) continue;
      await this.#guarded("chpEvent", subchannel, () => this.#paths.event(subchannel, chpid, event));
      subchannel.put();
    }
  }

  async #evaluateReported(): Promise<void> {
    for (;;) {
      this.#uses("read");
      const next = [...this.#reported.values()].find((id) => !this.#known.has(subchannelName(id)));
      for (const name of this.#reported.keys()) this.#known.get(name)?.schedule("evaluate");
      if (next === undefined) return;
      this.#uses("write");
      this.#reported.delete(subchannelName(next));
      await this.#create(next);
    }
  }

  async #create(id: SubchannelId): Promise<void> {
    const { schib } = this.machine.stsch(id);
    if (schib === null || !isValid(schib)) return;
    const { pim, chpid } = schib.pmcw;
    const opm = this.#paths.operable(pim, chpid);
    const subchannel = new Subchannel(this.system.runtime, id, schib, opm, this.#around);
    this.#uses("write");
    this.#known.set(subchannel.name, subchannel);
    try {
      await this.system.addDevice(subchannel);
    } catch (error) {
      this.#forget(subchannel);
      this.#log("add", subchannel, error);
    }
  }

  async #perform(subchannel: Subchannel, todo: Exclude<SchTodo, "nothing">): Promise<void> {
    if (todo === "evaluate") return this.#evaluate(subchannel);
    try {
      await this.system.removeDevice(subchannel, { deadline: noDeadline });
    } catch (error) {
      // Somebody else has removed it.
      if (!isKernelError(error, "ENODEV")) throw error;
    }
  }

  async #evaluate(subchannel: Subchannel): Promise<void> {
    // What was reported stays to be looked at when it has gone.
    if (!subchannel.registered) return;
    this.#uses("write");
    this.#reported.delete(subchannel.name);
    await this.#guarded("chpEvent", subchannel, () => this.#paths.reconcile(subchannel));
    const answer = await this.#guarded("schEvent", subchannel, () =>
      subchannel.publication.outsideLock((callbacks) => callbacks.schEvent?.()),
    );
    if (answer === "again") subchannel.scheduleAgain();
    const found = await subchannel.lock.withLock(() => subchannel.refresh(), { deadline: noDeadline });
    if (found === "there") return;
    // Whatever took its place is looked for once it has gone.
    this.evaluate(subchannel.id);
    subchannel.schedule("unregister");
  }

  #forget(subchannel: Subchannel): void {
    this.#uses("write");
    if (this.#known.get(subchannel.name) !== subchannel) return;
    this.#known.delete(subchannel.name);
    subchannel.forget();
    // The creator's.
    subchannel.put();
    if (this.#reported.has(subchannel.name)) this.#queue(this.#evaluations);
  }

  /** Whatever the driver throws keeps nothing else from being done. @returns null when it has thrown */
  async #guarded<T>(callback: string, subchannel: Subchannel, run: () => Promise<T>): Promise<T | null> {
    try {
      return await run();
    } catch (error) {
      this.#log(callback, subchannel, error);
      return null;
    }
  }

  #log(callback: string, subchannel: Subchannel, error: unknown): void {
    const fields = { callback, device: subchannel.devpath, error };
    this.system.runtime.log("error", "css.callback-failed", fields);
  }

  #uses(mode: "read" | "write"): void {
    this.system.runtime.scheduler.access(this, mode);
  }
}

function createBus(): Bus<Subchannel, CssDriver> {
  return {
    name: "css",
    driverOverride: "name-and-match",
    deviceGroups: [{ attributes: subchannelAttributes }],
    match: (device, driver) => (driver.subchannelType ?? 0) === device.type,
    async probe(device, driver) {
      try {
        const state: unknown = await driver.probe(device);
        if (!device.published) await device.publish(callbacksOf(driver, device, state));
        return state;
      } catch (error) {
        await device.withdraw();
        throw error;
      }
    },
    async remove(device, driver, data) {
      try {
        await driver.quiesce?.(device, data);
      } finally {
        await device.withdraw();
        await driver.remove?.(device, data);
      }
    },
    uevent: (device) => [
      ["SUBCHANNEL_TYPE", String(device.type)],
      ["MODALIAS", modaliasOf(device)],
    ],
  };
}
