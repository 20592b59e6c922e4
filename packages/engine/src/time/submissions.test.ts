import assert from "node:assert/strict";
import { test } from "node:test";
import { Submissions } from "./submissions.js";
import { Work } from "./work-log.js";

function dispatch(pipeline: object): Work {
  const work = new Work();
  work.commands = 1;
  work.keep({
    verb: "dispatchWorkgroups",
    counts: [1, 1, 1],
    size: 1,
    index: 0,
    kind: "compute",
    pass: undefined,
    pipeline,
  });
  return work;
}

/** Submissions of which the first hundred, of `pipeline`, were quick: they are asked for in groups from then on. */
function warm(pipeline: object) {
  const asked: number[] = [];
  let submitted = 0;
  const submissions = new Submissions(
    () => {
      asked.push(submitted);
      return new Promise(() => undefined);
    },
    () => undefined,
  );
  const submit = (now: number, ...works: readonly Work[]): void => {
    submissions.prepare(now, works);
    submitted += 1;
    submissions.submit(now, works);
  };
  for (let n = 1; n <= 100; n++) {
    submit(n, dispatch(pipeline));
    submissions.askForRest(n);
    submissions.done(n, n + 0.01);
  }
  asked.length = 0;
  return { submissions, submit, asked };
}

test("quick submissions are asked for in small groups: each may be late by the budgets of the others in its group", () => {
  const pipeline = {};
  const { submissions, submit, asked } = warm(pipeline);
  for (let n = 0; n < 12; n++) submit(200, dispatch(pipeline));
  assert.deepEqual(asked, [104, 108, 112]);
  submissions.done(104, 200);
  assert.equal(submissions.age(300, 100)?.count, 4);
});

test("what has not been seen to end is judged alone, and so is what came before it", () => {
  const [quick, unknown] = [{}, {}];
  const { submissions, submit, asked } = warm(quick);
  submit(200, dispatch(quick));
  submit(200, dispatch(quick), dispatch(unknown));
  submit(200, dispatch(quick));
  assert.deepEqual(asked, [101, 102]);
  submissions.done(101, 201);
  assert.deepEqual(submissions.age(1201, 1000), {
    ranMs: 1000,
    count: 1,
    works: submissions.age(1201, 0)?.works,
  });
});

test("what has been seen to end is asked for in groups again", () => {
  const { submissions, submit, asked } = warm({});
  const late = {};
  submit(200, dispatch(late));
  submissions.done(101, 200.01);
  submit(201, dispatch(late));
  assert.deepEqual(asked, [101]);
});
