/**
 * Measures the carriers of a queue between this process and a child: round trips of 64 B (and 4 KiB), and one-way throughput of 64 B and
 * 1 MiB records, which the child reads in place.
 *
 *   node bench/carriers.mjs [--rounds 20000] [--poll 50] [--only NAME]
 *
 * Build first (npm run build). Numbers on a machine with few, shared processors vary; compare rows of one run.
 */
import { fork } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  acceptQueue,
  connectQueue,
  createInProcessPair,
  openSharedMemory,
} from "../packages/protocol/dist/index.js";

const ECHO = 1;
const COUNT = 2;
const TOTAL = 3;
const token = "0123456789abcdef0123456789abcdef";

const sharedMemory = await import("koffi").then(
  (koffi) => openSharedMemory(koffi.default),
  () => undefined,
);

/** The engine's part: answers echoes, counts the rest. */
function serve(port) {
  let bytes = 0;
  port.onReadable(() => {
    const { rx, tx } = port;
    for (let word = rx.next(); word >= 0; word = rx.next()) {
      const size = rx.recordBytes;
      const opcode = rx.u32[word + 1] & 0xffff;
      if (opcode === COUNT) {
        // Touch it as a decoder would: a word of each cache line.
        for (let at = word + 2; at < word + size / 4; at += 16) bytes += rx.u32[at] & 0;
        bytes += size;
      } else {
        const reply = opcode === ECHO ? size : 16;
        const to = tx.begin(reply);
        tx.u32[to] = reply;
        tx.u32[to + 1] = opcode;
        if (opcode === ECHO) for (let i = 2; i < size / 4; i++) tx.u32[to + i] = rx.u32[word + i];
        else tx.f64[(to + 2) / 2] = bytes;
        tx.flush();
      }
      rx.done();
    }
  });
}

if (process.argv[2] === "serve") {
  const [, , , where, kind, pollUs] = process.argv;
  const poll = { afterReadUs: Number(pollUs), forReplyUs: Number(pollUs) };
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    server.close();
    acceptQueue(socket, {
      authorize: () => ({ outcome: "granted" }),
      sharedMemory: kind === "shared-memory" ? sharedMemory : undefined,
      poll,
    }).then((port) => {
      port.ref();
      serve(port);
    });
  });
  server.listen(kind === "stream-tcp" ? { port: 0, host: "127.0.0.1" } : where, () =>
    process.send(server.address()),
  );
  process.once("disconnect", () => process.exit());
} else {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "20000" },
      poll: { type: "string", default: "50" },
      only: { type: "string" },
    },
  });
  const rounds = Number(values.rounds);
  const rows = [];
  for (const kind of ["in-process", "stream-unix", "stream-tcp", "shared-memory"]) {
    if (values.only !== undefined && values.only !== kind) continue;
    if (kind === "shared-memory" && sharedMemory === undefined) {
      console.log("shared-memory: skipped, koffi does not load here");
      continue;
    }
    rows.push(await measure(kind, rounds, values.poll));
  }
  console.table(Object.fromEntries(rows.map(({ kind, ...row }) => [kind, row])));
}

async function measure(kind, count, pollUs) {
  const { port, end } = await open(kind, pollUs);
  const wanted = kind === "in-process" || kind === "shared-memory" ? kind : "stream";
  if (port.carrier !== wanted) throw new Error(`${kind}: the queue came up as ${port.carrier}`);
  let onReply;
  port.onReadable(() => {
    for (let word = port.rx.next(); word >= 0; word = port.rx.next()) {
      const value = port.rx.f64[(word + 2) / 2];
      port.rx.done();
      onReply(value);
    }
  });
  port.ref();
  const ask = (opcode, bytes) =>
    new Promise((resolve) => {
      onReply = resolve;
      put(port.tx, opcode, bytes);
      port.tx.flush();
      port.expectReply();
    });
  const pingPong = async (bytes) => {
    for (let i = 0; i < count / 10; i++) await ask(ECHO, bytes);
    const times = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const from = performance.now();
      await ask(ECHO, bytes);
      times[i] = performance.now() - from;
    }
    times.sort();
    return [times[Math.floor(count * 0.5)] * 1000, times[Math.floor(count * 0.99)] * 1000];
  };
  const oneWay = async (bytes, records, flushEvery) => {
    const before = await ask(TOTAL, 16);
    const from = performance.now();
    for (let i = 0; i < records; i++) {
      put(port.tx, COUNT, bytes);
      if (i % flushEvery === 0) port.tx.flush();
    }
    const after = await ask(TOTAL, 16);
    const ms = performance.now() - from;
    if (after - before !== bytes * records)
      throw new Error(`${kind}: ${after - before} of ${bytes * records} bytes arrived`);
    return ms;
  };
  const small = await pingPong(64);
  const page = await pingPong(4096);
  await oneWay(64, 200_000, 64);
  const each = await oneWay(64, 200_000, 1);
  const batched = await oneWay(64, 4_000_000, 64);
  await oneWay(1 << 20, 200, 1);
  const large = await oneWay(1 << 20, 2000, 1);
  await end();
  return {
    kind,
    "64 B p50 µs": round(small[0]),
    "64 B p99 µs": round(small[1]),
    "4 KiB p50 µs": round(page[0]),
    "64 B flush each Mrec/s": round(0.2 / (each / 1000)),
    "64 B flush/64 Mrec/s": round(4 / (batched / 1000)),
    "1 MiB GB/s": round((2000 * (1 << 20)) / 1e9 / (large / 1000)),
  };
}

function put(tx, opcode, bytes) {
  const word = tx.begin(bytes);
  tx.u32[word] = bytes;
  tx.u32[word + 1] = opcode;
  if (bytes > 4096) tx.u8.fill(7, word * 4 + 8, word * 4 + bytes);
  else for (let i = 2; i < bytes / 4; i++) tx.u32[word + i] = i;
}

async function open(kind, pollUs) {
  if (kind === "in-process") {
    const [port, engine] = createInProcessPair();
    serve(engine);
    return { port, end: async () => port.close() };
  }
  const path = join(tmpdir(), `parhelion-carriers-${process.pid}.sock`);
  rmSync(path, { force: true });
  const child = fork(new URL(import.meta.url), ["serve", path, kind, pollUs]);
  const address = await new Promise((resolve) => child.once("message", resolve));
  const port = await connectQueue({
    endpoint: kind === "stream-tcp" ? { host: "127.0.0.1", port: address.port } : { path },
    token,
    sharedMemory: kind === "shared-memory" ? sharedMemory : undefined,
    poll: { afterReadUs: Number(pollUs), forReplyUs: Number(pollUs) },
  });
  const end = async () => {
    const closed = new Promise((resolve) => port.onClose(resolve));
    const exited = new Promise((resolve) => child.once("exit", resolve));
    port.close();
    await closed;
    child.disconnect();
    await exited;
    rmSync(path, { force: true });
  };
  return { port, end };
}

function round(value) {
  return Number(value.toPrecision(3));
}
