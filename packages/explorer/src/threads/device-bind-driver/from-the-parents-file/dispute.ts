import { Device, type Driver, isKernelError } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";

interface Family {
  readonly at: Attached;
  readonly parent: Device;
  readonly driver: Driver<Device>;
}

/** A file of the parent attaches a driver to the child, as the compatibility file of DSA and the create file of mdev do. */
function storeAttaches(parentLock: "not needed" | "needed"): Program<Family> {
  return {
    name: `a file of the parent attaches the child while the parent is unbound; the parent's lock is ${parentLock}`,
    setup(world) {
      const at = new Attached(world, { match: () => false, needParentLock: parentLock === "needed" });
      const driver = at.driver("driver");
      const bind: { child: Device | null } = { child: null };
      const parentDriver: Driver<Device> = {
        name: "parent's driver",
        bus: at.bus,
        deviceGroups: [
          {
            attributes: [
              {
                name: "bind_child",
                async store() {
                  if (bind.child === null) return;
                  await at.outcome(() => at.system.attach(bind.child as Device, driver), "EBUSY", "ENODEV");
                },
              },
            ],
          },
        ],
        probe: () => {},
      };
      const parent = new Device(world.runtime, { name: "parent", bus: at.bus });
      const child = new Device(world.runtime, { name: "child", bus: at.bus, parent });
      bind.child = child;
      world.task("write bind_child", async () => {
        try {
          await parent.writeAttribute("bind_child", "1");
        } catch (error) {
          if (!isKernelError(error, "ENODEV") && !isKernelError(error, "ENOENT")) throw error;
        }
      });
      world.task("unbind parent", () => at.system.detach(parent));
      return { at, parent, driver, child, parentDriver };
    },
    async before(shared) {
      const { at, parent, driver, child, parentDriver } = shared as Family & {
        child: Device;
        parentDriver: Driver<Device>;
      };
      await at.system.registerDriver(driver);
      await at.system.registerDriver(parentDriver);
      await at.system.addDevice(parent);
      await at.system.addDevice(child);
      await at.system.attach(parent, parentDriver);
    },
    async after(shared) {
      const { at, parent, driver, child, parentDriver } = shared as Family & {
        child: Device;
        parentDriver: Driver<Device>;
      };
      await at.system.unregisterDevice(child);
      await at.end(driver, parentDriver);
      await at.system.unregisterDevice(parent);
    },
  };
}

export const fromTheParentsFile: Dispute = {
  id: "D6.6",
  thread: "device-bind-driver",
  title: "A file of the parent attaches the child",
  argued:
    "That is what the new interface was wanted for. Unbinding the parent takes the file away and waits for whoever is in " +
    "it, with the parent's lock held.",
  found:
    "On a bus that needs the parent's lock, the file waits for the lock and the lock's owner for the file. Where the " +
    "parent's lock is not needed, no order blocks.",
  variants: [
    {
      name: "attach, a bus that needs the parent's lock (USB)",
      program: storeAttaches("needed"),
      expected: "unsafe",
      finds: "deadlock",
    },
    {
      name: "attach, a bus that does not",
      program: storeAttaches("not needed"),
      expected: "safe",
    },
  ],
};
