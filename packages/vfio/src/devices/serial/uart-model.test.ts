/** The 16550 against its independent model: whatever a driver and the line do, both show the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CharacterError } from "./line.js";
import { Uart, type UartState } from "./uart.js";
import { UartModel } from "./uart-model.test.fixture.js";
import { decodeUart, encodeUart } from "./uart-state.js";

class Bench {
  readonly model = new UartModel();
  readonly sent: number[] = [];
  readonly breaks: string[] = [];
  level: "high" | "low" = "low";
  timer: "running" | "stopped" = "stopped";
  uart = this.#make();

  #make(): Uart {
    const uart = new Uart({
      interrupt: (level) => {
        assert.notEqual(level, this.level, "told only when it changes");
        this.level = level;
      },
      timer: {
        start: () => {
          this.timer = "running";
        },
        stop: () => {
          this.timer = "stopped";
        },
      },
    });
    uart.plug({
      send: (character) => {
        if (this.model.lineBusy) return "busy";
        this.sent.push(character);
        return "sent";
      },
      break: (state) => this.breaks.push(state),
    });
    return uart;
  }

  /** Goes on with another one that was given the state, as bytes. */
  migrate(): void {
    const bytes = encodeUart(this.uart.state);
    const state: UartState = decodeUart(bytes);
    assert.deepEqual(state, this.uart.state);
    this.level = "low";
    this.timer = "stopped";
    this.uart = this.#make();
    this.uart.inputs(pins(this.model.pins));
    this.uart.restore(state);
  }

  check(): void {
    const { model, uart } = this;
    assert.equal(this.level, model.interrupt);
    assert.equal(uart.room, model.room);
    assert.equal(this.timer, model.counting ? "running" : "stopped");
    assert.deepEqual(this.sent, model.sent);
    assert.deepEqual(this.breaks, model.breaks);
  }
}

function pins(bits: number) {
  return {
    clearToSend: (bits & 1) !== 0,
    dataSetReady: (bits & 2) !== 0,
    ringIndicator: (bits & 4) !== 0,
    carrierDetect: (bits & 8) !== 0,
  };
}

const flaws: readonly (readonly [CharacterError | undefined, number])[] = [
  [undefined, 0],
  [undefined, 0],
  ["parity", 4],
  ["framing", 8],
  ["break", 16],
];

type Step = (bench: Bench) => void;

const register = fc.nat({ max: 7 });
// Mostly what matters: the FIFOs on, no divisor latch.
const value = fc.oneof(
  fc.nat({ max: 255 }),
  fc.constantFrom(0x00, 0x01, 0x03, 0x07, 0x0f, 0x10, 0x1f, 0x41, 0x81, 0xc1),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: register.map(
      (r): Step =>
        (b) =>
          assert.equal(b.uart.read(r), b.model.read(r)),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(register, value).map(
      ([r, v]): Step =>
        (b) => {
          b.model.write(r, v);
          b.uart.write(r, v);
        },
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.nat({ max: 255 }), fc.constantFrom(...flaws)).map(
      ([c, [error, bits]]): Step =>
        (b) => {
          b.model.arrive(c, bits);
          b.uart.receive(c, error);
        },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.nat({ max: 255 }).map(
      (c): Step =>
        (b) => {
          b.model.write(0, c);
          b.uart.write(0, c);
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Step>((b) => {
      // Out of divisor latch, so that a run does not stay in there.
      b.model.write(3, 3);
      b.uart.write(3, 3);
    }),
  },
  {
    weight: 2,
    arbitrary: fc.nat({ max: 15 }).map(
      (bits): Step =>
        (b) => {
          b.model.drive(bits);
          b.uart.inputs(pins(bits));
        },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constant<Step>((b) => {
      b.model.idle();
      if (b.timer === "stopped") return;
      b.timer = "stopped";
      b.uart.idleFor();
    }),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map(
      (busy): Step =>
        (b) => {
          b.model.lineBusy = busy;
          b.model.push();
          b.uart.ready();
        },
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((b) => b.migrate()) },
);

test("every register shows what the model of the 16550 shows, whatever happened before", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const bench = new Bench();
      for (const each of steps) {
        each(bench);
        bench.check();
      }
    }),
    { numRuns: 400 },
  );
});
