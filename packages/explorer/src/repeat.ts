/**
 * Does a schedule lead to the same run every time? If not, the program depends on something that nobody here controls: a
 * clock, chance, a variable that outlives the run.
 */
import type { Failure } from "./failure.js";
import { replayIn } from "./replay.js";
import { firstDifference, type Recording } from "./report/recording.js";
import type { Session } from "./session.js";
import type { FailingRun } from "./shrink.js";

/** Null: it does. Otherwise what differs. */
export async function repeat(session: Session, run: FailingRun): Promise<Failure | null> {
  const recordings: Recording[] = [];
  for (let time = 0; time < 2; time += 1) {
    try {
      recordings.push(await replayIn(session, run.choices));
    } catch (error) {
      return uncontrolled(run.failure.step, error instanceof Error ? error.message : String(error));
    }
  }
  const [first, second] = recordings as [Recording, Recording];
  const step = firstDifference(first, second);
  if (step !== null) return uncontrolled(step, `step ${step} ${difference(first, second, step)}`);
  const { failure } = first;
  if (failure?.kind === run.failure.kind) return null;
  const then = failure === null ? "no failure" : `${failure.kind}: ${failure.message}`;
  return uncontrolled(
    failure?.step ?? run.failure.step,
    `first there was ${run.failure.kind} (${run.failure.message}), and then ${then}`,
  );
}

function uncontrolled(step: number, what: string): Failure {
  return {
    kind: "uncontrolled",
    message: `one schedule leads to different runs: ${what}; setup must build everything anew, without clock or chance`,
    step,
    clash: [],
  };
}

function difference(a: Recording, b: Recording, step: number): string {
  const [one, other] = [a, b].map(({ steps, tasks }) => {
    const at = steps[step];
    if (at === undefined) return "is not there";
    const uses = at.accesses.map(({ object, mode }) => `${mode} ${object}`).join(", ");
    return `is ${tasks[at.task]?.name ?? "?"} at ${at.op} of ${at.on} (${uses}) and ${at.ending} ${at.next}`;
  });
  return one === other
    ? `is followed by something else: ${a.failure?.message} | ${b.failure?.message}`
    : `${one}, then ${other}`;
}
