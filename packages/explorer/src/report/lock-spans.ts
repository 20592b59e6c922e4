/** From when to when each lock was held, and by whom next. */
import type { RecordedStep } from "./recording.js";

export interface LockSpan {
  readonly lock: string;
  readonly task: number;
  readonly from: number;
  /** Null: it was not given back in what is shown. */
  to: number | null;
  /** How many locks the task held already. */
  readonly depth: number;
  /** The same number for every span of one lock. */
  readonly colour: number;
}

export function lockSpans(
  shown: readonly { readonly step: RecordedStep; readonly index: number }[],
): readonly LockSpan[] {
  const spans: LockSpan[] = [];
  const colours = new Map<string, number>();
  for (const { step, index } of shown) {
    for (const { note, object } of step.notes) {
      if (note === "lock" || note === "lock-shared") {
        const depth = spans.filter(({ task, to }) => task === step.task && to === null).length;
        const colour = colours.get(object) ?? colours.size;
        colours.set(object, colour);
        spans.push({ lock: object, task: step.task, from: index, to: null, depth, colour });
      } else if (note === "unlock") {
        const open = spans.filter(({ lock, to }) => lock === object && to === null);
        const span = open.find(({ task }) => task === step.task) ?? open[0];
        if (span !== undefined) span.to = index;
      }
    }
  }
  return spans;
}

/** Where a lock that one task gave back was taken by another. */
export function passedOn(
  spans: readonly LockSpan[],
): readonly { readonly from: number; readonly to: number }[] {
  return spans.flatMap(({ lock, task, to }) => {
    if (to === null) return [];
    const next = spans.find((span) => span.lock === lock && span.from > to);
    return next === undefined || next.task === task ? [] : [{ from: to, to: next.from }];
  });
}
