import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { AbsoluteStorage, MainStorage } from "../storage/index.js";
import { evaluate, interpret, trialOf } from "./agreement.test.fixture.js";
import type { Bends } from "./model-types.test.fixture.js";
import { noise, scenarios } from "./random-program.test.fixture.js";

describe("random channel programs", () => {
  it("end alike on the interpreter and on the model: status, residual count, address, data, what the device saw", async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        const trial = trialOf(scenario);
        assert.deepEqual(await interpret(trial), evaluate(trial));
      }),
      { numRuns: 400 },
    );
  });

  it("end alike when storage answers later", async () => {
    const late = (storage: AbsoluteStorage): MainStorage => ({
      read: async (address, length, key) => storage.read(address, length, key).slice(),
      write: async (address, bytes, key) => storage.write(address, bytes, key),
    });
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        const trial = trialOf(scenario);
        assert.deepEqual(await interpret(trial, late), await interpret(trial));
      }),
      { numRuns: 200 },
    );
  });

  it("may be any bytes at all", async () => {
    await fc.assert(
      fc.asyncProperty(noise, async (trial) => {
        assert.deepEqual(await interpret(trial), evaluate(trial));
      }),
      { numRuns: 300 },
    );
  });

  it("reach every way to end", async () => {
    const seen = new Set<string>();
    for (const scenario of fc.sample(scenarios, { numRuns: 500, seed: 7 })) {
      const { outcomes } = evaluate(trialOf(scenario));
      for (const { state, cstat, deferred, later } of outcomes) {
        seen.add(later ? "device end later" : deferred === 1 ? "deferred" : `${state} ${cstat}`);
      }
    }
    for (const way of [
      "ended 0",
      "ended 64",
      "ended 32",
      "ended 16",
      "ended 2",
      "suspended 0",
      "suspended 128",
    ]) {
      assert.ok(seen.has(way), way);
    }
    assert.ok(seen.has("deferred"));
    assert.ok(seen.has("device end later"));
  });
});

describe("a bug in one of the two", () => {
  const bends: readonly (keyof Bends)[] = [
    "modifierIgnored",
    "suppressionBesideDataChaining",
    "transferToTransfer",
    "firstTransfer",
    "addressOfTarget",
    "oldCcwAtBoundary",
    "skipStores",
    "zeroCountAnywhere",
    "protectionIgnored",
    "blocksOf2k",
    "unalignedWords",
    "chainedInterruptLost",
    "immediateLengthAlways",
    "residualOfBlock",
    "resumeIgnoresFlag",
  ];
  for (const bend of bends) {
    it(`shows: ${bend}`, async () => {
      const run = await fc.check(
        fc.asyncProperty(scenarios, async (scenario) => {
          const trial = trialOf(scenario);
          assert.deepEqual(await interpret(trial), evaluate(trial, { [bend]: true }));
        }),
        { numRuns: 20_000, seed: 11, endOnFailure: true },
      );
      assert.equal(run.failed, true, "no program tells the two apart");
    });
  }
});
