/** A device's driver override, as it is written: which driver alone may have the device. */
import { KernelError } from "./error.js";

/** The attribute's page, less the newline and the NUL (include/linux/device/driver.h, driver_set_override). */
const longestOverride = 4094;

/**
 * The driver's name in what was written: up to the first newline or NUL; null, nothing, when that is empty.
 * @throws KernelError EINVAL 4095 bytes or more
 */
export function parseOverride(text: string): string | null {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > longestOverride) {
    throw new KernelError("EINVAL", `a driver override of ${bytes} bytes; at most ${longestOverride} fit`);
  }
  const [name = ""] = text.split(/[\n\0]/, 1);
  return name === "" ? null : name;
}
