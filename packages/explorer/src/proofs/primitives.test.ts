import * as primitives from "./primitives.js";
import { prove } from "./proof.test.fixture.js";

const { anyDeadline } = primitives;

prove(primitives.mutexExcludes, anyDeadline);
prove(primitives.rwlockExcludes, anyDeadline);
prove(primitives.completionReachesOne, anyDeadline);
prove(primitives.completionFails);
prove(primitives.waitQueueLosesNothing);
prove(primitives.workIsCancelled);
prove(primitives.workIsFlushed);
prove(primitives.timerIsCancelled, { anyTime: "timers" });
prove(primitives.refcountReleasesOnce);
prove(primitives.callsAreAnswered, anyDeadline);
