import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { Newcomers } from "./newcomers.js";

const socket = (): Socket => new Socket().on("error", () => undefined);

test("the oldest newcomer gives way, and who is known does not", () => {
  const newcomers = new Newcomers(2);
  const [first, second, third, fourth] = [socket(), socket(), socket(), socket()];
  for (const each of [first, second]) newcomers.add(each);
  newcomers.known(first);
  newcomers.add(third);
  assert.deepEqual([first.destroyed, second.destroyed], [false, false]);
  newcomers.add(fourth);
  assert.deepEqual(
    [first, second, third, fourth].map(({ destroyed }) => destroyed),
    [false, true, false, false],
  );
  newcomers.drop();
  assert.deepEqual(
    [first, third, fourth].map(({ destroyed }) => destroyed),
    [false, true, true],
  );
  assert.equal(newcomers.dropOldest(), false);
  first.destroy();
});
