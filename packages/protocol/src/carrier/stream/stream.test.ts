/** What a stream carrier does with an other end that breaks the rules, and with a socket that it can't drive directly. */
import assert from "node:assert/strict";
import { createConnection, type Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { isProtocolError } from "../../error.js";
import type { ProtocolErrorCode } from "../../error-codes.js";
import { isPortClosedError, isPortStalledError } from "../errors.js";
import { closed, listen } from "../pairs.test.fixture.js";
import type { Port } from "../port.js";
import { fill, isIntact } from "../records.test.fixture.js";
import { allocateRing, HEAD } from "../ring-layout.js";
import { createPlatformRuntime } from "../runtime.js";
import { openSocketIo } from "../socket-io.js";
import { FRAME_CREDIT, FRAME_DATA, FRAME_PADDING } from "./frames.js";
import { createStreamPort } from "./port.js";
import { Receiver } from "./receiver.js";

const KiB = 1024;
const ringBytes = 4 * KiB;

async function socketPair(): Promise<[Socket, Socket]> {
  let accept: (socket: Socket) => void = () => {};
  const accepted = new Promise<Socket>((resolve) => {
    accept = resolve;
  });
  const listening = await listen("stream-unix", (socket) => accept(socket));
  const near = createConnection(listening.endpoint);
  const far = await accepted;
  listening.close();
  return [near, far];
}

function streamPort(socket: Socket, io: "direct" | "buffered" = "direct"): Port {
  const port = createStreamPort({
    socket,
    io: openSocketIo(socket, io),
    transmitBytes: ringBytes,
    receiveBytes: ringBytes,
    runtime: createPlatformRuntime(),
    stallMs: 1000,
    initial: new Uint8Array(0),
  });
  port.ref();
  return port;
}

const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);

const hostile: readonly [string, Uint8Array, ProtocolErrorCode][] = [
  ["an unknown frame", words(9, 8), "bad-frame"],
  ["data without bytes", words(FRAME_DATA, 0), "bad-frame"],
  ["data that is no multiple of 8", words(FRAME_DATA, 12), "bad-frame"],
  ["data beyond the ring's end", words(FRAME_DATA, ringBytes + 8), "bad-frame"],
  ["padding that ends before the ring", words(FRAME_PADDING, 64), "bad-frame"],
  ["more than there is room for", words(FRAME_PADDING, ringBytes, FRAME_DATA, 8), "no-credit"],
  ["credit for what was never sent", words(FRAME_CREDIT, ringBytes + 64), "bad-tail"],
  ["credit that goes back", words(FRAME_CREDIT, -8), "bad-tail"],
  ["a broken record", words(FRAME_DATA, 16, 4096, 1, 0, 0), "bad-record"],
];
for (const [what, bytes, code] of hostile) {
  test(`${what} closes the queue`, async () => {
    const [raw, socket] = await socketPair();
    raw.on("error", () => {});
    const port = streamPort(socket);
    const end = closed(port);
    port.onReadable(() => {
      while (port.rx.next() >= 0) port.rx.done();
    });
    raw.write(bytes);
    if (code === "bad-tail") {
      // Positions of the reader are looked at when room is needed.
      port.onWritable(() => {});
      while (port.state === "open") {
        while (port.tx.tryBegin(KiB) >= 0);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const reason = await end;
    assert.ok(isPortClosedError(reason) && reason.code === "protocol", String(reason));
    assert.ok(isProtocolError(reason.cause, code), String(reason.cause));
    raw.destroy();
  });
}

test("any bytes in any pieces are taken or refused, and never leave the ring", () => {
  const frame = fc
    .tuple(
      fc.nat(4),
      fc.oneof(
        fc.nat(ringBytes / 8).map((n) => n * 8),
        fc.nat(),
      ),
    )
    .map(([kind, n]) => words(kind, n));
  const noise = fc.array(fc.oneof(frame, fc.uint8Array({ maxLength: 200 })), { maxLength: 30 });
  fc.assert(
    fc.property(noise, fc.integer({ min: 1, max: 64 }), (parts, piece) => {
      const memory = allocateRing(ringBytes);
      const receiver = new Receiver(memory, { arrived() {}, credited() {} });
      const all = Buffer.concat(parts);
      try {
        for (let at = 0; at < all.length; at += piece)
          receiver.take(all, at, Math.min(at + piece, all.length));
      } catch (error) {
        assert.ok(isProtocolError(error));
      }
      // Nothing was ever given back, so no more than one ring can be published.
      assert.ok((memory.control[HEAD] as number) >>> 0 <= ringBytes);
    }),
  );
});

test("a socket that can't be driven directly carries everything, but refuses to wait", async () => {
  const [near, far] = await socketPair();
  const [writer, reader] = [streamPort(near, "buffered"), streamPort(far, "buffered")];
  let read = 0;
  reader.onReadable(() => {
    for (let word = reader.rx.next(); word >= 0; word = reader.rx.next()) {
      assert.ok(isIntact(reader.rx, word, read++));
      reader.rx.done();
    }
  });
  let wake = (): void => {};
  writer.onWritable(() => wake());
  for (let i = 0; i < 500; i++) {
    let word = writer.tx.tryBegin(512);
    while (word < 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      word = writer.tx.tryBegin(512);
    }
    fill(writer.tx, word, i, 512);
  }
  assert.throws(
    () => {
      for (let i = 0; ; i++) fill(writer.tx, writer.tx.begin(512), 500 + i, 512);
    },
    (error) => isPortStalledError(error) && error.code === "cannot-wait",
  );
  const ends = Promise.all([closed(writer), closed(reader)]);
  writer.close();
  await ends;
  assert.ok(read >= 500, `${read} records arrived`);
});
