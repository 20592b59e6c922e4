import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";

/** An inode keeps a pointer to the character device, so an open may come after the device's number is gone. */
function cdev(test: "none" | "registrations"): Program {
  return {
    name: `a character device is opened through a cached inode while it is removed; test in open: ${test}`,
    setup(world) {
      const hardware = world.allocate("mapped registers", { value: 0 });
      const registrations = world.atomic("registrations", 1);
      const put = async () => {
        // Whoever is last gives the hardware up.
        if ((await registrations.update((count) => count - 1)) === 1) world.free(hardware);
      };
      const tryGet = async (): Promise<boolean> => {
        for (let count = await registrations.load(); count > 0; count = await registrations.load()) {
          if (await registrations.compareAndSwap(count, count + 1)) return true;
        }
        return false;
      };
      world.task("user", async () => {
        if (test === "registrations" && !(await tryGet())) return;
        await world.point("open reaches the registers");
        hardware.value += 1;
        if (test === "registrations") await put();
      });
      world.task("unplug", async () => {
        await world.point("no new open finds the number");
        if (test === "registrations") await put();
        else world.free(hardware);
      });
    },
  };
}

export const cachedInode: Dispute = {
  id: "D8.2",
  thread: "char-devices",
  title: "An open that comes after the device's number is gone",
  argued:
    "Removing a character device stops lookups by number. An inode that was looked up before still leads to it.",
  found:
    "Without a test of its own, open reaches hardware that was given up. A count of registrations that can only be taken while it is not zero closes it.",
  variants: [
    {
      name: "no test in open",
      program: cdev("none"),
      expected: "unsafe",
      finds: "use-after-free",
      options: { ignore: ["data-race"] },
    },
    { name: "a count of registrations (as VFIO)", program: cdev("registrations"), expected: "safe" },
  ],
};
