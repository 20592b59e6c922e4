/**
 * Has a driver ask its users to leave. What it does for that is its own, so nobody relies on its end: what the driver
 * has stays meanwhile, and whoever takes the device goes on without it.
 */
import { type Counted, call, type Named, type Runtime } from "parhelion-core";
import type { VfioDeviceOps } from "./ops.js";

export interface AskingDevice extends Named, Counted {
  readonly runtime: Runtime;
  readonly devpath: string;
  readonly ops: VfioDeviceOps;
}

/** How long it may take to ask users who have no time to leave, in ms. */
const askMs = 1000;

/** @returns settles when the driver has done what it does. @param count how often it was asked before */
export async function ask(device: AskingDevice, count: number): Promise<void> {
  device.get();
  try {
    await device.ops.request?.(count);
  } finally {
    device.put();
  }
}

/** Users are about to be cut off: a moment for the driver, which only has to tell them. */
export async function askShortly(device: AskingDevice): Promise<void> {
  const { ops, runtime } = device;
  if (ops.request === undefined) return;
  const deadline = runtime.clock.now() + askMs;
  try {
    await call(runtime, `request to the users of ${device.name}`, () => ask(device, 0), { deadline });
  } catch (error) {
    runtime.log("error", "vfio.request-failed", { device: device.devpath, error });
  }
}
