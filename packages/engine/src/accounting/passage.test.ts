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
  assert.deepEqual(passage.passSubmit(0), { flight: 0, memory: 0, staging: 0 });
  assert.deepEqual(passage.passSubmit(1), { flight: 10, memory: 1000, staging: 10 });
  assert.deepEqual([passage.flight, passage.staging, passage.state], [5, 0, "waiting"]);
  passage.seal(2);
  assert.deepEqual(passage.passSubmit(7), { flight: 5, memory: 0, staging: 0 });
  assert.equal(passage.state, "empty");
});

test("a mark covers everything until it was taken, once", () => {
  const passage = new Passage();
  assert.deepEqual(passage.pass(passage.seal(1)), { flight: 0, memory: 0, staging: 0 });
  passage.leave(1);
  passage.seal(1);
  passage.leave(2);
  const mark = passage.seal(2);
  passage.leave(4);
  assert.deepEqual(passage.pass(mark), { flight: 0, memory: 3, staging: 0 });
  assert.deepEqual(passage.pass(mark), { flight: 0, memory: 0, staging: 0 });
  assert.deepEqual(passage.passAll(), { flight: 0, memory: 4, staging: 0 });
  assert.equal(passage.state, "empty");
});
