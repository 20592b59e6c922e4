import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Doorbells } from "./doorbells.js";

describe("a ring's doorbells", () => {
  it("are answered in order, each when enough has been read", async () => {
    const bells = new Doorbells();
    const answers: [string, number][] = [];
    const first = bells.ring(8).then((value) => answers.push(["first", value]));
    const second = bells.ring(24).then((value) => answers.push(["second", value]));
    bells.read(7, 1);
    assert.equal(bells.waiting, 2);
    bells.read(16, 2);
    await first;
    assert.equal(bells.waiting, 1);
    bells.read(Number.POSITIVE_INFINITY, 3);
    await second;
    assert.deepEqual(answers, [
      ["first", 2],
      ["second", 3],
    ]);
  });

  it("all hear of the end, also those who ring later", async () => {
    const bells = new Doorbells();
    const before = assert.rejects(bells.ring(8), /gone/);
    bells.end(new Error("gone"));
    bells.end(new Error("once more"));
    await before;
    await assert.rejects(bells.ring(0), /gone/);
    assert.equal(bells.waiting, 0);
  });
});
