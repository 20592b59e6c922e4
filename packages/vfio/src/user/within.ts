/** Waits for somebody who knows no deadlines. */
import { Completion, type Runtime, type WaitOptions } from "parhelion-core";

/** @returns what `run` gives. When it takes too long nobody hears of it any more. @throws KernelError ETIMEDOUT, and what `run` throws */
export async function within<T>(
  runtime: Runtime,
  name: string,
  run: () => Promise<T>,
  options: WaitOptions,
): Promise<T> {
  const done = new Completion<T>(runtime, name);
  runtime.scheduler.spawn(name, async () => {
    try {
      done.completeAll(await run());
    } catch (error) {
      done.fail(error);
    }
  });
  return done.wait(options);
}
