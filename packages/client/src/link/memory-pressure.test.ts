import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryPressure } from "./memory-pressure.js";

function scene(limit: number) {
  const memory = { limit, used: 0 };
  const planned: (() => void)[] = [];
  const pressure = new MemoryPressure({ memory }, (then) => planned.push(then));
  return { memory, planned, pressure };
}

test("the collector is called when much of the slice is this program's and new", () => {
  const { planned, pressure } = scene(800);
  for (let id = 1; id <= 4; id++) pressure.created(id, 100);
  assert.equal(planned.length, 0);
  pressure.created(5, 100);
  pressure.created(6, 100);
  assert.equal(planned.length, 1, "once, until it has run");
  planned.pop()!();
  pressure.created(7, 100);
  assert.equal(planned.length, 0, "it has just run");
  pressure.created(8, 1);
  assert.equal(planned.length, 1);
});

test("a program that destroys what it does not need is left in peace", () => {
  const { planned, pressure } = scene(800);
  for (let id = 1; id <= 5; id++) pressure.created(id, 80);
  for (let id = 10; id < 1000; id++) {
    pressure.created(id, 90);
    pressure.gone(id);
  }
  assert.ok(planned.length <= 1);
  pressure.gone(77);
});

test("what others use of the slice presses as well", () => {
  const { memory, planned, pressure } = scene(800);
  memory.used = 700;
  pressure.created(1, 90);
  assert.equal(planned.length, 0);
  pressure.created(2, 90);
  assert.equal(planned.length, 1);
});
