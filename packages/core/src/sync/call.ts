/**
 * How model code meets code that is not its own. A driver's callback may take as long as it likes and can't be
 * interrupted; the call that leads to it still ends by its deadline, because the work is a task of its own.
 */
import { isKernelError } from "../error.js";
import type { Runtime, WaitOptions } from "../runtime.js";
import { deadlineOf } from "../runtime.js";
import { Completion } from "./completion.js";
import type { Named } from "./scheduler.js";
import { timedOut } from "./wait.js";

/** Awaits a callback and gives the scheduler its point before the caller goes on. */
export async function invoke<T>(
  runtime: Runtime,
  op: string,
  on: Named,
  callback: () => T | Promise<T>,
): Promise<T> {
  try {
    return await callback();
  } finally {
    await runtime.scheduler.yield(op, on);
  }
}

/** Throws ETIMEDOUT once the caller has given up: for the moment before what can't be taken back. */
export type StillWanted = () => void;

/**
 * Runs `work` as a task and waits for it. When the deadline passes the caller gets ETIMEDOUT and the work goes on,
 * unless it has yet to ask `stillWanted`; an error it ends with is logged as `call.failed-late`.
 */
export async function call<T>(
  runtime: Runtime,
  name: string,
  work: (stillWanted: StillWanted) => Promise<T>,
  options?: WaitOptions,
): Promise<T> {
  const done = new Completion<T>(runtime, name);
  const deadline = deadlineOf(runtime, options);
  let caller: "waiting" | "gone" = "waiting";
  const stillWanted = () => {
    runtime.scheduler.access(done, "read");
    if (caller === "gone") throw timedOut("call", done);
  };
  runtime.scheduler.spawn(name, async () => {
    try {
      done.completeAll(await work(stillWanted));
    } catch (error) {
      runtime.scheduler.access(done, "read");
      // A late ETIMEDOUT tells the caller nothing new.
      if (caller === "gone" && !isKernelError(error, "ETIMEDOUT"))
        runtime.log("warn", "call.failed-late", { call: name, error });
      done.fail(error);
    }
  });
  try {
    return await done.wait({ deadline });
  } catch (error) {
    if (isKernelError(error, "ETIMEDOUT")) {
      runtime.scheduler.access(done, "write");
      caller = "gone";
    }
    throw error;
  }
}
