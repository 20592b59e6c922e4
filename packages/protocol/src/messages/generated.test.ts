import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

interface Generator {
  readonly directory: string;
  files(): Record<string, string>;
}

test("the committed codecs are what the schema generates", async () => {
  const url = new URL("../../idl/messages.mjs", import.meta.url);
  const generator = (await import(url.href)) as Generator;
  const files = generator.files();
  for (const [name, text] of Object.entries(files)) {
    assert.equal(await readFile(`${generator.directory}${name}`, "utf8"), text, name);
  }
  assert.deepEqual((await readdir(generator.directory)).sort(), Object.keys(files).sort());
});
