import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "../check.js";
import type { Program } from "../program.js";
import { OptimalDpor } from "../search/optimal-dpor.js";

/** Two tasks change one thing each; the two must never be changed both the wrong way round. */
function twoThings(looks: "at the two" | "at what it was not told of"): Program<{ a: number; b: number }> {
  return {
    name: `an invariant that looks ${looks}`,
    setup(world) {
      const plain = { a: 0, b: 0 };
      const seen = world.share("things", plain);
      world.task("a", async () => {
        seen.a = 1;
      });
      world.task("b", async () => {
        seen.b = 1;
      });
      return looks === "at the two" ? seen : plain;
    },
    invariant: ({ a, b }) => {
      if (b > a) throw new Error("b is changed and a is not");
    },
  };
}

test("steps that an invariant tells apart are tried in every order, though nothing else ties them", async () => {
  const { verdict, failure } = await check(twoThings("at the two"));
  assert.deepEqual([verdict, failure?.message], ["unsafe", "b is changed and a is not"]);
});

test("that is so because of what the invariant is seen to look at", async () => {
  assert.equal((await check(twoThings("at what it was not told of"))).runs, 1);
});

test("where an invariant looks further only in some states, the search begins anew when it learns of that", async () => {
  const opening: Program<{ a: number; b: number; open: string }> = {
    name: "an invariant that looks only when it is open",
    setup(world) {
      const seen = world.share("things", { a: 0, b: 0, open: "no" });
      world.task("a", async () => {
        seen.a = 1;
      });
      world.task("b", async () => {
        seen.b = 1;
      });
      world.task("opener", async () => {
        seen.open = "yes";
      });
      return seen;
    },
    invariant: (seen) => {
      if (seen.open === "yes" && seen.b > seen.a) throw new Error("b is changed and a is not");
    },
  };
  const methods = ["optimal", "source", "sleep sets", { preemptions: 2 }] as const;
  for (const method of methods) assert.equal((await check(opening, { method })).verdict, "unsafe");
  const harmless: typeof opening = {
    ...opening,
    invariant: (seen) => {
      if (seen.open === "yes" && seen.b > 1) throw new Error("b is changed twice");
    },
  };
  assert.equal((await check(harmless)).verdict, "safe");
  assert.equal((await check(harmless, { strategy: new OptimalDpor() })).verdict, "unknown");
});

test("what is looked at under two names stays independent", async () => {
  const { runs, verdict } = await check({
    name: "two names",
    setup(world) {
      const things = world.share("things", { a: 0, b: 0 });
      for (const field of ["a", "b"] as const) {
        world.always(() => world.expect(things[field] < 2, "no"), field);
        world.task(field, async () => {
          things[field] = 1;
        });
      }
    },
  });
  assert.deepEqual([runs, verdict], [1, "safe"]);
});
