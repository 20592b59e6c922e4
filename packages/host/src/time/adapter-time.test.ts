import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Load, Simulation } from "./simulation.test.fixture.js";
import { partsOf, pausingPolicy, recallingPolicy } from "./time-policy.js";

const kinds = [
  { name: "engines that can be paused", policy: pausingPolicy, pausable: true },
  { name: "engines that can't", policy: recallingPolicy, pausable: false },
] as const;

/** Loads that would take the whole adapter. */
const greedy: Readonly<Record<string, Load>> = {
  pipelined: { workMs: 1, thinkMs: 0 },
  closed: { workMs: 3, thinkMs: 0.5 },
  long: { workMs: 60, thinkMs: 0 },
};

function near(actual: readonly number[], expected: readonly number[], points: number, what: string): void {
  const sum = actual.reduce((a, b) => a + b, 0);
  const total = expected.reduce((a, b) => a + b, 0);
  actual.forEach((value, index) => {
    const got = (100 * value) / sum;
    const wanted = (100 * (expected[index] as number)) / total;
    assert.ok(
      Math.abs(got - wanted) <= points,
      `${what}: ${index} got ${got.toFixed(1)} of ${wanted.toFixed(1)} %`,
    );
  });
}

for (const { name, policy, pausable } of kinds) {
  for (const weights of [
    [1, 1],
    [1, 3],
    [1, 2, 5],
  ]) {
    for (const [what, load] of Object.entries(greedy)) {
      test(`${name}: ${what} loads weighted ${weights.join(":")} get shares within 3 points`, async () => {
        const simulation = new Simulation(policy, pausable);
        for (const weight of weights) simulation.add(load, { weight });
        await simulation.run(100);
        const charged = simulation.shares.map(({ status }) => status.chargedMs);
        const done = await simulation.run(6000);
        if (pausable) near(done, weights, 3, "work");
        const more = simulation.shares.map(
          ({ status }, index) => status.chargedMs - (charged[index] as number),
        );
        near(more, weights, 3, "charge");
      });
    }
  }
}

for (const { name, policy, pausable } of kinds) {
  test(`${name}: who shares works ahead only as far as others don't have to wait for it`, async () => {
    const simulation = new Simulation(policy, pausable);
    const [one, two] = [0, 1].map(() => simulation.add({ workMs: 3, thinkMs: 0 }));
    await simulation.run(100);
    for (const engine of [one, two]) {
      const ahead = engine?.aheadMs ?? 0;
      assert.ok(pausable ? ahead > 10 * policy.quantumMs : ahead === policy.quantumMs, `${ahead} ms ahead`);
    }
  });
}

test("a loop without end and short pipelined work share by weight where engines can be paused", async () => {
  const simulation = new Simulation(pausingPolicy, true);
  simulation.add({ workMs: 1e9, thinkMs: 0 }, { weight: 1 });
  simulation.add({ workMs: 2, thinkMs: 0 }, { weight: 3 });
  await simulation.run(100);
  near(await simulation.run(4000), [1, 3], 3, "work");
});

for (const { name, policy, pausable } of kinds) {
  test(`${name}: what a neighbour leaves unused goes to the other, and nothing is left idle`, async () => {
    const simulation = new Simulation(policy, pausable);
    simulation.add({ workMs: 1, thinkMs: 0 });
    simulation.add({ workMs: 5, thinkMs: 45 });
    await simulation.run(200);
    const [greedy = 0, modest = 0] = await simulation.run(5000);
    assert.ok(modest >= 450, `the modest one did ${modest} ms`);
    assert.ok(greedy + modest >= 0.95 * 5000, `${greedy + modest} ms were used of 5000`);
  });

  test(`${name}: one that is alone is told so once, and costs nothing from then on`, async () => {
    const simulation = new Simulation(policy, pausable);
    const engine = simulation.add({ workMs: 1, thinkMs: 1 });
    await simulation.run(50);
    const { messages } = engine;
    await simulation.run(5000);
    assert.equal(engine.messages, messages);
    assert.equal(simulation.shares[0]?.status.pauses, 0);
  });

  test(`${name}: who comes late gets next to no credit for the time before`, async () => {
    const simulation = new Simulation(policy, pausable);
    const early = simulation.add({ workMs: 1, thinkMs: 0 });
    await simulation.run(5000);
    const before = early.doneMs;
    simulation.add({ workMs: 1, thinkMs: 0 });
    await simulation.run(400);
    assert.ok(early.doneMs - before >= 0.4 * 400, `the early one did ${early.doneMs - before} ms`);
  });

  test(`${name}: a cap holds though nobody else wants the adapter, and can be changed meanwhile`, async () => {
    const simulation = new Simulation(policy, pausable);
    simulation.add({ workMs: 2, thinkMs: 0 }, { cap: 0.3 });
    await simulation.run(200);
    const [capped = 0] = await simulation.run(3000);
    assert.ok(capped <= 0.33 * 3000 && capped >= 0.25 * 3000, `${capped} ms of 3000`);
    simulation.shares[0]?.change({ share: 0, weight: 1, cap: 1 });
    await simulation.run(100);
    const [free = 0] = await simulation.run(1000);
    assert.ok(free >= 0.95 * 1000, `${free} ms of 1000`);
  });

  test(`${name}: another weight counts from the moment it is given`, async () => {
    const simulation = new Simulation(policy, pausable);
    simulation.add({ workMs: 1, thinkMs: 0 });
    simulation.add({ workMs: 1, thinkMs: 0 });
    near(await simulation.run(2000), [1, 1], 3, "before");
    simulation.shares[1]?.change({ share: 0, weight: 4, cap: 1 });
    near(await simulation.run(3000), [1, 4], 3, "after");
  });

  test(`${name}: an engine that dies in the midst of its lease leaves the adapter to the others at once`, async () => {
    const simulation = new Simulation(policy, pausable);
    const dying = simulation.add({ workMs: 1e9, thinkMs: 0 });
    simulation.add({ workMs: 1, thinkMs: 0 });
    await simulation.run(37);
    dying.die();
    assert.equal(simulation.shares[0]?.status.state, "absent");
    await simulation.run(15);
    const [, other = 0] = await simulation.run(1000);
    assert.ok(other >= 0.98 * 1000, `${other} ms of 1000`);
  });

  test(`${name}: whatever they do, nobody starves, and at most one has the adapter`, async () => {
    const load = fc.record({
      workMs: fc.integer({ min: 1, max: 80 }),
      thinkMs: fc.constantFrom(0, 0, 0.3, 1, 7, 30),
    });
    const member = fc.record({
      load,
      weight: fc.integer({ min: 1, max: 8 }),
      cap: fc.constantFrom(1, 1, 0.4),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(member, { minLength: 2, maxLength: 5 }), async (members) => {
        const simulation = new Simulation(policy, pausable);
        for (const { load, weight, cap } of members) simulation.add(load, { weight, cap });
        for (let step = 0; step < 40; step++) {
          await simulation.run(50);
          const states = simulation.shares.map(({ status }) => status.state);
          assert.ok(states.filter((state) => state === "running" || state === "recalled").length <= 1);
          if (pausable)
            assert.ok(simulation.engines.filter(({ computing }) => computing).length <= 1, states.join());
        }
        const weights = members.reduce((sum, { weight }) => sum + weight, 0);
        simulation.engines.forEach((engine, index) => {
          const { load, weight, cap } = members[index] as (typeof members)[number];
          const wanted = load.workMs / (load.workMs + load.thinkMs);
          // What one overrun of each other costs comes on top of the turns.
          const due = 0.5 * 2000 * Math.min(wanted, cap * 0.7, weight / weights);
          assert.ok(engine.doneMs >= due - 160, `${index} did ${engine.doneMs} ms, was due ${due}`);
        });
      }),
      { numRuns: 25, seed: 1 },
    );
  });
}

test("a neighbour that needs less than its share hardly notices a loop without end", async () => {
  const alone = new Simulation(pausingPolicy, true);
  const undisturbed = alone.add({ workMs: 20, thinkMs: 30 });
  await alone.run(5000);
  const together = new Simulation(pausingPolicy, true);
  together.add({ workMs: 1e9, thinkMs: 0 });
  const neighbour = together.add({ workMs: 20, thinkMs: 30 });
  await together.run(5000);
  assert.ok(neighbour.doneMs >= 0.95 * undisturbed.doneMs, `${neighbour.doneMs} of ${undisturbed.doneMs} ms`);
  assert.ok(Math.max(...neighbour.latencies) <= 20 + 5, `${Math.max(...neighbour.latencies)} ms`);
});

test("a lease that is lost on its way is given again when the engine asks again", async () => {
  const simulation = new Simulation(pausingPolicy, true);
  const share = simulation.time.open("forgetful", { share: 0, weight: 1, cap: 1 });
  const leases: number[] = [];
  const ignore = (): void => undefined;
  const runner = {
    pausable: true,
    lease: ({ lease }: { lease: number }) => leases.push(lease),
    recall: ignore,
    pause: ignore,
    resume: ignore,
  };
  share.join(runner);
  share.want(runner);
  share.want(runner);
  assert.deepEqual(leases, [1, 1]);
  share.yielded(runner, 2, "idle");
  assert.equal(share.status.state, "running");
  share.yielded(runner, 1, "idle");
  assert.equal(share.status.state, "idle");
  share.close();
  await simulation.run(10);
});

test("engines that answer nothing keep the adapter from nobody", async () => {
  for (const { policy, pausable } of kinds) {
    const simulation = new Simulation(policy, pausable);
    const share = simulation.time.open("deaf", { share: 0, weight: 1, cap: 1 });
    const ignore = (): void => undefined;
    const runner = { pausable, lease: ignore, recall: ignore, pause: ignore, resume: ignore };
    share.join(runner);
    share.want(runner);
    await simulation.run(100);
    const other = simulation.add({ workMs: 1, thinkMs: 0 });
    await simulation.run(1000);
    assert.ok(other.doneMs >= 400, `${other.doneMs} ms of 1000`);
  }
});

test("what is kept for a slice comes first, and the rest goes by weight", () => {
  const slice = (share: number, weight: number): { share: number; weight: number; cap: number } => ({
    share,
    weight,
    cap: 1,
  });
  assert.deepEqual(partsOf([slice(0, 1), slice(0, 3)]), [0.25, 0.75]);
  assert.deepEqual(partsOf([slice(0.5, 1), slice(0, 1)]), [0.75, 0.25]);
  assert.deepEqual(partsOf([slice(1, 8), slice(0, 1)]), [1, 0.005]);
});
