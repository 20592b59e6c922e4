/**
 * One end of a queue in a process of its own: `node peer.test.fixture.js ROLE WAY ENDPOINT`, where ENDPOINT is JSON. It says over IPC when it
 * is ready, and answers with what it saw.
 *
 * reader  listens, checks what comes, answers QUERY; END makes it kill or stop itself; argument 4 `sleepy` forbids polling
 * writer  connects, and in one synchronous loop writes the bytes that argument 4 says, then asks and reports
 * idle    connects (or, in process, makes a pair) and does nothing more; argument 4 says `ref` or `unref`
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { acceptQueue } from "./handshake/accept.js";
import { connectQueue } from "./handshake/connect.js";
import type { ConnectQueueOptions } from "./handshake/queue-options.js";
import { createInProcessPair } from "./in-process.js";
import type { PollPolicy } from "./mapped-memory/port.js";
import { sharedMemory, token, type Way } from "./pairs.test.fixture.js";
import type { Port } from "./port.js";
import { END, fillFast, isIntact, QUERY } from "./records.test.fixture.js";

export interface Report {
  readonly records: number;
  readonly bad: number;
  /** VmHWM of the reader, and of the writer where it is a process of its own, in bytes. */
  readonly readerPeak: number;
  readonly writerPeak?: number;
}

export const neverPoll: PollPolicy = { afterReadUs: 0, forReplyUs: 0 };

function peakMemory(): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"));
  return Number(line?.[1]) * 1024;
}

function say(message: unknown): void {
  process.send?.(message);
}

function serve(port: Port): void {
  let records = 0;
  let bad = 0;
  const { rx, tx } = port;
  port.onReadable(() => {
    for (let word = rx.next(); word >= 0; word = rx.next()) {
      const head = rx.u32[word + 1] as number;
      const opcode = head & 0xffff;
      if (opcode === QUERY) {
        const to = tx.begin(32);
        tx.u32[to] = 32;
        tx.u32[to + 1] = QUERY;
        tx.u32[to + 2] = records;
        tx.u32[to + 3] = bad;
        tx.f64[to / 2 + 2] = peakMemory();
        tx.flush();
      } else if (opcode === END) {
        process.kill(process.pid, head >>> 16 === 1 ? "SIGKILL" : "SIGSTOP");
      } else {
        if (!isIntact(rx, word, records, "fast")) bad++;
        records++;
      }
      rx.done();
    }
  });
}

/** Asks the reader at the other end what it saw. */
export function ask(port: Port): Promise<Report> {
  return new Promise((resolve, reject) => {
    port.onClose(reject);
    port.onReadable(() => {
      const { rx } = port;
      const word = rx.next();
      if (word < 0) return;
      const report = {
        records: rx.u32[word + 2] as number,
        bad: rx.u32[word + 3] as number,
        readerPeak: rx.f64[word / 2 + 2] as number,
      };
      rx.done();
      resolve(report);
    });
    const word = port.tx.begin(16);
    port.tx.u32[word] = 16;
    port.tx.u32[word + 1] = QUERY;
    port.tx.flush();
    port.expectReply();
  });
}

/** Writes records of `bytes` until `total` is reached, without ever giving the event loop a turn. @returns how many */
export function writeMany(port: Port, bytes: number, total: number): number {
  let records = 0;
  for (let written = 0; written < total; written += bytes) {
    fillFast(port.tx, port.tx.begin(bytes), records++, bytes);
    if (records % 8 === 0) port.tx.flush();
  }
  port.tx.flush();
  return records;
}

async function main(
  role: string,
  way: Way,
  endpoint: ConnectQueueOptions["endpoint"],
  argument: string,
): Promise<void> {
  const provider = way === "shared-memory" ? sharedMemory : undefined;
  if (role === "reader") {
    const options = argument === "sleepy" ? { poll: neverPoll } : {};
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      server.close();
      void acceptQueue(socket, {
        authorize: () => ({ outcome: "granted" }),
        sharedMemory: provider,
        ...options,
      }).then((port) => {
        port.ref();
        port.onClose(() => process.disconnect());
        serve(port);
      });
    });
    server.listen(endpoint, () => say(server.address()));
    return;
  }
  if (role === "idle" && way === "in-process") {
    const [client, engine] = createInProcessPair();
    if (argument === "ref") client.ref();
    engine.onClose(() => say("closed"));
    setTimeout(() => engine.close(), 200).unref();
    return;
  }
  const port = await connectQueue({ endpoint, token, sharedMemory: provider });
  if (role === "idle") {
    if (argument === "ref") port.ref();
    port.onClose(() => say("closed"));
    say("ready");
    // The channel to the parent shall not be what keeps this process alive.
    process.channel?.unref();
    return;
  }
  port.ref();
  const records = writeMany(port, 1 << 20, Number(argument));
  const report: Report = await ask(port);
  say({ ...report, writerPeak: peakMemory(), written: records, carrier: port.carrier });
  port.close();
  process.disconnect();
}

const [, self, role, way, endpoint, argument] = process.argv;
if (self?.endsWith("peer.test.fixture.js") && role !== undefined)
  await main(
    role,
    way as Way,
    JSON.parse(endpoint ?? "null") as ConnectQueueOptions["endpoint"],
    argument ?? "",
  );
