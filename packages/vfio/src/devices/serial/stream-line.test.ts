import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import koffi from "koffi";
import { createRuntime, isKernelError } from "parhelion-core";
import { openPty, type Pty } from "./pty.js";
import { StreamLine } from "./stream-line.js";
import { Uart } from "./uart.js";

const runtime = createRuntime();

function port(stream: Duplex): { readonly uart: Uart; readonly ended: Promise<void> } {
  const uart = new Uart({
    interrupt: () => undefined,
    timer: { start: () => undefined, stop: () => undefined },
  });
  uart.write(3, 0x03);
  uart.write(2, 0x01);
  const ended = new Promise<void>((resolve) => {
    uart.plug(new StreamLine(runtime, uart, stream, () => resolve()));
  });
  return { uart, ended };
}

/** A pty's bytes come by threads and the kernel, which a few turns may leave behind: later ones take longer. */
async function until(what: string, condition: () => boolean): Promise<void> {
  for (let left = 50_000; !condition(); left--) {
    assert.ok(left > 0, `it did not come about that ${what}`);
    await new Promise((resolve) => (left > 30_000 ? setImmediate(resolve) : setTimeout(resolve, 2)));
  }
}

/** What the port receives, read as a driver does. */
async function read(uart: Uart, length: number): Promise<Buffer> {
  const taken: number[] = [];
  await until(`${length} bytes are received`, () => {
    while (taken.length < length && (uart.read(5) & 1) !== 0) taken.push(uart.read(0));
    return taken.length === length;
  });
  return Buffer.from(taken);
}

/** Sends as a driver does: a FIFO full whenever the transmitter is empty. */
async function write(uart: Uart, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += 16) {
    await until("the transmitter is empty", () => (uart.read(5) & 0x20) !== 0);
    for (const byte of bytes.subarray(at, at + 16)) uart.write(0, byte);
  }
}

/** More than a stream keeps for who does not read. */
const data = Uint8Array.from({ length: 150_000 }, (_, i) => (i * 7) % 251);

test("bytes from the stream wait for room, and none is lost", async () => {
  const [near, far] = duplexPair();
  const { uart, ended } = port(near);
  assert.equal(uart.read(6) & 0xb0, 0xb0, "somebody is there");
  far.write(data);
  assert.deepEqual(await read(uart, data.length), Buffer.from(data));
  assert.equal(uart.read(5) & 0x02, 0, "without an overrun");
  near.destroy();
  await ended;
});

test("bytes for the stream wait while it takes nothing, and the transmitter is not empty then", async () => {
  const [near, far] = duplexPair();
  const { uart, ended } = port(near);
  const writing = write(uart, data);
  await until("the line is full", () => (uart.read(5) & 0x20) === 0);
  const taken: Uint8Array[] = [];
  far.on("data", (bytes: Uint8Array) => taken.push(bytes));
  await writing;
  await until("all has arrived", () => Buffer.concat(taken).length === data.length);
  assert.deepEqual(Buffer.concat(taken), Buffer.from(data));
  near.destroy();
  await ended;
});

test("when the stream has gone what is sent is lost, and the port does not wait", async () => {
  const [near] = duplexPair();
  const { uart, ended } = port(near);
  near.destroy();
  await ended;
  await write(uart, data);
  assert.equal(uart.read(5) & 0x60, 0x60);
});

test("a pseudo-terminal carries bytes as they are, both ways", async (t) => {
  let pty: Pty;
  try {
    pty = openPty(koffi);
  } catch (error) {
    assert.ok(isKernelError(error, "ENODEV"));
    return t.skip(error.message);
  }
  let other: Pty | null = null;
  try {
    other = openPty(koffi);
    assert.notEqual(other.path, pty.path);
    const { createReadStream, createWriteStream } = await import("node:fs");
    const { uart, ended } = port(pty.stream);
    const terminal = createWriteStream(pty.path);
    const text = Buffer.from("line\r\n\u0003\u0004\u0011 all\n");
    terminal.write(text);
    assert.deepEqual(await read(uart, text.length), text);
    terminal.destroy();
    const reader = createReadStream(pty.path);
    const taken: Uint8Array[] = [];
    reader.on("data", (bytes) => taken.push(Buffer.from(bytes)));
    await write(uart, text);
    await until("it is read", () => Buffer.concat(taken).length >= text.length);
    assert.deepEqual(Buffer.concat(taken), text);
    const closed = new Promise<void>((resolve) => reader.once("close", resolve));
    // It hangs up: that is an error to whoever reads.
    reader.on("error", () => undefined);
    pty.close();
    await ended;
    await closed;
  } finally {
    other?.close();
    pty.close();
  }
});
