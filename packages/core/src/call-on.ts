/**
 * `call` for work on a device. The caller's reference keeps the device while the caller waits; when the caller gives up, the work gets one
 * of its own, which it gives back when it ends. So only what is late costs one.
 */
import type { Device } from "./device.js";
import { isKernelError } from "./error.js";
import type { WaitOptions } from "./runtime.js";
import { call, type StillWanted } from "./sync/call.js";

/** Precondition: the caller holds a reference, or the device is registered. @throws as `call` */
export async function callOn<T>(
  device: Device,
  name: string,
  work: (stillWanted: StillWanted) => Promise<T>,
  options?: WaitOptions,
): Promise<T> {
  const task: { state: "awaited" | "on its own" | "ended" } = { state: "awaited" };
  const keeping = async (stillWanted: StillWanted): Promise<T> => {
    try {
      return await work(stillWanted);
    } finally {
      if (task.state === "on its own") device.put();
      task.state = "ended";
    }
  };
  try {
    return await call(device.runtime, name, keeping, options);
  } catch (error) {
    if (isKernelError(error, "ETIMEDOUT") && task.state !== "ended" && device.tryGet())
      task.state = "on its own";
    throw error;
  }
}
