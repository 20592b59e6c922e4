import { KernelError } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { answerOf } from "../parts/mdev-core.js";

/** One port is left. Each service reads how many are free before it creates. */
function advisoryCount(probe: "trusts the count" | "takes or refuses"): Program {
  return {
    name: `advisory count, probe ${probe}`,
    setup(world) {
      const ports = world.atomic("free ports", 1);
      for (const service of ["service 1", "service 2"]) {
        world.task(service, async () => {
          if ((await ports.load()) === 0) return;
          const create = async (): Promise<void> => {
            const left = await ports.update((free) =>
              probe === "trusts the count" || free > 0 ? free - 1 : free,
            );
            if (probe === "takes or refuses" && left === 0) throw new KernelError("ENOSPC", "no more ports");
            world.expect(left > 0, "two mdevs have one port");
          };
          await answerOf(create, "ENOSPC");
        });
      }
    },
  };
}

export const advisory: Dispute = {
  id: "D7.12",
  thread: "mdev",
  title: "A count that is only looked at",
  argued:
    "Drivers that compute how many instances are available answer a question; nothing is reserved by asking.",
  found:
    "Two that have asked both create. The driver's probe has to take what it needs in one step, or refuse.",
  variants: [
    {
      name: "probe trusts the count",
      program: advisoryCount("trusts the count"),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "probe takes or refuses", program: advisoryCount("takes or refuses"), expected: "safe" },
  ],
};
