/**
 * D2.1: a vGPU is usable once three devices have been probed: the PCI function, its own channel and the global channel.
 * They come in any order, and at once.
 */
import { type Bus, Device, type Driver, KernelError, Mutex, SpinLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";
import { createMachine, driverOf, takeDown } from "../parts/machine.js";

type Piece = "function" | "channel" | "global";

function startedTimes(starts: number): string {
  return `all three are there and the adapter was started ${starts} times`;
}

const pieces: readonly Piece[] = ["function", "channel", "global"];

/** Each probe notes what it has and starts what is complete. Every probe is a task, for each runs under its own lock. */
function globalLists(lock: "device_mutex" | "no lock"): Program {
  return define({
    name: `global lists, ${lock}`,
    setup(world) {
      const global = world.track("dxgglobal", { function: false, channel: false, global: false });
      const adapter = world.track("adapter", { state: "waiting", starts: 0 });
      const mutex = new Mutex(world.runtime, "device_mutex");
      const startAdapters = async () => {
        await world.point("go through the adapters");
        if (!global.global || !global.function || !global.channel || adapter.state !== "waiting") return;
        await world.point("open adapter");
        adapter.starts += 1;
        adapter.state = "active";
      };
      for (const piece of pieces) {
        world.task(`probe of the ${piece}`, async () => {
          const guard = lock === "no lock" ? null : await mutex.lock();
          global[piece] = true;
          await startAdapters();
          guard?.release();
        });
      }
      return adapter;
    },
    async after(adapter, world) {
      world.expect(adapter.starts === 1, startedTimes(adapter.starts));
    },
  });
}

/** The function's probe says "not yet" until both channels are bound; the core asks again when something has bound. */
function deferredProbe(): Program {
  return define({
    name: "deferred probe",
    setup(world) {
      const machine = createMachine(world, "pci");
      const { system, pci, vmbus } = machine;
      const device = new Device(world.runtime, { name: "function", bus: pci });
      const channels = ["channel", "global"].map((name) => new Device(world.runtime, { name, bus: vmbus }));
      // Nobody listens, and the order of uevents is not the question.
      for (const one of [device, ...channels]) one.uevents = "suppressed";
      const adapter = world.track("adapter", { starts: 0 });
      const functionDriver = driverOf<Device>("dxgkrnl", pci, () => {
        if (!channels.every((channel) => channel.bound)) {
          throw new KernelError("EPROBE_DEFER", "a channel is missing");
        }
        adapter.starts += 1;
      });
      const channelDrivers = channels.map(({ name }) => driverOf<Device>(name, vmbus, () => {}));
      world.task("probe of the function", () => system.addDevice(device));
      for (const [i, channel] of channels.entries())
        world.task(`probe of the ${channel.name}`, () => system.attach(channel, channelDrivers[i] as Driver));
      return { machine, device, channels, drivers: [functionDriver, ...channelDrivers], adapter };
    },
    async before({ machine, channels, drivers }) {
      for (const driver of drivers) await machine.system.registerDriver(driver);
      for (const channel of channels) await machine.system.addDevice(channel);
    },
    async after({ machine, device, channels, drivers, adapter }, world) {
      await machine.system.waitForProbe();
      world.expect(adapter.starts === 1, startedTimes(adapter.starts));
      await takeDown(machine, drivers, [device, ...channels]);
    },
  });
}

/**
 * The same with a list of the driver's own: who finds something missing puts itself on it, who binds tries those on it.
 * The core's compares how often something was bound before the probe and after it.
 */
function ownDeferral(): Program {
  return define({
    name: "deferral with a list of the driver's own",
    setup(world) {
      const lock = new SpinLock(world.runtime, "list lock");
      const shared = world.track("dxgglobal", { open: 0, waits: "no", starts: 0 });
      const probeFunction = async () => {
        const open = await lock.withLock(() => shared.open);
        if (open === 2) {
          await lock.withLock(() => {
            shared.starts += 1;
          });
          return;
        }
        await world.point("undo what the probe has done");
        await lock.withLock(() => {
          shared.waits = "yes";
        });
      };
      world.task("probe of the function", probeFunction);
      for (const piece of pieces.slice(1)) {
        world.task(`probe of the ${piece}`, async () => {
          const waited = await lock.withLock(() => {
            shared.open += 1;
            const was = shared.waits;
            shared.waits = "no";
            return was;
          });
          if (waited === "yes") await probeFunction();
        });
      }
      return shared;
    },
    async after({ starts }, world) {
      world.expect(starts === 1, startedTimes(starts));
    },
  });
}

/** What has arrived is noted at one place; the last to come creates the compute device, whose probe starts it. */
function childWhenComplete(): Program {
  return define({
    name: "the parent creates the child when it is complete",
    setup(world) {
      const machine = createMachine(world, "none");
      const compute: Bus = { name: "compute", match: () => true };
      machine.system.registerBus(compute);
      const parts = world.track("parts of the vGPU", { have: [] as readonly string[] });
      const lock = new Mutex(world.runtime, "lock of the parts");
      const adapter = world.track("adapter", { starts: 0 });
      const child = new Device(world.runtime, { name: "compute0", bus: compute });
      const driver = driverOf<Device>("compute", compute, () => {
        adapter.starts += 1;
      });
      for (const piece of pieces) {
        world.task(`probe of the ${piece}`, () =>
          lock.withLock(async () => {
            parts.have = [...parts.have, piece];
            if (parts.have.length === pieces.length) await machine.system.addDevice(child);
          }),
        );
      }
      return { machine, driver, child, adapter };
    },
    async before({ machine, driver }) {
      await machine.system.registerDriver(driver);
    },
    async after({ machine, driver, child, adapter }, world) {
      world.expect(adapter.starts === 1, startedTimes(adapter.starts));
      await takeDown(machine, [driver], [child]);
    },
  });
}

export const allOrders: Dispute = {
  id: "D2.1",
  thread: "dxgkrnl",
  title: "Three probes in any order: each vGPU is started exactly once",
  argued:
    "The author needed global data because the three probes come in any order and none has a structure that " +
    "the others know. The reviewer: then the design is wrong, each device stores what it needs when it is " +
    "created.",
  found:
    "All three designs start the vGPU exactly once in all six orders and every interleaving of them, deferred " +
    "probe included: the order of probes is no reason for global data. What the global design can't do without " +
    "is its lock; without it two probes both find everything complete. And deferral is best left to the core: " +
    "a simple list loses what is bound while a probe is on its way to the list.",
  variants: [
    {
      name: "global lists without device_mutex",
      program: globalLists("no lock"),
      expected: "unsafe",
      finds: "expectation",
      options: lookPastRaces,
    },
    {
      name: "as posted: global lists under device_mutex",
      program: globalLists("device_mutex"),
      expected: "safe",
    },
    {
      name: "deferral with a list of the driver's own",
      program: ownDeferral(),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "deferred probe of the PCI function", program: deferredProbe(), expected: "safe" },
    {
      name: "a child is created when its parts are complete",
      program: childWhenComplete(),
      expected: "safe",
    },
  ],
};
