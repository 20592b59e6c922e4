import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSize } from "./size.js";

test("sizes are read in binary and decimal units, and nothing else is a size", () => {
  const sizes = {
    "512MiB": 2 ** 29,
    "1.5 GiB": 1.5 * 2 ** 30,
    "2gb": 2e9,
    "4096": 4096,
    "0": 0,
    "1TiB": 2 ** 40,
  };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseSize(text), bytes);
  for (const text of ["", "GiB", "-1", "1e9", "1 XiB", "1..5", "99999999TiB"])
    assert.equal(parseSize(text), undefined, text);
});
