/** The adapters of a host: probed when it starts, taken away and added again while it runs. */
import { Mutex, type Named, noDeadline, type System } from "parhelion-core";
import { HostError } from "../host-error.js";
import { AdapterLedger } from "../slices/ledger.js";
import type { SliceRegistry } from "../slices/slice-registry.js";
import { Task } from "../task.js";
import { AdapterDevice } from "./adapter-device.js";
import { adapterMemory, type MachineMemory } from "./capacity.js";
import { AdapterHealth } from "./health.js";
import type { HealthPolicy } from "./health-policy.js";
import type { HealthProbe } from "./health-probe.js";
import type { AdapterWish, ProbedAdapter } from "./probe.js";

export interface AdapterRequest {
  readonly wish: AdapterWish;
  /** Default: as reported or assumed. */
  readonly memoryBytes?: number;
}

export interface AdaptersOptions {
  readonly system: System;
  readonly slices: SliceRegistry;
  readonly machine: MachineMemory;
  /** Slices that there may be at once on each. */
  readonly mostSlices: number;
  /** @throws HostError no-adapter */
  readonly probe: (wish: AdapterWish) => Promise<ProbedAdapter>;
  readonly health?: AdapterCare | undefined;
}

/** How adapters are looked after. Without it they are taken to be healthy. */
export interface AdapterCare {
  readonly policy: HealthPolicy;
  readonly probe: HealthProbe;
}

/** "coming": it is being probed, or its slices come back. "absent": removed; it can be added again by its name. */
export type AdapterPresence = "coming" | "present" | "going" | "absent";

export interface KnownAdapter {
  readonly name: string;
  readonly request: AdapterRequest;
  readonly presence: AdapterPresence;
  /** Null unless present or going. */
  readonly device: AdapterDevice | null;
}

interface Entry {
  readonly name: string;
  request: AdapterRequest;
  presence: AdapterPresence;
  device: AdapterDevice | null;
  adding: Task<AdapterDevice> | undefined;
  removal: Task | undefined;
  /** "unheard": it was never there. */
  fame: "unheard" | "known";
}

const unbounded = { deadline: noDeadline };

export class Adapters implements Named {
  readonly name = "adapters";
  readonly #options: AdaptersOptions;
  readonly #entries = new Map<string, Entry>();
  /** Probes share a socket. */
  readonly #probing: Mutex;
  #state: "open" | "closed" = "open";

  constructor(options: AdaptersOptions) {
    this.#options = options;
    this.#probing = new Mutex(options.system.runtime, "turn to probe an adapter");
  }

  values(): readonly KnownAdapter[] {
    this.#access("read");
    return [...this.#entries.values()];
  }

  /**
   * Probes an adapter and offers its types; what was made on an earlier adapter of that name comes back.
   * @param request may be left out for one that was removed: as before
   * @param name default: the next of adapter0, adapter1, …
   * @throws HostError no-adapter, adapter-there, adapter-unknown (a name without a request that nobody had), host-stopping
   */
  async add(request: AdapterRequest | undefined, name?: string): Promise<AdapterDevice> {
    const entry = this.#reserve(request, name);
    const adding = new Task(this.#options.system.runtime, `adding of ${entry.name}`, () => this.#add(entry));
    entry.adding = adding;
    return adding.wait(unbounded);
  }

  /** The machine may have done something to its adapters: all are probed now. */
  doubt(reason: string): void {
    this.#access("read");
    for (const { device } of this.#entries.values()) device?.health?.doubt(reason);
  }

  /**
   * Takes all slices of the adapter away, which stay known, and the adapter from the tree.
   * @throws HostError adapter-unknown, adapter-gone
   */
  async remove(name: string): Promise<void> {
    this.#access("read");
    const entry = this.#entries.get(name);
    if (entry === undefined) throw this.#unknown(name);
    if (entry.removal === undefined && entry.presence !== "present")
      throw new HostError("adapter-gone", `${name} is ${entry.presence}.`, { details: { adapter: name } });
    await this.#removal(entry).wait(unbounded);
  }

  /** Takes all away, side by side, and refuses new ones. */
  async close(): Promise<void> {
    this.#access("write");
    this.#state = "closed";
    const removals: Task[] = [];
    for (const entry of [...this.#entries.values()]) {
      try {
        await entry.adding?.wait(unbounded);
      } catch {
        // Told to whoever asked for it.
      }
      if (entry.device !== null) removals.push(this.#removal(entry));
    }
    for (const removal of removals) await removal.wait(unbounded);
  }

  #reserve(request: AdapterRequest | undefined, name: string | undefined): Entry {
    this.#access("write");
    if (this.#state === "closed") throw new HostError("host-stopping", "the host is stopping");
    const wanted = name ?? this.#freeName();
    const known = this.#entries.get(wanted);
    if (known === undefined) {
      if (request === undefined) throw this.#unknown(wanted);
      const fresh: Entry = {
        name: wanted,
        request,
        presence: "coming",
        device: null,
        adding: undefined,
        removal: undefined,
        fame: "unheard",
      };
      this.#entries.set(wanted, fresh);
      return fresh;
    }
    if (known.presence !== "absent")
      throw new HostError("adapter-there", `${wanted} is ${known.presence} already.`, {
        details: { adapter: wanted },
      });
    known.request = request ?? known.request;
    known.presence = "coming";
    return known;
  }

  async #add(entry: Entry): Promise<AdapterDevice> {
    const { slices } = this.#options;
    try {
      const device = await this.#make(entry);
      this.#access("write");
      entry.presence = "present";
      entry.device = device;
      entry.fame = "known";
      await slices.adapterCame(device);
      return device;
    } catch (error) {
      this.#access("write");
      entry.presence = "absent";
      if (entry.fame === "unheard") this.#entries.delete(entry.name);
      throw error;
    } finally {
      this.#access("write");
      entry.adding = undefined;
    }
  }

  async #make({ name, request }: Entry): Promise<AdapterDevice> {
    const { system, slices, machine, mostSlices, probe } = this.#options;
    const { runtime } = system;
    const probed = await this.#probing.withLock(() => probe(request.wish), unbounded);
    const memory = await adapterMemory(probed.choice.kind, request.memoryBytes, machine);
    this.#access("read");
    if (this.#state === "closed") throw new HostError("host-stopping", "the host is stopping");
    const capacity = { memoryBytes: memory.bytes, slices: mostSlices };
    const ledger = new AdapterLedger(runtime, name, capacity, (slice, bytes) => slices.granted(slice, bytes));
    const health = this.#healthOf(name, probed);
    const device = new AdapterDevice(runtime, { name, ...probed, memory, ledger, health });
    await system.addDevice(device);
    return device;
  }

  #healthOf(name: string, { choice }: ProbedAdapter): AdapterHealth | undefined {
    const { system, health: care } = this.#options;
    if (care === undefined) return undefined;
    return new AdapterHealth({
      runtime: system.runtime,
      adapter: name,
      policy: care.policy,
      probe: (ended) => care.probe(choice, ended),
      onChange: (state) => {
        const device = this.#entries.get(name)?.device;
        if (device !== undefined && device !== null) system.announceChange(device, [["HEALTH", state]]);
      },
    });
  }

  #removal(entry: Entry): Task {
    this.#access("write");
    entry.presence = "going";
    entry.removal ??= new Task(this.#options.system.runtime, `removal of ${entry.name}`, () =>
      this.#remove(entry),
    );
    return entry.removal;
  }

  async #remove(entry: Entry): Promise<void> {
    const { system, slices } = this.#options;
    const { device } = entry;
    if (device !== null) {
      await device.health?.close();
      await slices.adapterGoes(device);
      await system.unregisterDevice(device, unbounded);
    }
    this.#access("write");
    entry.presence = "absent";
    entry.device = null;
    entry.removal = undefined;
    system.runtime.log("info", "adapter.removed", { adapter: entry.name });
  }

  #freeName(): string {
    let number = 0;
    while (this.#entries.has(`adapter${number}`)) number += 1;
    return `adapter${number}`;
  }

  #unknown(name: string): HostError {
    const names = [...this.#entries.keys()].join(", ");
    return new HostError("adapter-unknown", `there is no adapter ${name}.`, {
      details: { adapter: name },
      remedy: `There ${names === "" ? "is none" : `is ${names}`}.`,
    });
  }

  #access(mode: "read" | "write"): void {
    this.#options.system.runtime.scheduler.access(this, mode);
  }
}
