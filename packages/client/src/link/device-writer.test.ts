import assert from "node:assert/strict";
import { test } from "node:test";
import { createInProcessPair, PortClosedError } from "parhelion-protocol";
import { DeviceWriter } from "./device-writer.js";

function scene() {
  const geometry = { toEngine: 1 << 20, toClient: 1 << 16 };
  const [port, engine] = createInProcessPair({ geometry });
  const turns: (() => void)[] = [];
  const failures: unknown[] = [];
  const writer = new DeviceWriter(
    port.tx,
    (task) => turns.push(task),
    (reason) => failures.push(reason),
  );
  const record = (bytes: number) => {
    const i = writer.begin(bytes);
    writer.u32[i] = bytes;
    writer.u32[i + 1] = 2;
  };
  return { port, engine, turns, failures, writer, record };
}

test("records are published once a turn, however many there are", () => {
  const { engine, turns, record } = scene();
  record(16);
  record(16);
  assert.equal(turns.length, 1);
  assert.equal(engine.rx.next(), -1);
  turns.pop()?.();
  assert.notEqual(engine.rx.next(), -1);
  record(16);
  assert.equal(turns.length, 1);
});

test("more than 64 KiB is published without waiting for the turn", () => {
  const { engine, record } = scene();
  for (let n = 0; n < 18; n += 1) record(4096);
  assert.notEqual(engine.rx.next(), -1);
});

test("when the port is closed, one failure is told and records go nowhere", async () => {
  const { port, failures, writer, record } = scene();
  record(16);
  port.close();
  await new Promise<void>((resolve) => port.onClose(() => resolve()));
  record(16);
  record(writer.maxRecord);
  writer.flush();
  assert.equal(failures.length, 1);
  assert.ok(failures[0] instanceof PortClosedError);
  assert.equal(writer.unpublished, 0);
});
