import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";
import { ByHandDevice, type ByHandDriver } from "../by-hand.js";

/** A driver in memory that goes with its module. */
interface DriverMemory {
  state: "registered" | "gone";
}

function byHand(test: "none" | "under the lock"): Program<{ readonly device: ByHandDevice }> {
  return {
    name: `a driver is unregistered while somebody binds it by hand, its registration tested: ${test}`,
    setup(world) {
      const device = new ByHandDevice(world, "device");
      const memory = world.allocate<DriverMemory>("driver's memory", { state: "registered" });
      const driver: ByHandDriver = {
        name: "driver",
        probe: () => Promise.resolve(memory.state === "registered" ? 0 : -19),
        async remove() {
          await world.point("driver: remove");
          world.expect(memory.state === "registered", "remove of a driver that is gone");
        },
      };
      const list = world.atomic("on the bus's list of drivers", true);
      world.task("manual bind", async () => {
        const guard = await device.lock.lock();
        if (test === "none" || (await list.load())) {
          device.fields.driver = driver;
          await driver.probe(device);
          await device.bindByHand();
        }
        guard.release();
      });
      world.task("unregister", async () => {
        await list.store(false);
        // Walks the devices that are bound to it, each under its lock.
        await device.lock.withLock(async () => {
          if (device.fields.driver === driver) await device.releaseLocked();
        });
        await world.point("the module's memory goes");
        world.free(memory);
      });
      return { device };
    },
    async after({ device }) {
      await device.release();
    },
  };
}

interface OneDriver {
  readonly at: Attached;
  readonly driver: ReturnType<Attached["driver"]>;
}

const attached: Program<OneDriver> = {
  name: "a driver is unregistered while somebody attaches it",
  setup(world) {
    const at = new Attached(world, { match: () => false });
    const driver = at.driver("driver");
    world.task("manual bind", async () => {
      await at.outcome(() => at.system.attach(at.device, driver), "ENODEV");
    });
    world.task("unregister", async () => {
      await at.system.unregisterDriver(driver);
      world.expect(at.held.by === null, "the driver is gone and still has a device");
    });
    return { at, driver };
  },
  async before({ at, driver }) {
    await at.system.addDevice(at.device);
    await at.system.registerDriver(driver);
  },
  after: ({ at }) => at.end(),
};

export const leavingDriver: Dispute = {
  id: "D6.10",
  thread: "device-bind-driver",
  title: "A driver leaves while it is bound by hand",
  argued:
    "Unregistering a driver walks the devices it has. A manual bind that comes after that walk was not discussed; " +
    "the new interface does not test whether the driver is still registered either.",
  found:
    "A device stays bound to a driver whose memory is gone. Testing the registration under the device's lock, in the " +
    "step that enters the driver's list, closes it; attach does that here.",
  variants: [
    { name: "by hand", program: byHand("none"), expected: "unsafe", finds: "use-after-free" },
    {
      name: "by hand, registration tested under the lock",
      program: byHand("under the lock"),
      expected: "safe",
    },
    { name: "attach", program: attached, expected: "safe" },
  ],
};
