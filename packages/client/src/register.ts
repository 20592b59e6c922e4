/** `node --import parhelion-client/register app.js`: the program finds `navigator.gpu` and every `GPU*` global. */
import { defineGlobals } from "./globals.js";
import { gpu } from "./process-gpu.js";

defineGlobals(globalThis, gpu);

export type { SliceChanges, SliceInfo, SliceMemoryInfo } from "./slice-types.js";
