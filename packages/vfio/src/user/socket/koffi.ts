/** koffi is an optional dependency: what needs the C library does without where it is not there or does not load. */
import type { KoffiModule } from "./libc.js";

export async function loadKoffi(): Promise<KoffiModule | undefined> {
  try {
    return (await import("koffi")).default as unknown as KoffiModule;
  } catch {
    return undefined;
  }
}
