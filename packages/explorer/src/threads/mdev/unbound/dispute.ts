import type { Driver } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { answerOf } from "../parts/mdev-core.js";
import { MdevBus } from "../parts/on-system.js";

interface Shared {
  readonly on: MdevBus;
  readonly driver: Driver;
}

/** unbind in sysfs, then somebody looks for drivers again; at the same time the mdev is removed. */
function unbindAndRemove(match: "never" | "always"): Program<Shared> {
  return {
    name: `unbind and remove, the bus matches ${match}`,
    setup(world) {
      const on = new MdevBus(world, match);
      const driver = on.driver(world);
      world.task("unbind", async () => {
        const answer = await answerOf(() => on.system.detach(on.mdev, driver), "ENODEV");
        if (answer !== "done") return;
        await on.system.probeDevice(on.mdev);
        world.expect(!on.mdev.bound, "an mdev is bound again that nobody has created");
      });
      world.task("remove", () => on.system.removeDevice(on.mdev));
      return { on, driver };
    },
    async before({ on, driver }) {
      await on.system.addDevice(on.mdev);
      await on.system.registerDriver(driver);
      if (!on.mdev.bound) await on.system.attach(on.mdev, driver);
    },
    async after({ on, driver }, world) {
      world.expect(on.driven === 0, `${on.driven} probes were not followed by a remove`);
      await on.system.unregisterDriver(driver);
      on.mdev.put();
    },
  };
}

export const unbound: Dispute = {
  id: "D7.7",
  thread: "mdev",
  title: "An mdev whose driver was unbound",
  argued:
    "Until 5.12 a shim driver was bound by ordinary matching; since then the bus matches nothing, and only create binds.",
  found:
    "With a bus that matches nothing an unbound mdev stays without a driver and can still be removed, in every order. With " +
    "ordinary matching it is bound again, with nobody having created anything.",
  variants: [
    {
      name: "ordinary matching (until 5.12)",
      program: unbindAndRemove("always"),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "a bus that matches nothing (6.0)", program: unbindAndRemove("never"), expected: "safe" },
  ],
};
