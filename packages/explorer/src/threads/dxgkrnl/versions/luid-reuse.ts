/** D4.3: after the host has restarted another GPU has the LUID that a user still remembers. */
import { Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define } from "../parts/define.js";

interface Adapter {
  readonly gpu: string;
  readonly luid: number;
  /** Counts arrivals in this guest; never repeats. */
  readonly arrival: number;
}

function program(key: "the LUID" | "the LUID and the arrival"): Program {
  return define({
    name: `adapters are opened by ${key}`,
    setup(world) {
      const lock = new Mutex(world.runtime, "adapter_list_lock");
      const list = world.track("adapters", { now: { gpu: "A", luid: 1, arrival: 1 } as Adapter | null });
      world.task("user", async () => {
        const seen = await lock.withLock(() => list.now);
        if (seen === null) return;
        const opened = await lock.withLock(() => {
          const { now } = list;
          const isSame = now?.luid === seen.luid && (key === "the LUID" || now.arrival === seen.arrival);
          return isSame ? now : null;
        });
        world.expect(
          opened === null || opened.gpu === seen.gpu,
          `the user wants ${seen.gpu} and gets ${opened?.gpu}`,
        );
      });
      world.task("host restarts", async () => {
        await lock.withLock(() => {
          list.now = null;
        });
        await lock.withLock(() => {
          list.now = { gpu: "B", luid: 1, arrival: 2 };
        });
      });
    },
  });
}

export const luidReuse: Dispute = {
  id: "D4.3",
  thread: "dxgkrnl",
  title: "A LUID that means another GPU after the host has restarted",
  argued:
    "What is a LUID, and why does the kernel care? Unique until the host restarts, said the author; the " +
    "reviewer asked about cloned machines and about how long a machine lives.",
  found:
    "A guest can outlive its host's restart, and a user who enumerated before opens the other GPU after. With " +
    "the arrival as part of what is opened a remembered LUID fails instead.",
  variants: [
    { name: "as posted: by LUID", program: program("the LUID"), expected: "unsafe", finds: "expectation" },
    {
      name: "by LUID and arrival",
      program: program("the LUID and the arrival"),
      expected: "safe",
    },
  ],
};
