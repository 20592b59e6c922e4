import { Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";

/** A mapping lives on after its file was closed; what it maps goes with the device. */
function mapping(zapped: "no" | "yes"): Program {
  return {
    name: `mapped memory is used while the device is removed; mappings are taken down first: ${zapped}`,
    setup(world) {
      const window = world.allocate("window of the device", { value: 0 });
      const tables = new Mutex(world.runtime, "page tables");
      const pages = world.track("page table", { present: true });
      world.task("user", async () => {
        // A store instruction: it finds the page or faults.
        await tables.withLock(() => {
          if (pages.present) window.value = 1;
        });
      });
      world.task("unplug", async () => {
        if (zapped === "yes") {
          await tables.withLock(() => {
            pages.present = false;
          });
        }
        await world.point("the window goes back to the bus");
        world.free(window);
      });
    },
  };
}

export const mappingAfterRemoval: Dispute = {
  id: "D8.7",
  thread: "char-devices",
  title: "A mapping that outlives the device",
  argued:
    "A mapping keeps its file alive, not its device. VFIO takes mappings down when memory is switched off; dxgkrnl does not when its channel goes.",
  found:
    "Left alone, a mapping reaches memory that somebody else has by then. Taken down first, a late access faults.",
  variants: [
    {
      name: "mappings are left alone",
      program: mapping("no"),
      expected: "unsafe",
      finds: "use-after-free",
      options: { ignore: ["data-race"] },
    },
    { name: "mappings are taken down first", program: mapping("yes"), expected: "safe" },
  ],
};
