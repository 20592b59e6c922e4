import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadGenerator } from "./model.test.fixture.js";

const inPackage = (path: string): URL => new URL(`../../${path}`, import.meta.url);

test("generated files are what `npm run generate` writes", async () => {
  for (const { path, text } of (await loadGenerator()).generateAll()) {
    assert.equal(readFileSync(inPackage(path), "utf8"), text, `${path} differs: run npm run generate`);
  }
});

type Tables = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

test("numbers only grow: the first protocol's are all still there", () => {
  const first = JSON.parse(readFileSync(inPackage("golden/webgpu-1.numbers.golden.json"), "utf8")) as Tables;
  const now = JSON.parse(readFileSync(inPackage("idl/numbers.json"), "utf8")) as Tables;
  for (const [table, entries] of Object.entries(first)) {
    for (const [name, number] of Object.entries(entries)) {
      // Arguments may be appended behind the first ones.
      const current = table === "arguments" ? argumentsUpTo(now[table]?.[name], number) : now[table]?.[name];
      assert.equal(current, number, `${table}: ${name}`);
    }
  }
});

function argumentsUpTo(now: unknown, first: unknown): unknown {
  return typeof now === "string" && now.startsWith(`${String(first)} `) ? first : now;
}

test("no number stands for two things", () => {
  const now = JSON.parse(readFileSync(inPackage("idl/numbers.json"), "utf8")) as Tables;
  for (const [table, entries] of Object.entries(now)) {
    const numbers = Object.values(entries).filter((value) => typeof value === "number");
    assert.equal(new Set(numbers).size, numbers.length, table);
  }
});

test("every member of every interface is covered or left out with a reason", () => {
  const { members } = JSON.parse(readFileSync(inPackage("src/webgpu/generated/coverage.json"), "utf8")) as {
    members: Tables;
  };
  for (const [owner, fates] of Object.entries(members)) {
    for (const [name, fate] of Object.entries(fates)) {
      assert.match(String(fate), /^(generated$|special: |local: |left out: )/, `${owner}.${name}`);
    }
  }
  assert.equal(members["GPUComputePassEncoder"]?.["dispatchWorkgroups"], "generated");
  assert.match(String(members["GPUQueue"]?.["copyExternalImageToTexture"]), /^left out/);
});
