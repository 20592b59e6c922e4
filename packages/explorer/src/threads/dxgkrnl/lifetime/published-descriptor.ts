/** D3.12: a file descriptor is installed before the last step that can fail. */
import { Refcount, SpinLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";

function program(install: "before the last step that can fail" | "after it"): Program {
  return define({
    name: `descriptor installed ${install}`,
    setup(world) {
      const lock = new SpinLock(world.runtime, "descriptor table lock");
      const table = world.track("descriptor table", { fd3: "free" });
      const object = world.allocate("shared object", { use: 0 });
      const file = new Refcount(world.runtime, "file of the shared object", () => world.free(object));
      const set = (state: "free" | "reserved" | "installed") =>
        lock.withLock(() => {
          table.fd3 = state;
        });
      world.task("share", async () => {
        await set("reserved");
        if (install === "before the last step that can fail") await set("installed");
        await world.point("copy the number to the user, which fails");
        // As if nobody could have seen it.
        await set("free");
        file.put();
      });
      world.task("another thread closes 3", async () => {
        const mine = await lock.withLock(() => {
          if (table.fd3 !== "installed") return false;
          table.fd3 = "free";
          return true;
        });
        if (!mine) return;
        object.use += 1;
        file.put();
      });
    },
  });
}

export const publishedDescriptor: Dispute = {
  id: "D3.12",
  thread: "dxgkrnl",
  title: "A descriptor is installed and then taken back",
  argued:
    "Asked for in the review: share through descriptors. The rule that comes with them is to install them " +
    "last.",
  found:
    "Another thread of the process may close a descriptor as soon as it is installed, before it was told the " +
    "number. The failing request then gives back a reference that is no longer its own. Installed after the " +
    "last step that can fail there is nothing to take back.",
  variants: [
    {
      name: "installed, then a step fails",
      program: program("before the last step that can fail"),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    { name: "installed last", program: program("after it"), expected: "safe" },
  ],
};
