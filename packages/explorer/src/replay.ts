/** One run again, along its schedule, with everything written down. */
import type { Program } from "./program.js";
import { Recorder } from "./report/recorder.js";
import type { Recording } from "./report/recording.js";
import { readSchedule, writeSchedule } from "./run/schedule.js";
import type { Strategy } from "./search/strategy.js";
import { type Rules, Session } from "./session.js";

/** A run whose choices are all made. */
export const nothingToChoose: Strategy = Object.freeze({
  nextRun: () => null,
  choose: () => -1,
  stepped: () => {},
  runEnded: () => {},
});

/**
 * Runs the program along the schedule, which ends with its failure if it has one. Where the schedule is over before the
 * tasks are, every task gets its turn from there on.
 * @param rules those of the check that found the schedule
 * @throws RangeError when the text is no schedule, or is not one of this program
 */
export async function replay(program: Program, schedule: string, rules: Rules = {}): Promise<Recording> {
  const choices = readSchedule(schedule);
  const session = new Session(program, rules);
  const recording = await replayIn(session, choices);
  await session.pace.settle();
  return recording;
}

export async function replayIn(session: Session, choices: readonly number[]): Promise<Recording> {
  const recorder = new Recorder();
  const result = await session.run(nothingToChoose, choices, {
    warnings: "end the run",
    fairAfter: choices.length,
    observers: [recorder],
  });
  const { name } = session.program;
  if (result.misfit !== null) {
    throw new RangeError(
      `this is no schedule of ${name} as it is now: ${result.misfit}; check again to find a new one`,
    );
  }
  if (result.choices.length < choices.length) {
    throw new RangeError(
      `this is no schedule of ${name} as it is now: it has ${choices.length} steps and the run was over after ` +
        `${result.choices.length}${result.failure === null ? "" : ` (${result.failure.message})`}; ` +
        "check again to find a new one",
    );
  }
  const { steps, tasks, omitted } = recorder;
  return {
    program: name,
    schedule: writeSchedule(choices),
    tasks,
    steps,
    omitted,
    base: result.base,
    failure: result.failure,
  };
}
