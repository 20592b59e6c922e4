/** Runs docs/first-race.md as it stands. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const page = new URL("../../../docs/first-race.md", import.meta.url);
const here = fileURLToPath(new URL(".", import.meta.url));
const folder = await mkdtemp(join(here, "first-race-"));

after(() => rm(folder, { recursive: true }));

/** What `npx` would find. */
const commands: Readonly<Record<string, string>> = {
  tsc: createRequire(import.meta.url).resolve("typescript/bin/tsc"),
  "parhelion-explore": join(here, "../bin/parhelion-explore.mjs"),
};

function run(file: string, args: readonly string[]): Promise<string> {
  // A test runner that finds itself inside of another one prints for that one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [file, ...args],
      { cwd: folder, env, timeout: 120_000 },
      (_error, stdout, stderr) => {
        resolve(stdout + stderr);
      },
    );
  });
}

/** Runs the commands of a console block, and shows them with what they print. */
async function repeat(block: string): Promise<string> {
  const lines: string[] = [];
  for (const line of block.split("\n").filter((line) => line.startsWith("$ "))) {
    const [npx, name = "", ...args] = line.slice(2).split(" ");
    const file = npx === "npx" ? commands[name] : undefined;
    assert.ok(file !== undefined, `the page runs ${line}`);
    const output = (await run(file, args)).replace(/\n$/, "");
    lines.push(line, ...(output === "" ? [] : output.split("\n")));
  }
  return `${lines.join("\n")}\n`;
}

test("the page's files compile, and its commands print what it says", async () => {
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  const text = await readFile(page, "utf8");
  let consoles = 0;
  for (const [, language, name, block = ""] of text.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)) {
    if (language === "ts" && name !== undefined) await writeFile(join(folder, name), block);
    if (language !== "console") continue;
    consoles += 1;
    assert.equal(block, await repeat(block));
  }
  assert.equal(consoles, 2);
  const [, schedule] = /^Schedule: (\w+)$/m.exec(text) ?? [];
  assert.ok(text.includes(`--replay ${schedule}`));
});

test("the page's test passes", async () => {
  const built = await run(commands["tsc"] as string, [
    ..."--target es2022 --module nodenext --strict --skipLibCheck --types node pool.test.ts".split(" "),
  ]);
  assert.equal(built, "");
  assert.match(await run(join(folder, "pool.test.js"), []), /^# pass 1$/m);
});
