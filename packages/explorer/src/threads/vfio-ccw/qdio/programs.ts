/** A subchannel for QDIO, which this driver can't pass through, bound by whoever insists. */
import { type Bus, Device, type Driver, isKernelError, KernelError, System } from "parhelion-core";
import type { Program, World } from "../../../program.js";

class Subchannel extends Device {
  readonly qdio: "yes" | "no" = "yes";
}

/** Where the driver says no. */
export type Fence = "first in probe" | "after the parent is registered" | "in the mdev's probe";

interface Css {
  readonly system: System;
  readonly bus: Bus<Subchannel, Driver<Subchannel, Device>>;
  readonly subchannel: Subchannel;
  readonly driver: Driver<Subchannel, Device>;
}

function css(world: World, fence: Fence): Css {
  const system = new System(world.runtime);
  const bus: Bus<Subchannel, Driver<Subchannel, Device>> = { name: "css", match: () => false };
  system.registerBus(bus);
  const refuse = (device: Subchannel): void => {
    if (device.qdio === "yes")
      throw new KernelError("ENODEV", `${device.name} is for QDIO: leave it to its driver`);
  };
  const driver: Driver<Subchannel, Device> = {
    name: "vfio_ccw",
    bus,
    async probe(device) {
      if (fence === "first in probe") refuse(device);
      const parent = new Device(world.runtime, { name: "parent", parent: device });
      await system.addDevice(parent);
      if (fence === "after the parent is registered") refuse(device);
      return parent;
    },
    async remove(_device, parent) {
      await system.unregisterDevice(parent);
    },
  };
  return { system, bus, subchannel: new Subchannel(world.runtime, { name: "0.0.1234", bus }), driver };
}

/** Bound through driver_override by the one, by name in sysfs by the other. */
export function bindQdio(fence: Fence): Program<Css> {
  return {
    name: `bind a QDIO subchannel, fence ${fence}`,
    setup(world) {
      const made = css(world, fence);
      const { system, subchannel, driver } = made;
      for (const who of ["override", "bind"]) {
        world.task(who, async () => {
          try {
            await system.attach(subchannel, driver);
          } catch (error) {
            if (!isKernelError(error)) throw error;
            world.expect(error.code === "ENODEV", `${who} is answered ${error.code}`);
            return;
          }
          world.expect(false, "a subchannel for QDIO is bound");
        });
      }
      return made;
    },
    async before({ system, subchannel, driver }) {
      await system.addDevice(subchannel);
      await system.registerDriver(driver);
    },
    async after({ system, subchannel, driver }, world) {
      const left = system.deviceAt(`${subchannel.devpath}/parent`);
      world.expect(left === undefined, "the refused subchannel has a parent directory");
      await system.unregisterDriver(driver);
      await system.unregisterDevice(subchannel);
    },
  };
}
