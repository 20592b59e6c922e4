/** What drivers rely on in a 16550, one by one. The property test beside this one has the whole. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readyInputs } from "./line.js";
import { LoopBackPlug } from "./loop-back-plug.js";
import { Uart } from "./uart.js";
function bench() {
    const made = { sent: [], level: "low", idleMs: null, busy: "no" };
    const uart = new Uart({
        interrupt: (level) => {
            made.level = level;
        },
        timer: {
            start: (ms) => {
                made.idleMs = ms;
            },
            stop: () => {
                made.idleMs = null;
            },
        },
    });
    uart.plug({
        send: (character) => {
            if (made.busy === "yes")
                return "busy";
            made.sent.push(character);
            return "sent";
        },
    });
    return Object.assign(made, { uart });
}
/** In a driver's usual mode. */
function eightBits() {
    const made = bench();
    made.uart.write(3, 0x03);
    return made;
}
function receive(uart, text) {
    for (const byte of Buffer.from(text))
        uart.receive(byte);
}
test("after power-on nothing is pending and the transmitter is empty", () => {
    const { uart, level } = bench();
    assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7].map((register) => uart.read(register)), [0, 0, 0x01, 0, 0, 0x60, 0, 0]);
    assert.equal(level, "low");
});
test("the divisor lies behind the latch bit, and the idle time follows from it", () => {
    const { uart } = bench();
    uart.write(3, 0x83);
    uart.write(0, 1);
    uart.write(1, 0);
    assert.deepEqual([uart.read(0), uart.read(1)], [1, 0]);
    uart.write(3, 0x03);
    assert.equal(uart.read(1), 0);
    // Four characters of ten bits at 115200 baud.
    assert.ok(Math.abs(uart.idleMs - 40_000 / 115_200) < 1e-9);
});
test("interrupts are identified by priority, and each source is cleared its own way", () => {
    const b = eightBits();
    const { uart } = b;
    uart.write(1, 0x0f);
    assert.equal(b.level, "high");
    uart.inputs(readyInputs);
    uart.receive(0x41, "framing");
    assert.equal(uart.read(2), 0x06, "line status");
    assert.equal(uart.read(5) & 0x09, 0x09);
    assert.equal(uart.read(2), 0x04, "received data");
    assert.equal(uart.read(0), 0x41);
    assert.equal(uart.read(2), 0x02, "transmitter empty, and told with that");
    assert.equal(uart.read(2), 0x00, "modem status");
    assert.equal(uart.read(6), 0xbb);
    assert.equal(uart.read(2), 0x01);
    assert.equal(b.level, "low");
});
test("the transmitter interrupts each time it becomes empty, and when the interrupt is enabled while it is", () => {
    const b = bench();
    const { uart } = b;
    uart.write(1, 0x02);
    assert.equal(uart.read(2), 0x02);
    assert.equal(b.level, "low");
    uart.write(0, 0x55);
    assert.equal(b.level, "high");
    uart.write(1, 0x00);
    assert.equal(b.level, "low");
    uart.write(1, 0x02);
    assert.equal(uart.read(2), 0x02);
});
test("the FIFO interrupts at its trigger level, and below that when it is left alone", () => {
    const b = eightBits();
    const { uart } = b;
    uart.write(2, 0x87);
    uart.write(1, 0x01);
    receive(uart, "1234567");
    assert.equal(b.level, "low");
    assert.equal(uart.read(2), 0xc1);
    assert.ok(b.idleMs !== null);
    uart.receive(0x38);
    assert.equal(uart.read(2), 0xc4);
    uart.read(0);
    assert.equal(b.level, "low");
    uart.idleFor();
    assert.equal(uart.read(2), 0xcc);
    uart.read(0);
    assert.equal(b.level, "low");
});
test("a full FIFO loses what comes and keeps what it has; a single buffer is overwritten", () => {
    const { uart } = eightBits();
    receive(uart, "ab");
    assert.equal(uart.read(5) & 0x03, 0x03);
    assert.equal(uart.read(0), 0x62);
    uart.write(2, 0x01);
    receive(uart, "0123456789abcdefX");
    assert.equal(uart.read(5) & 0x03, 0x03);
    const taken = Array.from({ length: 16 }, () => String.fromCharCode(uart.read(0))).join("");
    assert.equal(taken, "0123456789abcdef");
    assert.equal(uart.read(5) & 0x03, 0);
});
test("an error shows when its character is the next one, and that there is one before", () => {
    const { uart } = eightBits();
    uart.write(2, 0x01);
    uart.receive(0x41);
    uart.receive(0x42, "parity");
    assert.equal(uart.read(5) & 0x9f, 0x81);
    uart.read(0);
    assert.equal(uart.read(5) & 0x9f, 0x85);
    assert.equal(uart.read(5) & 0x9f, 0x01);
});
test("what the line does not take waits in the FIFO, and no more is taken than it holds", () => {
    const b = eightBits();
    const { uart } = b;
    uart.write(2, 0x01);
    b.busy = "yes";
    for (let i = 0; i < 20; i++)
        uart.write(0, i);
    assert.equal(uart.read(5) & 0x60, 0);
    b.busy = "no";
    uart.ready();
    assert.deepEqual(b.sent, Array.from({ length: 17 }, (_, i) => i));
    assert.equal(uart.read(5) & 0x60, 0x60);
});
test("loop mode brings back what is sent and the outputs, and the line hears and says nothing", () => {
    const b = bench();
    const { uart } = b;
    uart.write(3, 0x03);
    uart.write(4, 0x1a);
    assert.equal(uart.read(6) & 0xf0, 0x90, "as a driver's autodetection has it");
    uart.write(0, 0x5a);
    uart.receive(0x11);
    assert.equal(uart.room, 0);
    assert.equal(uart.read(0), 0x5a);
    assert.equal(uart.read(5) & 1, 0);
    assert.deepEqual(b.sent, []);
});
test("short words lose their high bits", () => {
    const b = bench();
    b.uart.write(3, 0x00);
    b.uart.write(0, 0xff);
    b.uart.receive(0xe5);
    assert.deepEqual([b.sent, b.uart.read(0)], [[0x1f], 0x05]);
});
test("only the end of a ring is a change", () => {
    const { uart } = bench();
    const ring = (ringIndicator) => ({ ...readyInputs, ringIndicator });
    uart.inputs(ring(false));
    uart.read(6);
    uart.inputs(ring(true));
    assert.equal(uart.read(6), 0xf0);
    uart.inputs(ring(false));
    assert.equal(uart.read(6), 0xb4);
});
test("a loop-back plug brings back characters, breaks and the modem lines", () => {
    const { uart } = bench();
    uart.plug(new LoopBackPlug(uart));
    uart.write(3, 0x03);
    uart.write(4, 0x03);
    assert.equal(uart.read(6), 0xbb);
    uart.write(0, 0x7e);
    assert.equal(uart.read(0), 0x7e);
    uart.write(3, 0x43);
    uart.write(0, 0x7f);
    assert.equal(uart.read(5) & 0x11, 0x11);
    assert.equal(uart.read(0), 0);
    uart.write(3, 0x03);
    assert.equal(uart.read(5) & 1, 0, "what was sent under the break is lost");
});
test("a paused port takes nothing and lets no time pass; it goes on where it was", () => {
    const b = eightBits();
    const { uart } = b;
    uart.write(2, 0x41);
    uart.write(1, 0x01);
    uart.receive(0x41);
    uart.pause();
    assert.deepEqual([uart.room, b.idleMs], [0, null]);
    uart.resume();
    assert.ok(b.idleMs !== null);
    assert.equal(uart.room, 15);
    assert.equal(uart.read(0), 0x41);
});
