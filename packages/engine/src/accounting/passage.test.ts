import assert from "node:assert/strict";
import { test } from "node:test";
import { Passage } from "./passage.js";

test("what came before a submit has passed with it, what came after has not", () => {
  const passage = new Passage();
  assert.equal(passage.state, "empty");
  passage.write(10);
  passage.leave(1000);
  passage.seal(1);
  passage.record(5);
  assert.deepEqual([passage.flight, passage.staging, passage.state], [15, 10, "waiting"]);
  assert.deepEqual(passage.passSubmit(0), { flight: 0, memory: 0 });
  assert.deepEqual(passage.passSubmit(1), { flight: 10, memory: 1000 });
  assert.deepEqual([passage.flight, passage.staging, passage.state], [5, 10, "waiting"]);
  passage.seal(2);
  assert.deepEqual(passage.passSubmit(7), { flight: 5, memory: 0 });
  assert.equal(passage.state, "empty");
});

test("a mark covers everything until it was taken, once", () => {
  const passage = new Passage();
  assert.deepEqual(passage.pass(passage.seal(1)), { flight: 0, memory: 0 });
  passage.leave(1);
  passage.seal(1);
  passage.leave(2);
  const mark = passage.seal(2);
  passage.leave(4);
  assert.deepEqual(passage.pass(mark), { flight: 0, memory: 3 });
  assert.deepEqual(passage.pass(mark), { flight: 0, memory: 0 });
  assert.deepEqual(passage.passAll(), { flight: 0, memory: 4 });
  assert.equal(passage.state, "empty");
});

test("staging that the GPU has passed is there until it passes something else", () => {
  const passage = new Passage();
  passage.write(10);
  passage.seal(1);
  passage.write(7);
  passage.passSubmit(1);
  assert.deepEqual([passage.flight, passage.staging], [7, 17]);
  passage.seal(2);
  passage.passSubmit(2);
  assert.deepEqual([passage.flight, passage.staging, passage.state], [0, 7, "waiting"]);
  // Nothing is left to pass but an empty submit.
  passage.pass(passage.seal(3));
  assert.deepEqual([passage.staging, passage.state], [0, "empty"]);
  assert.equal(passage.seal(4), undefined);
});
