/** Adapters' capacities and wishes for slices, for property tests. */
import fc from "fast-check";
import type { SliceWish } from "./descriptor.js";

export const aCapacity = fc.integer({ min: 2 ** 20, max: 2 ** 40 });

const limits = fc.record(
  {
    weight: fc.integer({ min: 1, max: 1000 }).map((weight) => weight / 8),
    objects: fc.integer({ min: 1, max: 1e6 }),
    nodeOpens: fc.integer({ min: 1, max: 1e4 }),
  },
  { requiredKeys: [] },
);

const claims: fc.Arbitrary<SliceWish> = fc.oneof(
  fc.constantFrom("full", "half", "quarter", "eighth", "shared").map((type) => ({ type }) as const),
  fc
    .tuple(
      fc.integer({ min: 2 ** 16, max: 2 ** 38 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(0, 0, 0.1, 0.3, 0.7, 1),
    )
    .map(([limitBytes, part, share]) => ({
      type: "custom" as const,
      memory: { limitBytes, reservedBytes: Math.floor(limitBytes * part) },
      share,
    })),
);

/** Every one of them resolves on any capacity. */
export const aWish: fc.Arbitrary<SliceWish> = fc
  .tuple(claims, limits)
  .map(([claim, rest]) => ({ ...claim, ...rest }));
