/** What is proved of VFIO, how far, and the mistakes that each proof finds. */
import type { CheckOptions, FailureKind, Method, Program, Proof } from "parhelion-explorer";
import * as irqs from "./irqs.test.fixture.js";
import * as mdev from "./mdev.test.fixture.js";
import * as memory from "./memory.test.fixture.js";
import * as migration from "./migration.test.fixture.js";
import * as paths from "./paths.test.fixture.js";
import * as regions from "./regions.test.fixture.js";
import * as removal from "./removal.test.fixture.js";

/** That a user's time passes is what is meant to happen. */
const options: CheckOptions = { deadlines: "expected" };
const anyTime = "timers and deadlines";
/** Mistakes show near the order that comes by itself. */
const near: CheckOptions = { method: { delays: 2 } };

type Bounds = Pick<Proof, "within" | "deep">;

const random = (runs: number): Method => ({ random: { runs, seed: 1 } });
/** For every day: departures from the order that comes by itself, and some orders at random. */
const some: readonly Method[] = [{ delays: 1 }, random(60)];
/** Every order, for who has the time. */
const long: Bounds = { within: some, deep: ["optimal"] };
/** More orders than anybody can look at. */
const endless: Bounds = { within: some, deep: [{ delays: 2 }, random(4000)] };

/** @param program makes it as it is, or with the mistake */
function proof<P extends string, W>(
  program: (mistake?: P) => Program<W>,
  mistake: P,
  finds: FailureKind,
  bounds: Bounds = {},
  search: CheckOptions = near,
): Proof {
  const broken = program(mistake) as Program;
  return {
    program: program() as Program,
    options,
    ...bounds,
    mistakes: [{ mistake, program: broken, finds, options: search }],
  };
}

export const proofs: readonly Proof[] = [
  proof(removal.nodeBeforeCount, "node first", "expectation"),
  proof((plant) => removal.openAndUnregister("taken", plant), "not counted", "expectation"),
  proof(
    (plant) => removal.openAndUnregister("unbound", plant),
    "remove does not wait",
    "expectation",
    endless,
  ),
  proof((plant) => removal.closeAndRevoke("taken", plant), "closed by hand", "expectation"),
  proof((plant) => removal.closeAndRevoke("unbound", plant), "closed by hand", "expectation", endless),
  proof((plant) => removal.removeOpen("somebody else", plant), "remove waits", "deadlock"),
  proof((plant) => removal.removeOpen("its user", plant), "remove waits", "deadlock"),
  proof((plant) => removal.closesWhenAsked("taken", plant), "does not wait", "expectation"),
  proof((plant) => removal.closesWhenAsked("unbound", plant), "does not wait", "expectation", long),
  proof((plant) => removal.requestNeverEnds("some", plant), "is waited for", "deadlock"),
  proof((plant) => removal.requestNeverEnds("no", plant), "is waited for", "deadlock"),
  proof(removal.dmaAndRevoke, "waits by itself", "deadlock"),
  proof((plant) => mdev.mdevRemoved(plant), "remove waits", "deadlock", endless),
  proof((plant) => mdev.mdevRemovedByUser(plant), "remove waits", "deadlock"),
  proof((plant) => mdev.parentUnregistered(plant), "closed by hand", "expectation", endless),
  proof(paths.eitherWay, "does not ask", "expectation"),
  proof((plant) => paths.deviceOfGroup("taken", plant), "does not count", "expectation"),
  proof((plant) => paths.deviceOfGroup("unbound", plant), "does not count", "expectation", endless),
  // Its deadline may pass at any step.
  { ...proof(paths.deviceTooLate, "left open", "expectation"), options: { ...options, anyTime } },
  proof(paths.groupClosedFirst, "does not hold", "expectation"),
  proof(paths.detachAndOpen, "counts when it is open", "expectation"),
  proof((plant) => regions.accessAndEnd("READ", "closed", plant), "works on", "outside-window"),
  proof((plant) => regions.accessAndEnd("READ", "taken", plant), "works on", "outside-window"),
  proof((plant) => regions.accessAndEnd("WRITE", "closed", plant), "works on", "outside-window"),
  proof((plant) => regions.accessAndEnd("WRITE", "taken", plant), "works on", "outside-window"),
  proof((plant) => regions.accessAndEnd("WRITE", "unbound", plant), "works on", "outside-window", long),
  proof(regions.accessAndReset, "no lock", "expectation"),
  proof(regions.mappedAndGone, "not zapped", "use-after-free"),
  proof(migration.changeAndReset, "at once", "expectation"),
  proof(migration.changeAndDma, "left to the driver", "expectation", {}, { method: "optimal" }),
  proof((plant) => migration.changeAndRemoval("taken", plant), "works on", "expectation"),
  proof((plant) => migration.streamAndEnd("closed", plant), "does not wait", "outside-window"),
  proof((plant) => migration.streamAndEnd("taken", plant), "does not wait", "outside-window"),
  ...(["SET_IRQS", "close", "revocation"] as const).map((by) =>
    proof((plant) => irqs.triggerTakenBack(by, plant), "looks, then signals", "use-after-free"),
  ),
  proof(irqs.triggersAtOnce, "looks, then swaps", "leak"),
  proof(memory.unmapAndDma, "keeps the bytes", "use-after-free"),
  proof(memory.unmapAndPins, "keeps its view", "use-after-free"),
  proof(memory.mapAndUnmap, "no lock", "expectation"),
  proof(memory.mapAndRead, "unmaps later", "use-after-free", {}, { method: "optimal" }),
  proof((plant) => memory.mapAndRemove("taken", plant), "mappings go too", "expectation"),
  proof((plant) => memory.mapAndRemove("unbound", plant), "mappings go too", "expectation", long),
];
