/** The parts of a system and how they are put together. Each knows only those that it calls. */
import { AsyncProbes } from "./async-probes.js";
import { Autoprobe } from "./autoprobe.js";
import { Binder } from "./bind.js";
import { DeferredProbe } from "./deferred.js";
import type { Device } from "./device.js";
import { DeviceLinks } from "./device-links.js";
import { DeviceTree } from "./device-tree.js";
import type { Binding } from "./driver-registration.js";
import { Drivers } from "./drivers.js";
import { Leaving } from "./leaving.js";
import { ManualBinding } from "./manual-binding.js";
import { NodeRegistry } from "./node-registry.js";
import { Notifiers } from "./notifiers.js";
import { Registry } from "./registry.js";
import { noDeadline, type Runtime } from "./runtime.js";
import { SyncState } from "./sync-state.js";
import { Uevents } from "./uevent.js";

export interface SystemOptions {
  /** Drivers, by name, that are probed asynchronously though they do not ask for it; "*" is all of them. */
  readonly asyncDrivers?: readonly string[];
  /**
   * How long after the first probe that defers, or the last driver registered since, `deferredProbeState` stays
   * EPROBE_DEFER. In ms; without it, for ever.
   */
  readonly deferredProbeTimeoutMs?: number;
}

export interface SystemParts {
  readonly uevents: Uevents;
  readonly nodes: NodeRegistry;
  readonly notifiers: Notifiers;
  readonly registry: Registry;
  readonly asyncProbes: AsyncProbes;
  readonly deferred: DeferredProbe;
  readonly links: DeviceLinks;
  readonly sync: SyncState;
  readonly autoprobe: Autoprobe;
  readonly tree: DeviceTree;
  readonly drivers: Drivers;
  readonly manual: ManualBinding;
  readonly leaving: Leaving;
}

export function assemble(runtime: Runtime, options: SystemOptions): SystemParts {
  const uevents = new Uevents(runtime);
  const nodes = new NodeRegistry(runtime);
  const notifiers = new Notifiers(runtime);
  const registry = new Registry(runtime, uevents);
  const asyncProbes = new AsyncProbes(runtime, options.asyncDrivers ?? []);
  const deferred: DeferredProbe = new DeferredProbe(
    runtime,
    options.deferredProbeTimeoutMs ?? noDeadline,
    async (device, retried) => {
      const subsystem = device.bus === null ? null : registry.subsystem(device.bus);
      if (subsystem?.autoprobe !== "on") retried();
      else await autoprobe.unattended(device, subsystem, "with parent", retried);
    },
  );
  const links = new DeviceLinks(runtime, (consumer) => deferred.add(consumer, "its supplier was bound"));
  const bindings = new Map<Device, Binding>();
  const sync = new SyncState(runtime, bindings, links);
  const binder = new Binder({ runtime, uevents, notifiers, deferred, links, sync, bindings });
  const autoprobe: Autoprobe = new Autoprobe({ runtime, binder, deferred, asyncProbes });
  const parts = { runtime, uevents, nodes, notifiers, binder, deferred, autoprobe, asyncProbes, links };
  const subsystemOf = registry.subsystem.bind(registry);
  const membersOf = registry.members.bind(registry);
  const tree = new DeviceTree({ ...parts, subsystemOf, membersOf });
  const drivers = new Drivers(parts);
  const leaving = new Leaving(runtime);
  const manual = new ManualBinding({ ...parts, leaving, subsystemOf });
  return { ...parts, leaving, registry, sync, tree, drivers, manual };
}
