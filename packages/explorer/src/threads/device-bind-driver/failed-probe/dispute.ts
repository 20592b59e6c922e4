import { KernelError } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";
import { ByHandDevice, type ByHandDriver, countingDriver } from "../by-hand.js";

/** What each caller undoes by itself when its own probe fails. */
type Undo = "nothing" | "the driver" | "everything";

function byHand(undo: Undo): Program<ByHandDevice> {
  return {
    name: `a caller's own probe fails, and it undoes ${undo}`,
    setup(world) {
      const device = new ByHandDevice(world, "device");
      const buffers = world.pool("buffers of the device", 1);
      const refusing: ByHandDriver = {
        name: "refusing",
        async probe() {
          buffers.take();
          device.fields.driverData = "refusing's";
          await world.point("refusing: probe fails");
          return -5;
        },
        remove: () => Promise.resolve(),
      };
      const next = countingDriver(world, "next");
      world.task("caller", async () => {
        const guard = await device.lock.lock();
        device.fields.driver = refusing;
        if ((await refusing.probe(device)) < 0) {
          if (undo !== "nothing") device.fields.driver = null;
          if (undo === "everything") {
            buffers.give();
            device.fields.driverData = null;
          }
        }
        guard.release();
      });
      world.task("next", async () => {
        const guard = await device.lock.lock();
        if (device.fields.driver === null) {
          world.expect(
            device.fields.driverData === null,
            "next finds the data of a driver that never had it",
          );
          device.fields.driver = next;
          await next.probe(device);
          await device.bindByHand();
        }
        guard.release();
      });
      return device;
    },
    async after(device, world) {
      world.expect(
        device.fields.driver === null || device.fields.listed,
        "it looks bound and no driver has it",
      );
      await device.release();
    },
  };
}

interface TwoDrivers {
  readonly at: Attached;
  readonly refusing: ReturnType<Attached["driver"]>;
  readonly next: ReturnType<Attached["driver"]>;
}

const attached: Program<TwoDrivers> = {
  name: "a probe fails under attach",
  setup(world) {
    const at = new Attached(world, { match: () => false });
    const buffers = world.pool("buffers of the device", 1);
    const refusing = at.driver("refusing", {
      async probe(device) {
        buffers.take();
        device.devres.addAction(() => buffers.give());
        await world.point("refusing: probe fails");
        throw new KernelError("EIO", "as told");
      },
    });
    const next = at.driver("next");
    world.task("caller", async () => {
      await at.outcome(() => at.system.attach(at.device, refusing), "EIO", "EBUSY");
    });
    world.task("next", async () => {
      await at.outcome(() => at.system.attach(at.device, next), "EBUSY");
    });
    return { at, refusing, next };
  },
  async before({ at, refusing, next }) {
    await at.system.addDevice(at.device);
    await at.system.registerDriver(refusing);
    await at.system.registerDriver(next);
  },
  after: ({ at, refusing, next }) => at.end(refusing, next),
};

export const failedProbe: Dispute = {
  id: "D6.9",
  thread: "device-bind-driver",
  title: "Who undoes a probe that failed",
  argued:
    "Where the caller runs its own probe, the caller has to undo it: driver, data and resources. The six callers do " +
    "it in different ways.",
  found:
    "What a caller forgets stays: a device that looks bound and is not, data that the next driver takes for its own, " +
    "resources that nobody gives back. attach undoes all of it in one place.",
  variants: [
    {
      name: "by hand, nothing is undone",
      program: byHand("nothing"),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "by hand, the driver is taken back",
      program: byHand("the driver"),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "by hand, everything is undone", program: byHand("everything"), expected: "safe" },
    { name: "attach", program: attached, expected: "safe" },
  ],
};
