// `npm run generate`: writes every generated file of this package. `generateAll` is what the tests compare with.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { files as messageFiles } from "./messages.mjs";
import { messageDocs } from "./messages-doc.mjs";
import { generateWebGPU, webgpuModel } from "./webgpu.mjs";
import { Numbers } from "./webgpu-numbers.mjs";

const PACKAGE = new URL("../", import.meta.url);
const NUMBERS = new URL("numbers.json", import.meta.url);

/** Each takes the content of numbers.json, may append to it, and returns [{ path below the package, text }]. */
const GENERATORS = [
  (numbers) => generateWebGPU(new Numbers(numbers)),
  () =>
    Object.entries(messageFiles()).map(([name, text]) => ({ path: `src/messages/generated/${name}`, text })),
  () => [messageDocs()],
];

/** @returns {{ path: string, text: string }[]} all generated files, and numbers.json with what was appended */
export function generateAll() {
  const numbers = JSON.parse(readFileSync(NUMBERS, "utf8"));
  const files = GENERATORS.flatMap((generate) => generate(numbers));
  return [...files, { path: "idl/numbers.json", text: `${JSON.stringify(numbers, null, 2)}\n` }];
}

/** What the emitters print from, for tests that want values of every type. */
export function loadModel() {
  return webgpuModel(new Numbers(JSON.parse(readFileSync(NUMBERS, "utf8"))));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, text } of generateAll()) writeFileSync(new URL(path, PACKAGE), text);
}
