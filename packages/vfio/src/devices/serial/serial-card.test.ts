import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRuntime, isKernelError } from "parhelion-core";
import { PciCommand, PciOffset, PciStatus } from "../pci/config-offsets.js";
import { LoopBackPlug } from "./loop-back-plug.js";
import { SerialCard } from "./serial-card.js";
import type { SerialPorts } from "./serial-config.js";

async function withCard(
  ports: SerialPorts,
  run: (card: SerialCard, level: () => string) => void,
): Promise<void> {
  let level = "low";
  const card = new SerialCard(createRuntime(), "card", ports, (now) => {
    level = now;
  });
  for (const port of card.ports) port.plug(new LoopBackPlug(port));
  card.reset();
  run(card, () => level);
  await card.close();
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const one = (value: number): Uint8Array => Uint8Array.of(value);

test("its configuration space is the one that 8250_pci looks for", () =>
  withCard(2, ({ config }) => {
    assert.equal(hex(config.read(0, 16)), "48435332010000021002000700000000");
    assert.equal(hex(config.read(PciOffset.bars, 24)), `${"01000000".repeat(2)}${"00000000".repeat(4)}`);
    assert.equal(hex(config.read(PciOffset.subsystemVendorId, 4)), "48435332");
    assert.equal(hex(config.read(PciOffset.interruptLine, 2)), "0001");
    config.write(PciOffset.interruptLine, one(11));
    assert.equal(hex(config.read(PciOffset.interruptLine, 2)), "0b01");
  }));

test("a card with one port has one base address", () =>
  withCard(1, (card) => {
    card.config.write(PciOffset.bars + 4, new Uint8Array(4).fill(0xff));
    assert.equal(hex(card.config.read(PciOffset.bars + 4, 4)), "00000000");
    assert.throws(
      () => card.read(1, 0, 1),
      (error) => isKernelError(error, "EINVAL"),
    );
    assert.throws(
      () => card.write(0, 7, new Uint8Array(2)),
      (error) => isKernelError(error, "EINVAL"),
    );
  }));

test("either port raises the line; the driver can switch it off and still sees who calls", () =>
  withCard(2, (card, level) => {
    card.write(1, 1, one(0x02));
    assert.equal(level(), "high");
    assert.notEqual(card.config.field(PciOffset.status, 2) & PciStatus.interrupt, 0);
    card.config.write(PciOffset.command + 1, one(PciCommand.interruptsOff >> 8));
    assert.equal(level(), "low");
    assert.notEqual(card.config.field(PciOffset.status, 2) & PciStatus.interrupt, 0);
    card.config.write(PciOffset.command + 1, one(0));
    assert.equal(level(), "high");
    assert.equal(hex(card.read(0, 2, 1)), "01");
    assert.equal(hex(card.read(1, 2, 1)), "02");
    assert.equal(level(), "low");
    assert.equal(card.config.field(PciOffset.status, 2) & PciStatus.interrupt, 0);
  }));

test("its state goes into another card, which goes on as it would have", async () => {
  const operation = fc.tuple(fc.nat({ max: 1 }), fc.nat({ max: 7 }), fc.nat({ max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
      await withCard(2, (first, before) => {
        for (const [bar, register, value] of operations) first.write(bar, register, one(value));
        let level = "low";
        const second = new SerialCard(createRuntime(), "second", 2, (now) => {
          level = now;
        });
        for (const port of second.ports) port.plug(new LoopBackPlug(port));
        second.pause();
        second.restore(first.state);
        assert.equal(level, before());
        assert.deepEqual(second.state, first.state);
        for (const bar of [0, 1])
          for (let register = 0; register < 8; register++)
            assert.deepEqual(second.read(bar, register, 1), first.read(bar, register, 1));
        // Its timers never ran: it was paused.
      });
    }),
    { numRuns: 60 },
  );
});

test("state that is another card's, or nobody's, is refused and changes nothing", () =>
  withCard(2, (card) => {
    card.write(0, 7, one(0x42));
    const { state } = card;
    const bad = [
      new Uint8Array(0),
      new Uint8Array(state.length),
      state.subarray(0, state.length - 1),
      Uint8Array.from(state, (byte, i) => (i === 8 ? 9 : byte)),
      Uint8Array.from(state, (byte, i) => (i === 12 ? 1 : byte)),
      // A FIFO that holds too many.
      Uint8Array.from(state, (byte, i) => (i === 16 + 256 + 11 ? 17 : byte)),
    ];
    for (const each of bad)
      assert.throws(
        () => card.restore(each),
        (error) => isKernelError(error, "EINVAL"),
      );
    assert.deepEqual(card.state, state);
  }));
