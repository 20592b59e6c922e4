#!/usr/bin/env node
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { main } from "../dist/command/main.js";

process.exitCode = await main(process.argv.slice(2), {
  print: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
  progress: process.stderr.isTTY ? (text) => process.stderr.write(`\r\x1b[K${text}`) : () => {},
  load: (file) => import(pathToFileURL(resolve(file)).href),
  save: (file, text) => writeFile(file, text),
});
