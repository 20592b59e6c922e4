#!/usr/bin/env node
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { main } from "../dist/command/main.js";

// V8 learns from the first runs to make some objects old at once; dead, they keep the rest of their run alive until the
// next full collection. A search is twice as fast without.
setFlagsFromString("--no-allocation-site-pretenuring");

process.exitCode = await main(process.argv.slice(2), {
  print: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
  progress: process.stderr.isTTY ? (text) => process.stderr.write(`\r\x1b[K${text}`) : () => {},
  load: (file) => import(pathToFileURL(resolve(file)).href),
  save: (file, text) => writeFile(file, text),
});
