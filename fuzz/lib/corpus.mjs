/** The inputs that are kept: one file a target, one input a line in base64, so that a change of it can be read in a diff. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

export function corpusFile(name) {
  return fileURLToPath(new URL(`../corpus/${name}.txt`, import.meta.url));
}

export function readCorpus(name) {
  const file = corpusFile(name);
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Uint8Array.from(Buffer.from(line, "base64")));
}

export function writeCorpus(name, inputs) {
  mkdirSync(dirname(corpusFile(name)), { recursive: true });
  const lines = [...new Set(inputs.map((input) => Buffer.from(input).toString("base64")))];
  lines.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  writeFileSync(corpusFile(name), `${lines.join("\n")}\n`);
}
