/** Runs every relevant interleaving of asynchronous code on `parhelion-core`'s primitives. */

export { type CheckOptions, type CheckResult, check, type Verdict } from "./check.js";
export type { Observer, Scene } from "./detect/observer.js";
export type { Failure, FailureKind } from "./failure.js";
export type { Atomic, CallbackWindow, Pool, Program, World } from "./program.js";
export type { AnyTime } from "./run/controlled-scheduler.js";
export type { Task } from "./run/task.js";
export type { RunEnd, Step, Strategy, Waiting } from "./search/strategy.js";
