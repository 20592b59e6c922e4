/** Runs every relevant interleaving of asynchronous code on `parhelion-core`'s primitives. */

export { type AuditOptions, type AuditResult, audit, type Undeclared } from "./audit.js";
export { type CellsDefinition, type CellsProgram, defineCells, type FailingCounts } from "./cells/define.js";
export {
  type CellsReport,
  type Counterexample,
  type ExploreCellsOptions,
  exploreCells,
} from "./cells/explore.js";
export {
  add,
  assume,
  type CellName,
  check as checkThat,
  compareAndSwap,
  exchange,
  type Instruction,
  jump,
  type LockName,
  label,
  load,
  lock,
  type Register,
  type Registers,
  set,
  start,
  store,
  tryLock,
  unlock,
  type Value,
} from "./cells/program.js";
export {
  type BoundResult,
  type CheckOptions,
  type CheckResult,
  check,
  type Found,
  type Verdict,
} from "./check.js";
export type { Observer, Phase, Report, Scene } from "./detect/observer.js";
export { type Failure, type FailureKind, failureKinds } from "./failure.js";
export { type Independence, independent } from "./invariants/independent.js";
export { watchDriver } from "./invariants/watch-driver.js";
export { SystemWatch, watchSystem } from "./invariants/watch-system.js";
export type { Method } from "./method.js";
export { outcomeOf } from "./outcome.js";
export type { Atomic, CallbackWindow, Pool, Program, World } from "./program.js";
export {
  declareProofs,
  type Mistake,
  type Proof,
  type ProofDepth,
  proofDepth,
  proofTable,
  scheduleTable,
  withPart,
} from "./proof-list.js";
export { assertSafe, type DeclareTest, prove } from "./prove.js";
export { replay } from "./replay.js";
export { type HtmlOptions, renderHtml } from "./report/html.js";
export type {
  RecordedAccess,
  RecordedNote,
  RecordedStep,
  RecordedTask,
  Recording,
} from "./report/recording.js";
export { renderText, type TextOptions } from "./report/text.js";
export type { AnyTime } from "./run/controlled-scheduler.js";
export type { Task } from "./run/task.js";
export { Bounded } from "./search/bounded.js";
export { Delayed } from "./search/delayed.js";
export { EverySchedule } from "./search/every-schedule.js";
export { OptimalDpor } from "./search/optimal-dpor.js";
export { Replay } from "./search/replay.js";
export { Pct, type PctOptions, RandomWalk, type RandomWalkOptions } from "./search/sampling.js";
export type { SearchOptions } from "./search/search.js";
export { SleepSets } from "./search/sleep-sets.js";
export { SourceDpor } from "./search/source-dpor.js";
export type {
  Coverage,
  Foresee,
  RunEnd,
  SearchStatistics,
  Step,
  Strategy,
  Waiting,
} from "./search/strategy.js";
export type { Rules } from "./session.js";
