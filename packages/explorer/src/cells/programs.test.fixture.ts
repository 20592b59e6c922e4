/** Random small programs of cells, for properties that hold for all of them. */
import fc from "fast-check";
import type { CellsDefinition, FailingCounts } from "./define.js";
import {
  add,
  assume,
  compareAndSwap,
  exchange,
  type Instruction,
  jump,
  load,
  lock,
  type Register,
  start,
  store,
  tryLock,
  unlock,
  type Value,
} from "./program.js";

const cells = 3;
const locks = 2;

const register = fc.constantFrom<Register>("a", "b");
const cell = fc.nat(cells - 1).map((i) => ["x", i] as const);
const name = fc.nat(locks - 1).map((i) => ["m", i] as const);
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.nat(2),
  fc.constant<Value>((r) => r.a + 1),
);

const operation: fc.Arbitrary<readonly Instruction[]> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(cell, register).map(([x, to]) => [load(x, to)]) },
  { weight: 3, arbitrary: fc.tuple(cell, value).map(([x, v]) => [store(x, v)]) },
  { weight: 1, arbitrary: fc.tuple(cell, register).map(([x, to]) => [add(x, 1, to)]) },
  { weight: 1, arbitrary: fc.tuple(cell, value, register).map(([x, v, to]) => [exchange(x, v, to)]) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(cell, fc.nat(1), value, register)
      .map(([x, old, v, to]) => [compareAndSwap(x, old, v, to)]),
  },
  { weight: 1, arbitrary: cell.map((x) => [load(x, "b"), jump("end", (r) => (r.b === 0 ? 1 : 0))]) },
  { weight: 1, arbitrary: cell.map((x) => [load(x, "b"), assume((r) => r.b)]) },
  { weight: 3, arbitrary: name.map((m) => [lock(m)]) },
  { weight: 2, arbitrary: fc.tuple(name, register).map(([m, to]) => [tryLock(m, to)]) },
  { weight: 3, arbitrary: name.map((m) => [unlock(m)]) },
);

/** Where a task that waits to be started is started: in which task before it, and after which of its operations. */
const beginning = fc.option(fc.record({ by: fc.nat(3), at: fc.nat(5) }), { freq: 3 });

export const definitions: fc.Arbitrary<CellsDefinition> = fc
  .integer({ min: 2, max: 4 })
  .chain((tasks) =>
    fc.record({
      tasks: fc.array(
        fc.record({
          operations: fc.array(operation, { minLength: 1, maxLength: tasks === 2 ? 5 : tasks === 3 ? 4 : 3 }),
          beginning,
        }),
        { minLength: tasks, maxLength: tasks },
      ),
      failing: fc.constantFrom<FailingCounts>("read", "ordered"),
    }),
  )
  .map(({ tasks, failing }) => {
    const lists = tasks.map(({ operations }) => operations.map((instructions) => [...instructions]));
    const started: number[] = [];
    for (const [task, { beginning }] of tasks.entries()) {
      if (beginning === null || task === 0) continue;
      started.push(task);
      const starter = lists[beginning.by % task]!;
      starter[beginning.at % starter.length]!.push(start(task));
    }
    return {
      cells: { x: Array.from({ length: cells }, () => 0) },
      locks: { m: locks },
      tasks: lists.map((list) => list.flat()),
      started,
      failingCompareAndSwap: failing,
      failingTryLock: failing,
    };
  });
