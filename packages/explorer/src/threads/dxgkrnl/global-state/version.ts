/** D1.1, D1.2, D4.1: two functions whose hosts want to be asked one by one, and a version that is agreed on once. */
import { Device, Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { ConfigSpace, headerBytes, negotiate } from "../parts/config-space.js";
import { define } from "../parts/define.js";
import { createMachine, driverOf, takeDown, VgpuFunction } from "../parts/machine.js";

type Design =
  | "first function decides for all"
  | "first function decides, kept in the global channel's drvdata"
  | "each function decides for itself";

/** @param hosts the newest version each function's host knows */
export function versionProgram(design: Design, hosts: readonly [number, number]): Program {
  return define({
    name: `${design}, hosts ${hosts.join(" and ")}`,
    setup(world) {
      const machine = createMachine(world);
      const functions = hosts.map((version, i) => {
        const config = new ConfigSpace(world, `F${i + 1}`, { instance: `channel ${i + 1}`, version });
        return new VgpuFunction(machine, `F${i + 1}`, config);
      });
      const global = new Device(world.runtime, { name: "global", bus: machine.vmbus });
      const shared = world.track("dxgglobal", { version: 0 });
      const stateOf = () =>
        design === "first function decides for all" ? shared : (global.driverData as typeof shared);
      const deviceMutex = new Mutex(world.runtime, "device_mutex");
      const driver = driverOf<VgpuFunction>("dxgkrnl", machine.pci, async ({ config }) => {
        if (design === "each function decides for itself") return { version: await negotiate(config) };
        return deviceMutex.withLock(async () => {
          const state = stateOf();
          if (state.version === 0) state.version = await negotiate(config);
          return { version: state.version };
        });
      });
      const channelDriver = driverOf<Device>("global", machine.vmbus, () => shared);
      for (const device of functions)
        world.task(`${device.name} appears`, () => machine.system.addDevice(device));
      return { machine, functions, global, drivers: [driver, channelDriver] };
    },
    async before({ machine, global, drivers }) {
      for (const driver of drivers) await machine.system.registerDriver(driver);
      await machine.system.addDevice(global);
    },
    async after({ machine, functions, global, drivers }, world) {
      for (const { name, config, driverData } of functions) {
        const { version } = driverData as { version: number };
        const sent = headerBytes(version);
        const read = headerBytes(config.accepted);
        world.expect(
          sent === read,
          `${name} gets headers of ${sent} bytes and reads ${read}: its host never heard of version ${version}`,
        );
      }
      await takeDown(machine, drivers, [...functions, global]);
    },
  });
}

const argued =
  "The interface version is negotiated through a function's own configuration space. As posted the first " +
  "function to be probed decides and the result is kept in the one global structure; the reviewer asked for " +
  "state per device.";

export const secondFunction: Dispute = {
  id: "D1.1",
  thread: "dxgkrnl",
  title: "A second vGPU whose host was never told the version",
  argued,
  found:
    "With two equal hosts every order of the two probes fails as posted: the function that comes second is " +
    "sent extended headers its host has not agreed to. Moving the structure to the channel's drvdata changes " +
    "nothing as long as it is filled once. Negotiated by each probe, all orders hold.",
  variants: [
    {
      name: "as posted: one version for the driver",
      program: versionProgram("first function decides for all", [40, 40]),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "as proposed: the same structure as drvdata of the global channel",
      program: versionProgram("first function decides, kept in the global channel's drvdata", [40, 40]),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "per device: each probe negotiates",
      program: versionProgram("each function decides for itself", [40, 40]),
      expected: "safe",
    },
  ],
};

export const olderSecond: Dispute = {
  id: "D1.2",
  thread: "dxgkrnl",
  title: "A second vGPU whose host is older than the first one's",
  argued,
  found:
    "Whether it fails depends on which function is probed first: the older one first pulls the newer one down, " +
    "which works; the newer one first breaks the older one. Per device there is nothing to order.",
  variants: [
    {
      name: "as posted: one version for the driver",
      program: versionProgram("first function decides for all", [40, 27]),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "per device: each probe negotiates",
      program: versionProgram("each function decides for itself", [40, 27]),
      expected: "safe",
    },
  ],
};
