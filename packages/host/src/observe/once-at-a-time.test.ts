import assert from "node:assert/strict";
import { test } from "node:test";
import { onceAtATime } from "./once-at-a-time.js";

test("who asks meanwhile gets the same, who asks afterwards something new, a failure included", async () => {
  const ends: ((error?: Error) => void)[] = [];
  const ask = onceAtATime(
    () =>
      new Promise<number>((resolve, reject) => {
        const number = ends.length;
        ends.push((error) => (error === undefined ? resolve(number) : reject(error)));
      }),
  );
  const first = [ask(), ask(), ask()];
  assert.equal(ends.length, 1);
  ends[0]?.();
  assert.deepEqual(await Promise.all(first), [0, 0, 0]);
  const second = ask();
  ends[1]?.(new Error("no"));
  await assert.rejects(second, /no/);
  const third = ask();
  ends[2]?.();
  assert.equal(await third, 2);
});
