import type { Device } from "./device.js";

/**
 * The same work with a reference to the device of its own, from now until it ends: it goes on when its caller has given up, and the
 * caller's reference goes with the caller. Precondition: somebody has a reference. To be called once.
 */
export function kept<A extends readonly unknown[], T>(
  device: Device,
  work: (...args: A) => Promise<T>,
): (...args: A) => Promise<T> {
  device.get();
  return async (...args) => {
    try {
      return await work(...args);
    } finally {
      device.put();
    }
  };
}
