import { type Driver, KernelError } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { answerOf } from "../parts/mdev-core.js";
import { MdevBus } from "../parts/on-system.js";

interface Shared {
  readonly on: MdevBus;
  readonly driver: Driver;
}

/** create adds the device, its driver refuses it, and somebody looks at it all the while. */
function refusedByProbe(unwinding: "complete" | "without the device"): Program<Shared> {
  return {
    name: `refused by probe, unwinding ${unwinding}`,
    setup(world) {
      const on = new MdevBus(world);
      const instances = world.pool("instances", 1);
      const driver = on.driver(world, () => {
        throw new KernelError("ENOSPC", "no more ports");
      });
      world.task("create", async () => {
        instances.take();
        await on.system.addDevice(on.mdev);
        const answer = await answerOf(() => on.system.attach(on.mdev, driver), "ENOSPC");
        world.expect(answer === "ENOSPC", `create answers ${answer}`);
        if (unwinding === "complete") await on.system.removeDevice(on.mdev);
        instances.give();
      });
      world.task("udev", async () => {
        await answerOf(() => on.system.probeDevice(on.mdev), "ENODEV");
      });
      return { on, driver };
    },
    before: ({ on, driver }) => on.system.registerDriver(driver),
    async after({ on, driver }, world) {
      const events = on.events.join(" ");
      world.expect(events === "add remove", `announced: ${events}`);
      await on.system.unregisterDriver(driver);
      on.mdev.put();
    },
  };
}

export const probeRefuses: Dispute = {
  id: "D7.11",
  thread: "mdev",
  title: "The driver refuses what create has announced",
  argued:
    "The device is announced before it is bound; when the driver refuses it, everything has to be as before.",
  found:
    "Listeners hear add and remove and no bind, instance and uuid are free again, whoever looks for drivers meanwhile.",
  variants: [
    { name: "unwound (the kernel)", program: refusedByProbe("complete"), expected: "safe" },
    {
      name: "the device is left",
      program: refusedByProbe("without the device"),
      expected: "unsafe",
      finds: "expectation",
    },
  ],
};
