import { isKernelError } from "./error.js";
import type { Runtime, WaitOptions } from "./runtime.js";
import { call } from "./sync/call.js";

/** Waits for a search for drivers, but not for a slow probe: that holds its device's lock, not whoever added the device. */
export async function probing(
  runtime: Runtime,
  what: string,
  probe: () => Promise<void>,
  options: WaitOptions | undefined,
): Promise<void> {
  try {
    await call(runtime, `probe for ${what}`, probe, options);
  } catch (error) {
    if (!isKernelError(error, "ETIMEDOUT")) throw error;
    runtime.log("warn", "probe.slow", { for: what });
  }
}
