/** What fuzzing has found worth keeping, and the recordings that it begins with, hold every invariant: a moment for each target. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readCorpus } from "./lib/corpus.mjs";
import { must } from "./lib/finding.mjs";
import { FuzzLoop, SHARED_BYTES } from "./lib/fuzz-loop.mjs";
import { minimise } from "./lib/minimise.mjs";
import { loadTarget, targetNames } from "./targets/index.mjs";

describe("the inputs that are kept", () => {
  for (const name of targetNames) {
    test(`hold for ${name}`, { timeout: 120_000 }, async () => {
      const target = await loadTarget(name);
      const run = await target.setup();
      for (const input of [...target.seeds(), ...readCorpus(name)]) {
        try {
          await run(input);
        } catch (error) {
          assert.fail(`${Buffer.from(input).toString("hex")}: ${error.stack}`);
        }
      }
    });
  }
});

/** A decoder with a mistake that only a size field and a number of the dictionary together reach. */
const broken = {
  split: (input) => [input],
  mend: (unit) => {
    const mended = unit.slice();
    if (mended.length > 0) mended[0] = mended.length;
    return mended;
  },
  dictionary: { words: [0xbeef], bytes: [] },
};
const run = (input) => {
  if (input[0] !== input.length) return "bad length";
  const at = input.findIndex((byte, i) => byte === 0xef && input[i + 1] === 0xbe);
  must(at < 0 || at > 4, "beef");
  return "good";
};

describe("the fuzzer", () => {
  test("finds what is wrong, once, and makes it small", async () => {
    const reported = [];
    const loop = new FuzzLoop({
      target: broken,
      run,
      coverage: undefined,
      seed: 7,
      corpus: [Uint8Array.of(12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
      shared: new SharedArrayBuffer(SHARED_BYTES),
      report: (message) => reported.push(message),
    });
    const limit = Error.stackTraceLimit;
    try {
      await loop.begin();
      while (!reported.some(({ kind }) => kind === "finding") && loop.executions < 1_000_000)
        await loop.runFor(20);
    } finally {
      Error.stackTraceLimit = limit;
    }
    const findings = reported.filter(({ kind }) => kind === "finding");
    assert.equal(findings.length, 1);
    assert.match(findings[0].what, /beef/);
    assert.ok(findings[0].input.length < 256);
    assert.throws(() => run(findings[0].input), /beef/);
  });

  test("makes an input no larger than its failure needs", async () => {
    const input = Uint8Array.from({ length: 200 }, (_, i) => i);
    const small = await minimise(input, { split: (bytes) => [bytes] }, (candidate) => candidate.includes(99));
    assert.deepEqual([...small], [99]);
  });
});
