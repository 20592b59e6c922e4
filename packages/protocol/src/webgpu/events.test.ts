import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createInProcessPair } from "../carrier/in-process.js";
import { isProtocolError } from "../error.js";
import { EventReader } from "./event-reader.js";
import { EventWriter } from "./event-writer.js";
import * as events from "./generated/events.js";
import { MAX_COMPILATION_MESSAGES } from "./limits.js";
import { loadGenerator, Samples } from "./model.test.fixture.js";
import { World } from "./world.test.fixture.js";

const model = (await loadGenerator()).loadModel();

type Encoder = (w: EventWriter, ...args: unknown[]) => boolean;

class Ends {
  readonly [Symbol.toStringTag] = "Ends";
  readonly seen: unknown[][] = [];
  readonly writer: EventWriter;
  readonly #reader: EventReader;
  readonly #ports: ReturnType<typeof createInProcessPair>;
  readonly #handlers: events.EventHandlers;

  constructor(ringBytes = 1 << 16) {
    this.#ports = createInProcessPair({ geometry: { toEngine: 4096, toClient: ringBytes } });
    const [client, engine] = this.#ports;
    this.writer = new EventWriter(engine.tx);
    this.#reader = new EventReader(client.rx);
    this.#handlers = new Proxy({} as events.EventHandlers, {
      get:
        (_target, name) =>
        (...args: unknown[]) =>
          this.seen.push([name, ...args.map((arg) => (arg instanceof Uint8Array ? arg.slice() : arg))]),
    });
  }

  read(): unknown[][] {
    this.#ports[1].tx.flush();
    this.seen.length = 0;
    while (this.#reader.read(this.#handlers, 100) > 0);
    return [...this.seen];
  }

  putWords(words: readonly number[]): void {
    const { tx } = this.#ports[1];
    tx.u32.set(words, tx.begin(words.length * 4));
  }

  close(): void {
    for (const port of this.#ports) port.close();
  }
}

describe("every event", () => {
  for (const event of model.events) {
    test(`${event.name} arrives at its handler`, () => {
      const world = new World();
      const ends = new Ends();
      const samples = new Samples(model, world);
      const name = `encodeEvent${event.name[0]?.toUpperCase()}${event.name.slice(1)}`;
      const encode = (events as unknown as Record<string, Encoder>)[name] as Encoder;
      fc.assert(
        fc.property(fc.tuple(...event.args.map((arg) => samples.of(arg.type))), (args) => {
          // The engine's own values need no conversion: sequences are arrays.
          assert.ok(
            encode(
              ends.writer,
              ...args.map(({ given, expected }) => (Array.isArray(expected) ? expected : given)),
            ),
          );
          assert.deepEqual(ends.read(), [[event.name, ...args.map(({ expected }) => expected)]]);
        }),
        { numRuns: 60 },
      );
      world.close();
      ends.close();
    });
  }
});

test("an event that finds no room is not written, and can be tried again", () => {
  const ends = new Ends(4096);
  const data = new Uint8Array(ends.writer.maxData).fill(7);
  let sent = 0;
  while (events.encodeEventMapData(ends.writer, 5, false, sent, data)) sent += 1;
  assert.ok(sent >= 3);
  assert.equal(events.encodeEventReplyWorkDone(ends.writer, 6), true);
  while (events.encodeEventReplyWorkDone(ends.writer, 6));
  const seen = ends.read();
  assert.equal(seen.filter(([name]) => name === "mapData").length, sent);
  assert.deepEqual(seen[0], ["mapData", 5, false, 0, data]);
  assert.ok(events.encodeEventMapData(ends.writer, 5, true, sent, data));
  assert.deepEqual(ends.read(), [["mapData", 5, true, sent, data]]);
  ends.close();
});

test("texts and lists that no record could hold are cut", () => {
  const ends = new Ends(4096);
  const message = "☀".repeat(100_000);
  assert.ok(events.encodeEventReplyMap(ends.writer, 1, "error", 0, "OperationError", message));
  const [[, , , , , text]] = ends.read() as [unknown[]];
  assert.ok((text as string).length > 100 && (text as string).endsWith("☀…"));
  const one = {
    message: "unused variable",
    type: "warning",
    lineNum: 1,
    linePos: 2,
    offset: 3,
    length: 4,
  } as const;
  const many = Array.from({ length: 10_000 }, () => one);
  assert.ok(events.encodeEventReplyCompilationInfo(ends.writer, 1, many));
  const [[, , few]] = ends.read() as [unknown[]];
  assert.ok((few as unknown[]).length > 5);
  assert.deepEqual((few as unknown[])[0], one);
  ends.close();

  const wide = new Ends(1 << 20);
  assert.ok(events.encodeEventReplyCompilationInfo(wide.writer, 1, many));
  const [[, , most]] = wide.read() as [unknown[]];
  assert.equal((most as unknown[]).length, MAX_COMPILATION_MESSAGES);
  wide.close();
});

test("an unknown event is not supported", () => {
  const ends = new Ends();
  ends.putWords([8, 500]);
  assert.throws(
    () => ends.read(),
    (error) => isProtocolError(error, "not-supported"),
  );
  ends.close();
});
