// The WebGPU command stream from the specification's IDL: reads it, applies the overlay, prints src/webgpu/generated.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { emitCommandEncoders } from "./webgpu-emit-commands.mjs";
import { emitConvert } from "./webgpu-emit-convert.mjs";
import { emitDictionaryDecoders } from "./webgpu-emit-decode.mjs";
import { emitDictionaryEncoders } from "./webgpu-emit-encode.mjs";
import { emitEvents } from "./webgpu-emit-events.mjs";
import { emitReplay } from "./webgpu-emit-replay.mjs";
import { emitCoverage, emitEnums, emitFuzz, emitNumbers } from "./webgpu-emit-tables.mjs";
import { emitSpecial, emitTarget } from "./webgpu-emit-target.mjs";
import { emitTypes } from "./webgpu-emit-types.mjs";
import { formatted } from "./webgpu-format.mjs";
import { Model } from "./webgpu-model.mjs";

const OUTPUT = "src/webgpu/generated/";

/** @param {import("./webgpu-numbers.mjs").Numbers} numbers appended to */
export function webgpuModel(numbers) {
  const require = createRequire(import.meta.url);
  return new Model(readFileSync(require.resolve("@webref/idl/webgpu.idl"), "utf8"), numbers);
}

/**
 * @param {import("./webgpu-numbers.mjs").Numbers} numbers appended to
 * @returns {{ path: string, text: string }[]}
 */
export function generateWebGPU(numbers) {
  const model = webgpuModel(numbers);
  const files = {
    "numbers.ts": emitNumbers(model),
    "enums.ts": emitEnums(model),
    "types.ts": emitTypes(model),
    "dictionary-encode.ts": emitDictionaryEncoders(model),
    "dictionary-convert.ts": emitConvert(model),
    "command-encode.ts": emitCommandEncoders(model),
    "dictionary-decode.ts": emitDictionaryDecoders(model),
    "target.ts": emitTarget(model),
    "special-commands.ts": emitSpecial(model),
    "replay.ts": emitReplay(model),
    "events.ts": emitEvents(model),
    "coverage.json": emitCoverage(model),
    "fuzz-dictionary.json": emitFuzz(model),
  };
  return Object.entries(files).map(([name, text]) => formatted({ path: OUTPUT + name, text }));
}
