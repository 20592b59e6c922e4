import type { Dispute } from "../../dispute.js";
import { eventAndCssProbe } from "../before-and-after-the-driver-data/programs.js";
import { pathEventAndRemove } from "../callback-and-remove/programs.js";
import { closeAndWork } from "../close-and-work/program.js";
import { type Design, ruled } from "../parts/designs.js";
import { queuedWork } from "../queued-work/program.js";
import { safe, unsafe } from "../variants.js";
import { eventsAllAlong } from "../without-an-mdev/programs.js";

function without(part: string, change: Partial<Design>): Design {
  return { ...ruled, name: `the rule without ${part}`, ...change };
}

export const rule: Dispute = {
  id: "D5 rule",
  thread: "vfio-ccw",
  title: "Is every part of the rule needed?",
  argued:
    "The rule: pointers to what an mdev owns change under the subchannel's lock; work is cancelled after they are cleared; " +
    "no parent is a case like no mdev; the state machine has one lock, under which nobody waits for work.",
  found:
    "Yes: with any part left out one of the questions fails again, and with all of them every one holds.",
  variants: [
    ...unsafe(pathEventAndRemove, "use-after-free", without("the lock", { publishing: "without a lock" })),
    ...unsafe(queuedWork, "use-after-free", without("the cancelling", { work: "stays queued" })),
    ...unsafe(eventAndCssProbe, "exception", without("the missing parent", { missingOuter: "dereferenced" })),
    ...unsafe(closeAndWork, "expectation", without("the state machine's lock", { events: "free" })),
    ...unsafe(
      queuedWork,
      "deadlock",
      without("leaving work alone under that lock", { quiesce: "waits for interrupt and work" }),
    ),
    ...safe(eventsAllAlong, ruled),
  ],
};
