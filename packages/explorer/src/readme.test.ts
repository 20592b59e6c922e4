/** The README's example, output, table of failures and usage are those of the package. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import { usage } from "./command/arguments.js";
import { failureKinds } from "./failure.js";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

test("the example prints what stands below it", async (t) => {
  const [, code = "", output = ""] = /```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  const folder = await mkdtemp(join(fileURLToPath(new URL(".", import.meta.url)), "readme-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "example.mjs");
  await writeFile(file, outputText);
  const printed: string[] = [];
  t.mock.method(console, "log", (line: string) => printed.push(`${line}\n`));
  await import(pathToFileURL(file).href);
  assert.equal(printed.join(""), output);
});

test("every kind of failure is in the table, and nothing else", () => {
  const rows = Object.entries(failureKinds).map(([kind, what]) => `| \`${kind}\` | ${what} |`);
  assert.ok(readme.includes(`\n\n| kind | |\n|---|---|\n${rows.join("\n")}\n\n`));
});

test("the usage is the command's", () => {
  assert.ok(readme.includes(`\`\`\`text\n${usage}\`\`\``));
});
