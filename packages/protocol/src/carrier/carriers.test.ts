/** What a port promises, over every carrier. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { PortCloseCode } from "./error-codes.js";
import { isPortClosedError, PortClosedError } from "./errors.js";
import { carrierOf, closed, openPair, type Pair, skipReason, ways } from "./pairs.test.fixture.js";
import type { Port } from "./port.js";
import { fill, isIntact, seeded } from "./records.test.fixture.js";

/** Far beyond what any of these needs; a lost wake-up shall fail, not hang. In milliseconds. */
const timeout = 60_000;

const KiB = 1024;
const small = { toEngine: 64 * KiB, toClient: 64 * KiB };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Reads and checks all records, `atOnce` in one go. */
class Checker {
  count = 0;
  depth = 0;
  readonly #port: Port;
  #wake: () => void = () => {};

  constructor(port: Port, atOnce = Number.POSITIVE_INFINITY) {
    this.#port = port;
    const read = (): void => {
      assert.equal(this.depth++, 0, "the listener is never re-entered");
      for (let n = 0; ; n++) {
        if (n >= atOnce) {
          setImmediate(read);
          break;
        }
        const word = port.rx.next();
        if (word < 0) break;
        assert.ok(isIntact(port.rx, word, this.count), `record ${this.count} is intact`);
        port.rx.done();
        this.count++;
      }
      this.depth--;
      this.#wake();
    };
    port.onReadable(read);
  }

  /** Resolves when `count` records have been read; rejects when the port closes first. */
  async until(count: number): Promise<void> {
    this.#port.onClose(() => this.#wake());
    while (this.count < count) {
      if (this.#port.state === "closed") throw new Error(`closed after ${this.count} of ${count} records`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Writes records of these sizes, waiting, without blocking, whenever the ring is full. */
async function writeAll(port: Port, sizes: Iterable<number>, first = 0, flushes: () => boolean = () => true) {
  let wake = (): void => {};
  port.onWritable(() => wake());
  let sequence = first;
  for (const bytes of sizes) {
    for (;;) {
      const word = port.tx.tryBegin(bytes);
      if (word >= 0) {
        fill(port.tx, word, sequence++, bytes);
        break;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (flushes()) port.tx.flush();
  }
  port.tx.flush();
  return sequence;
}

for (const way of ways) {
  const skip = skipReason(way);
  const withPair = (name: string, body: (pair: Pair) => Promise<void>, geometry = small): void => {
    test(`${way}: ${name}`, { skip, timeout }, async () => {
      const pair = await openPair(way, geometry);
      try {
        assert.equal(pair.client.carrier, carrierOf(way));
        assert.equal(pair.engine.carrier, carrierOf(way));
        await body(pair);
      } finally {
        await pair.close();
      }
    });
  };

  withPair("records of any length arrive in order, whatever is flushed when", async ({ client, engine }) => {
    const checker = new Checker(engine);
    let sent = 0;
    const batch = fc.array(
      fc.integer({ min: 2, max: 2 * KiB }).map((n) => n * 8),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(batch, fc.integer(), async (sizes, seed) => {
        const random = seeded(seed);
        sent = await writeAll(client, sizes, sent, () => random() < 0.5);
        await checker.until(sent);
      }),
      { numRuns: 40 },
    );
  });

  withPair("a long run in both directions at once is intact", async ({ client, engine }) => {
    const count = 20_000;
    const random = seeded(7);
    const sizes = (): number[] =>
      Array.from({ length: count }, () => 8 * (2 + Math.floor(random() ** 6 * ((4 * KiB) / 8 - 2))));
    const [atEngine, atClient] = [new Checker(engine), new Checker(client)];
    await Promise.all([
      writeAll(client, sizes(), 0, () => random() < 0.2),
      writeAll(engine, sizes(), 0, () => random() < 0.2),
      atEngine.until(count),
      atClient.until(count),
    ]);
  });

  withPair("a slow reader holds the writer back and loses nothing", async ({ client, engine }) => {
    const checker = new Checker(engine, 3);
    const count = 2000;
    const random = seeded(3);
    const sizes = Array.from({ length: count }, () => 8 * (2 + Math.floor(random() * 500)));
    await Promise.all([writeAll(client, sizes), checker.until(count)]);
  });

  withPair("a full ring refuses; room is announced once there is some", async ({ client, engine }) => {
    let announced = 0;
    client.onWritable(() => announced++);
    let written = 0;
    for (let word = client.tx.tryBegin(KiB); word >= 0; word = client.tx.tryBegin(KiB))
      fill(client.tx, word, written++, KiB);
    assert.equal(written, 64);
    for (let i = 0; i < 20; i++) await turn();
    assert.equal(client.tx.tryBegin(KiB), -1);
    assert.equal(announced, 0);
    const checker = new Checker(engine);
    await checker.until(written);
    while (announced === 0) await turn();
    assert.notEqual(client.tx.tryBegin(KiB), -1);
  });

  withPair("records that arrive while the listener still runs are announced", async ({ client, engine }) => {
    let sequence = 0;
    let seen = 0;
    const send = (): void => {
      fill(client.tx, client.tx.begin(64), sequence++, 64);
      client.tx.flush();
    };
    const done = new Promise<void>((resolve) =>
      engine.onReadable(() => {
        for (let word = engine.rx.next(); word >= 0; word = engine.rx.next()) {
          assert.ok(isIntact(engine.rx, word, seen++));
          engine.rx.done();
        }
        if (sequence < 50) send();
        if (seen === 50) resolve();
      }),
    );
    await done;
  });

  withPair(
    "a look tells what is there, has it read, and no bell is lost by it",
    async ({ client, engine }) => {
      assert.equal(engine.look(), 0);
      fill(client.tx, client.tx.begin(64), 0, 64);
      fill(client.tx, client.tx.begin(1024), 1, 1024);
      client.tx.flush();
      // Over TCP it may be on its way for a moment.
      while (engine.look() < 1088) await turn();
      assert.equal(engine.look(), 1088);
      const checker = new Checker(engine);
      await checker.until(2);
      for (let i = 2; i < 500; i++) {
        // Looks before, between and behind the carrier's own doorbell, with both ends awake or asleep.
        if (i % 3 === 0) engine.look();
        fill(client.tx, client.tx.begin(64), i, 64);
        if (i % 5 === 0) engine.look();
        client.tx.flush();
        if (i % 2 === 0) engine.look();
        if (i % 4 === 0) await turn();
        if (i % 7 === 0) await checker.until(i + 1);
        if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await checker.until(500);
      assert.equal(engine.look(), 0);
      engine.close();
      assert.equal(engine.look(), 0);
    },
  );

  withPair("a conversation goes back and forth", async ({ client, engine }) => {
    engine.onReadable(() => {
      for (let word = engine.rx.next(); word >= 0; word = engine.rx.next()) {
        assert.ok(isIntact(engine.rx, word, engine.rx.u32[word + 2] as number));
        fill(engine.tx, engine.tx.begin(32), (engine.rx.u32[word + 2] as number) + 1, 32);
        engine.rx.done();
      }
      engine.tx.flush();
    });
    let answer: (value: number) => void = () => {};
    client.onReadable(() => {
      for (let word = client.rx.next(); word >= 0; word = client.rx.next()) {
        answer(client.rx.u32[word + 2] as number);
        client.rx.done();
      }
    });
    for (let i = 0; i < 500; i++) {
      const answered = new Promise<number>((resolve) => {
        answer = resolve;
      });
      fill(client.tx, client.tx.begin(64), i, 64);
      client.tx.flush();
      if (i % 2 === 0) client.expectReply();
      assert.equal(await answered, i + 1);
      // Now and then long enough for both ends to go to sleep.
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });

  withPair(
    "what was published before a close is still read, then the end is reported",
    async ({ client, engine }) => {
      const checker = new Checker(client);
      await turn();
      const order: string[] = [];
      const ends = Promise.all([
        closed(client).then(() => order.push(`closed after ${checker.count}`)),
        closed(engine),
      ]);
      for (let i = 0; i < 10; i++) fill(engine.tx, engine.tx.begin(1024), i, 1024);
      engine.tx.flush();
      engine.close();
      await ends;
      assert.deepEqual(order, ["closed after 10"]);
    },
  );

  for (const side of ["client", "engine"] as const) {
    test(`${way}: closing the ${side}'s end ends both, each once, each with its reason`, {
      skip,
    }, async () => {
      const pair = await openPair(way, small);
      const near = pair[side];
      const far = pair[side === "client" ? "engine" : "client"];
      const reports: string[] = [];
      const note = (who: string) => (reason: Error) =>
        reports.push(`${who} ${isPortClosedError(reason) ? reason.code : "?"}`);
      near.onClose(note("near"));
      far.onClose(note("far"));
      // In the middle of traffic, with something reserved on both ends.
      for (const port of [near, far]) {
        fill(port.tx, port.tx.begin(64), 0, 64);
        port.tx.flush();
        fill(port.tx, port.tx.begin(64), 1, 64);
      }
      const both = Promise.all([closed(near), closed(far)]);
      near.close();
      near.close();
      assert.equal(near.state, "closed");
      await both;
      assert.equal(far.state, "closed");
      await turn();
      assert.deepEqual(reports.sort(), ["far peer-closed", "near closed"]);
      for (const port of [near, far]) {
        const code: PortCloseCode = port === near ? "closed" : "peer-closed";
        port.tx.flush();
        assert.equal(port.tx.tryBegin(16), -1);
        assert.throws(
          () => port.tx.begin(16),
          (error) => isPortClosedError(error) && error.code === code,
        );
        assert.equal(port.rx.next(), -1);
        assert.equal((await closed(port)) instanceof PortClosedError, true, "a late listener is told too");
        port.close();
        port.ref();
        port.unref();
        port.expectReply();
        // Views that outlive the port are harmless.
        port.tx.u32[0] = 1;
        assert.equal(typeof port.rx.u32[0], "number");
      }
    });
  }

  test(`${way}: the owner's reason for closing is what its listeners get`, { skip, timeout }, async () => {
    const { client, engine, close } = await openPair(way, small);
    const reason = new Error("device destroyed");
    const reported = closed(client);
    client.close(reason);
    assert.equal(await reported, reason);
    assert.equal(engine.state === "open" || engine.state === "closed", true);
    await close();
  });

  test(`${way}: closing inside a readable listener is safe`, { skip, timeout }, async () => {
    const { client, engine } = await openPair(way, small);
    let calls = 0;
    engine.onReadable(() => {
      if (engine.rx.next() < 0) return;
      calls++;
      engine.close();
      assert.equal(engine.rx.next(), -1);
      engine.rx.done();
    });
    const both = Promise.all([closed(client), closed(engine)]);
    for (let i = 0; i < 3; i++) fill(client.tx, client.tx.begin(64), i, 64);
    client.tx.flush();
    await both;
    assert.equal(calls, 1);
  });

  test(`${way}: a broken record closes both ends and nothing else`, { skip, timeout }, async () => {
    const broken = await openPair(way, small);
    const healthy = await openPair(way, small);
    const ends = Promise.all([closed(broken.client), closed(broken.engine)]);
    broken.engine.onReadable(() => {
      while (broken.engine.rx.next() >= 0) broken.engine.rx.done();
    });
    const word = broken.client.tx.begin(64);
    broken.client.tx.u32[word] = 4096;
    broken.client.tx.u32[word + 1] = 1;
    broken.client.tx.flush();
    const [, atEngine] = await ends;
    assert.ok(isPortClosedError(atEngine) && atEngine.code === "protocol", String(atEngine));
    const checker = new Checker(healthy.engine);
    fill(healthy.client.tx, healthy.client.tx.begin(64), 0, 64);
    healthy.client.tx.flush();
    await checker.until(1);
    await healthy.close();
  });
}
