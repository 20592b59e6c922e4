import assert from "node:assert/strict";
import { test } from "node:test";
import { audit } from "./audit.js";
import { check } from "./check.js";
import { planted } from "./detect/planted.test.fixture.js";
import type { Program } from "./program.js";
import { counters } from "./programs.test.fixture.js";

/** One task counts what the other has put there. */
function mailbox(state: "untracked" | "tracked" | "declared"): Program {
  return {
    name: `mailbox, ${state}`,
    setup(world) {
      const plain = { letters: 0, seen: -1 };
      const box = state === "tracked" ? world.share("box", plain) : plain;
      const on = { name: "box" };
      world.task("put", async () => {
        await world.point();
        if (state === "declared") world.writes(on);
        box.letters += 1;
      });
      world.task("look", async () => {
        await world.point();
        if (state === "declared") world.writes(on);
        box.seen = box.letters;
      });
      return box;
    },
    observe: (box) => box,
  };
}

test("a plain variable that nobody declared is found, with the two steps that share it", async () => {
  const { undeclared } = await audit(mailbox("untracked"));
  assert.equal(undeclared?.kind, "uncontrolled");
  assert.match(
    undeclared?.message ?? "",
    /^undeclared shared state between step \d \((put|look) at point of \1\) and step \d \((put|look) at .* with the two swapped, the outcome is \{"letters":1,"seen":[01]\} in one run and/,
  );
});

test("the search indeed misses an order of it, and misses none when it is declared", async () => {
  const outcomes = async (state: Parameters<typeof mailbox>[0]) =>
    Object.keys((await check(mailbox(state))).outcomes).length;
  assert.equal(await outcomes("untracked"), 1);
  assert.equal(await outcomes("tracked"), 2);
  assert.equal(await outcomes("declared"), 2);
});

test("its twins that are watched or declared pass", async () => {
  for (const state of ["tracked", "declared"] as const) {
    const { undeclared, pairs } = await audit(mailbox(state));
    assert.equal(undeclared, null);
    assert.ok(pairs > 50);
  }
});

test("programs on the core's primitives pass, and the same seed tries the same", async () => {
  const programs: readonly Program[] = [
    counters(3, "locked"),
    ...planted
      .filter(({ finds }) => finds !== "uncontrolled" && finds !== "livelock")
      .map((bug): Program => ({ name: bug.name, setup: (world) => void bug.setup(world, "mended") })),
  ];
  for (const program of programs) {
    const once = await audit(program, { pairs: 60 });
    assert.equal(once.undeclared, null, once.undeclared?.message);
    assert.deepEqual(await audit(program, { pairs: 60 }), once);
  }
});
