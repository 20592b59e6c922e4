import assert from "node:assert/strict";
import { createConnection, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { encodeFrame } from "../../messages/frame.js";
import { queueMessage } from "../../messages/generated/queue.js";
import type { QueueConnectCode } from "../error-codes.js";
import { isQueueConnectError } from "../errors.js";
import { closed, type Listening, listen, token } from "../pairs.test.fixture.js";
import type { Port } from "../port.js";
import { fill, isIntact } from "../records.test.fixture.js";
import { acceptQueue } from "./accept.js";
import { connectQueue } from "./connect.js";
import { MAX_HANDSHAKE_MESSAGE } from "./first-message.js";
import type { AcceptQueueOptions, QueueGrant, QueueRefusal } from "./queue-options.js";

const otherToken = "ffffffffffffffffffffffffffffffff";
const KiB = 1024;

const hello = (fields: Parameters<typeof queueMessage.hello.request.encode>[0]): Uint8Array =>
  encodeFrame(queueMessage.hello.type, 0, 7, queueMessage.hello.request.encode(fields));

interface Engine extends Listening {
  /** What became of each connection, in order of their ends. */
  readonly outcomes: (Port | Error)[];
  settled(count: number): Promise<void>;
}

async function engine(context: TestContext, options: Partial<AcceptQueueOptions> = {}): Promise<Engine> {
  const outcomes: (Port | Error)[] = [];
  let wake = (): void => {};
  const sockets: Socket[] = [];
  const listening = await listen("stream-unix", (socket) => {
    sockets.push(socket);
    acceptQueue(socket, {
      authorize: (given): QueueGrant | QueueRefusal =>
        given === token
          ? { outcome: "granted" }
          : { outcome: "refused", errno: 13, message: "no queue waits for this token" },
      ...options,
    }).then(
      (port) => {
        port.ref();
        outcomes.push(port);
        wake();
      },
      (error: Error) => {
        outcomes.push(error);
        wake();
      },
    );
  });
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    listening.close();
  });
  return {
    ...listening,
    outcomes,
    async settled(count) {
      while (outcomes.length < count)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
  };
}

function hasCode(code: QueueConnectCode): (error: unknown) => boolean {
  return (error) => isQueueConnectError(error) && error.code === code;
}

function outcomeCode(outcome: Port | Error | undefined): string {
  return isQueueConnectError(outcome) ? outcome.code : String(outcome);
}

/** Sends raw bytes; resolves with all that came back once the engine has closed. */
function talk(target: Listening, bytes: Uint8Array, after: "end" | "stay" = "stay"): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(target.endpoint);
    const got: Buffer[] = [];
    socket.on("data", (chunk) => got.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(Buffer.concat(got)));
    socket.write(bytes);
    if (after === "end") socket.end();
  });
}

test("a wrong token is refused with the engine's words, and the next connection is served", async (context) => {
  const target = await engine(context);
  await assert.rejects(
    connectQueue({ endpoint: target.endpoint, token: otherToken }),
    (error) =>
      isQueueConnectError(error) &&
      error.code === "refused" &&
      error.errno === 13 &&
      /no queue waits/.test(error.message),
  );
  const port = await connectQueue({ endpoint: target.endpoint, token });
  await target.settled(2);
  assert.equal(outcomeCode(target.outcomes[0]), "refused");
  const end = closed(port);
  port.close();
  await end;
});

test("a token that is none is refused at once, here", async () => {
  await assert.rejects(connectQueue({ endpoint: { path: "/nonexistent" }, token: "hello" }), RangeError);
});

test("a geometry that is none is refused at once, here", async () => {
  const geometry = { toEngine: 5000, toClient: 4096 };
  await assert.rejects(connectQueue({ endpoint: { path: "/nonexistent" }, token, geometry }), RangeError);
});

test("an endpoint where nobody listens is unreachable", async () => {
  await assert.rejects(
    connectQueue({ endpoint: { path: "/nonexistent/q0" }, token }),
    hasCode("unreachable"),
  );
});

const malformed: readonly [string, Uint8Array, QueueConnectCode][] = [
  ["noise", new Uint8Array(64).fill(0xee), "protocol"],
  ["a size smaller than a header", new Uint8Array([4, 0, 0, 0, 1, 2, 3, 4]), "protocol"],
  ["another message", encodeFrame(1, 0, 1, new Uint8Array(8)), "protocol"],
  [
    "a hello that wants rings too small to work with",
    hello({ token, geometry: { toEngine: 4096, toClient: 4096 } }),
    "protocol",
  ],
  ["a hello cut within its token", encodeFrame(queueMessage.hello.type, 0, 1, new Uint8Array(9)), "protocol"],
  [
    "an oversized hello",
    encodeFrame(queueMessage.hello.type, 0, 1, new Uint8Array(MAX_HANDSHAKE_MESSAGE + 1)),
    "protocol",
  ],
  ["http", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "protocol"],
];
for (const [what, bytes, code] of malformed) {
  test(`${what} instead of a hello ends that connection only`, async (context) => {
    const target = await engine(context);
    const port = await connectQueue({ endpoint: target.endpoint, token });
    await target.settled(1);
    await talk(target, bytes);
    await target.settled(2);
    assert.equal(outcomeCode(target.outcomes[1]), code);
    assert.equal(port.state, "open");
    assert.equal((target.outcomes[0] as Port).state, "open");
    port.ref();
    const end = closed(port);
    port.close();
    await end;
  });
}

test("a hello that stops in the middle hangs up or misses the deadline", async (context) => {
  const target = await engine(context, { deadlineMs: 40 });
  const half = hello({ token }).subarray(0, 20);
  await talk(target, half, "end");
  await target.settled(1);
  assert.equal(outcomeCode(target.outcomes[0]), "hung-up");
  await talk(target, half);
  await target.settled(2);
  assert.equal(outcomeCode(target.outcomes[1]), "deadline");
});

test("an engine that never answers misses the client's deadline", async (context) => {
  const sockets: Socket[] = [];
  const listening = await listen("stream-unix", (socket) => sockets.push(socket));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    listening.close();
  });
  await assert.rejects(
    connectQueue({ endpoint: listening.endpoint, token, deadlineMs: 40 }),
    hasCode("deadline"),
  );
});

test("an engine that decides too late finds nobody there", async (context) => {
  const target = await engine(context, {
    deadlineMs: 40,
    authorize: () => new Promise((resolve) => setTimeout(() => resolve({ outcome: "granted" }), 80)),
  });
  await assert.rejects(connectQueue({ endpoint: target.endpoint, token }), hasCode("hung-up"));
  await target.settled(1);
  assert.equal(outcomeCode(target.outcomes[0]), "hung-up");
});

test("an authorize that throws refuses the queue without saying why", async (context) => {
  const target = await engine(context, {
    authorize: () => {
      throw new Error("secret detail");
    },
  });
  await assert.rejects(
    connectQueue({ endpoint: target.endpoint, token }),
    (error) => isQueueConnectError(error) && error.code === "refused" && !error.message.includes("secret"),
  );
});

for (const [what, reply] of [
  ["noise", new Uint8Array(64).fill(0xee)],
  ["an answer to something else", encodeFrame(queueMessage.hello.type, 1, 99, new Uint8Array(8))],
  ["an answer without a status", encodeFrame(queueMessage.hello.type, 1, 1, new Uint8Array(2))],
  [
    "rings that nobody asked for",
    encodeFrame(
      queueMessage.hello.type,
      1,
      1,
      Buffer.concat([
        new Uint8Array(4),
        queueMessage.hello.reply.encode({ geometry: { toEngine: 2 ** 30, toClient: 2 ** 30 } }),
      ]),
    ),
  ],
  [
    "memory that nobody offered",
    encodeFrame(
      queueMessage.hello.type,
      1,
      1,
      Buffer.concat([
        new Uint8Array(4),
        queueMessage.hello.reply.encode({
          memory: { ...queueMessage.hello.reply.defaults().memory, kind: 1 },
        }),
      ]),
    ),
  ],
] as const) {
  test(`the client refuses ${what} as an answer`, async (context) => {
    const listening = await listen("stream-unix", (socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.write(reply)).resume();
    });
    context.after(() => listening.close());
    await assert.rejects(connectQueue({ endpoint: listening.endpoint, token }), hasCode("protocol"));
  });
}

test("the engine's limits decide the rings of a stream", async (context) => {
  const target = await engine(context, {
    authorize: () => ({ outcome: "granted", limit: { toEngine: 128 * KiB, toClient: 64 * KiB } }),
  });
  const port = await connectQueue({ endpoint: target.endpoint, token });
  assert.deepEqual([port.tx.capacity, port.rx.capacity], [128 * KiB, 64 * KiB]);
  await target.settled(1);
  const end = closed(port);
  port.close();
  await end;
});

test("records that follow the answer at once are not lost", async (context) => {
  const target = await engine(context);
  const connecting = connectQueue({ endpoint: target.endpoint, token });
  await target.settled(1);
  const at = target.outcomes[0] as Port;
  for (let i = 0; i < 10; i++) fill(at.tx, at.tx.begin(1024), i, 1024);
  at.tx.flush();
  const port = await connecting;
  port.ref();
  let read = 0;
  await new Promise<void>((resolve) =>
    port.onReadable(() => {
      for (let word = port.rx.next(); word >= 0; word = port.rx.next()) {
        assert.ok(isIntact(port.rx, word, read++));
        port.rx.done();
      }
      if (read === 10) resolve();
    }),
  );
  const end = closed(port);
  port.close();
  await end;
});
