/** Waiting for time to pass, where there is nothing else to wait for. */
import { Completion, isKernelError, type Runtime } from "parhelion-core";

export async function pause(runtime: Runtime, ms: number): Promise<void> {
  const never = new Completion(runtime, "time");
  try {
    await never.wait({ deadline: runtime.clock.now() + ms });
  } catch (error) {
    if (!isKernelError(error, "ETIMEDOUT")) throw error;
  }
}
