import { type Device, type Driver, KernelError } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";

interface Shared {
  readonly at: Attached;
  readonly driver: Driver<Device>;
  readonly supplied: { peek(): boolean };
}

function bindTwice(caller: "asks once" | "asks again"): Program<Shared> {
  return {
    name: `a driver that says "not yet" is bound by hand while what it waits for comes; the caller ${caller}`,
    setup(world) {
      const at = new Attached(world, { match: () => false });
      const supplied = world.atomic("what it waits for", false);
      const driver: Driver<Device> = {
        name: "driver",
        bus: at.bus,
        async probe() {
          if (!(await supplied.load())) throw new KernelError("EPROBE_DEFER", "not yet");
        },
      };
      const attach = () => at.outcome(() => at.system.attach(at.device, driver), "EAGAIN", "EBUSY");
      world.task("bind", async () => {
        await attach();
      });
      world.task("supply", async () => {
        await supplied.store(true);
        if (caller === "asks again") await attach();
      });
      return { at, driver, supplied };
    },
    async before({ at, driver }) {
      await at.system.addDevice(at.device);
      await at.system.registerDriver(driver);
    },
    async after({ at, driver }, world) {
      world.expect(at.device.bound, "everything it needs is there, and it stays unbound");
      await at.end(driver);
    },
  };
}

export const deferredByHand: Dispute = {
  id: "D6.11",
  thread: "device-bind-driver",
  title: "“Not yet” as an answer to binding by hand",
  argued: "Deferral must not reach user space: the answer is EAGAIN, and the device is not queued.",
  found: "caller has to ask again when it has changed something.",
  variants: [
    {
      name: "the caller asks once",
      program: bindTwice("asks once"),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "whoever supplies asks again", program: bindTwice("asks again"), expected: "safe" },
  ],
};
