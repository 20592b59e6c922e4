import assert from "node:assert/strict";
import { test } from "node:test";
import { EventPump, type EventPumpRuntime } from "./event-pump.js";

/** Time stands still unless the pump naps or ticks; every request is recorded. */
function rig(): { pump: EventPump; asked: string[]; advance(ms: number): void; run(): void } {
  let now = 1000;
  const asked: string[] = [];
  const waiting: (() => void)[] = [];
  const runtime: EventPumpRuntime = {
    now: () => now,
    nextTurn: (ask) => {
      asked.push("turn");
      waiting.push(ask);
    },
    afterTick: (ms, ask) => {
      asked.push(`tick ${ms}`);
      now += ms;
      waiting.push(ask);
    },
    nap: (ms) => {
      asked.push("nap");
      now += ms;
    },
  };
  return {
    pump: new EventPump(runtime),
    asked,
    advance: (ms) => {
      now += ms;
    },
    run: () => {
      for (const ask of waiting.splice(0)) ask();
    },
  };
}

test("right after commands Dawn is asked in every turn, without a nap", () => {
  const { pump, asked, run } = rig();
  for (let i = 0; i < 3; i++) {
    pump.request(() => undefined);
    run();
  }
  assert.deepEqual(asked, ["turn", "turn", "turn"]);
});

test("when nothing comes for a while the thread naps between turns, then leaves them to a timer", () => {
  const { pump, asked, advance, run } = rig();
  advance(70);
  pump.request(() => undefined);
  run();
  advance(100);
  pump.request(() => undefined);
  assert.deepEqual(asked, ["turn", "nap", "tick 1"]);
});

test("commands make the pump eager again", () => {
  const { pump, asked, advance } = rig();
  advance(1000);
  pump.request(() => undefined);
  pump.stir();
  pump.request(() => undefined);
  assert.deepEqual(asked, ["tick 1", "turn"]);
});

test("every request is answered, whatever the pace", () => {
  const { pump, advance, run } = rig();
  let answers = 0;
  for (const quiet of [0, 63.9, 64, 99.9, 100, 500]) {
    pump.stir();
    advance(quiet);
    pump.request(() => {
      answers++;
    });
    run();
  }
  assert.equal(answers, 6);
});

test("installed, it is what a lookup of the global finds", () => {
  const { pump, run } = rig();
  const scope: { setImmediate?: (ask: () => void) => void } = {};
  pump.install(scope);
  let answered = false;
  scope.setImmediate?.(() => {
    answered = true;
  });
  run();
  assert.ok(answered);
});
