import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";

type Announced = "when the directories are there" | "before" | "even if registering fails";

/** A parent offers types: directories appear, then an event says so, and a fast listener creates a device at once. */
function parent(announced: Announced): Program {
  return {
    name: `a parent of mediated devices registers; it is announced ${announced}`,
    setup(world) {
      const directories = world.atomic("type directories", false);
      const heard = world.atomic("MDEV_STATE=registered", false);
      const fails = announced === "even if registering fails";
      world.task("register", async () => {
        if (announced === "before" || fails) await heard.store(true);
        if (!fails) await directories.store(true);
        if (announced === "when the directories are there") await heard.store(true);
      });
      world.task("listener", async () => {
        if (!(await heard.load())) return;
        world.expect(
          await directories.load(),
          "told to create a device, and there is nothing to create it with",
        );
      });
    },
  };
}

export const announcedBeforeUsable: Dispute = {
  id: "D9.6, D9.7",
  thread: "uevents",
  title: "An announcement that comes before what it announces",
  argued:
    "mdev announces a parent after its type directories are there, before the call that registers it has returned. If " +
    "registering fails half way nothing is announced.",
  found:
    "A listener may act before the call returns, and that is fine. Announced earlier, or for a registration that fails, it is not.",
  variants: [
    { name: "as mdev has it", program: parent("when the directories are there"), expected: "safe" },
    { name: "announced first", program: parent("before"), expected: "unsafe", finds: "expectation" },
    {
      name: "announced though it fails",
      program: parent("even if registering fails"),
      expected: "unsafe",
      finds: "expectation",
    },
  ],
};
