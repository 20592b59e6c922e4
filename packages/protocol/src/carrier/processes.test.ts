/** Queues between processes: synchronous writers, dying peers, bounded memory, exits. */
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isPortClosedError, isPortStalledError } from "./errors.js";
import { acceptQueue } from "./handshake/accept.js";
import { connectQueue } from "./handshake/connect.js";
import type { ConnectQueueOptions, QueueOptions } from "./handshake/queue-options.js";
import {
  carrierOf,
  closed,
  listen,
  sharedMemory,
  skipReason,
  token,
  type Way,
  ways,
  waysBetweenProcesses,
} from "./pairs.test.fixture.js";
import { ask, neverPoll, type Report, writeMany } from "./peer.test.fixture.js";
import type { Port } from "./port.js";
import { END } from "./records.test.fixture.js";

/** Far beyond what any of these needs; a lost wake-up shall fail, not hang. In milliseconds. */
const timeout = 60_000;

const MiB = 1024 * 1024;
/** A process that does nothing but run Node stands at 45 to 60 MiB; the rings of a shared queue add 48, of a stream 16, and count in full. */
const PEAK_MEMORY_LIMIT = 160 * MiB;
const FLOOD_BYTES = 2048 * MiB;

type Endpoint = ConnectQueueOptions["endpoint"];
const peerFile = fileURLToPath(new URL("./peer.test.fixture.js", import.meta.url));

function start(
  context: TestContext,
  role: string,
  way: Way,
  endpoint: Endpoint | null,
  argument = "",
): ChildProcess {
  const child = fork(peerFile, [role, way, JSON.stringify(endpoint), argument], { execArgv: [] });
  context.after(() => child.kill("SIGKILL"));
  return child;
}

async function startReader(
  context: TestContext,
  way: Way,
  argument = "",
): Promise<{ child: ChildProcess; endpoint: Endpoint }> {
  const directory = mkdtempSync(join(tmpdir(), "parhelion-peer-"));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "q0");
  const child = start(
    context,
    "reader",
    way,
    way === "stream-tcp" ? { host: "127.0.0.1", port: 0 } : { path },
    argument,
  );
  const [address] = (await once(child, "message")) as [AddressInfo | string];
  return {
    child,
    endpoint: typeof address === "string" ? { path: address } : { host: "127.0.0.1", port: address.port },
  };
}

function connect(way: Way, endpoint: Endpoint, options: QueueOptions = {}): Promise<Port> {
  const provider = way === "shared-memory" ? sharedMemory : undefined;
  return connectQueue({ endpoint, token, sharedMemory: provider, ...options });
}

/** Tells the reader to end itself, then writes until begin throws. */
function writeAfterEnd(port: Port, how: "kill" | "stop"): unknown {
  const word = port.tx.begin(16);
  port.tx.u32[word] = 16;
  port.tx.u32[word + 1] = END | ((how === "kill" ? 1 : 2) << 16);
  port.tx.flush();
  try {
    writeMany(port, MiB, 1024 * MiB);
  } catch (error) {
    return error;
  }
  return undefined;
}

for (const way of waysBetweenProcesses) {
  const skip = skipReason(way);

  test(`${way}: a synchronous loop writes many rings' worth to another process`, {
    skip,
  }, async (context) => {
    const { endpoint, child } = await startReader(context, way);
    const port = await connect(way, endpoint);
    assert.equal(port.carrier, carrierOf(way));
    port.ref();
    const records = writeMany(port, 4104, 128 * MiB);
    const report = await ask(port);
    assert.equal(report.records, records);
    assert.equal(report.bad, 0);
    const exit = once(child, "exit");
    port.close();
    await exit;
  });

  test(`${way}: ends that go to sleep at once are woken every time`, { skip, timeout }, async (context) => {
    const { endpoint } = await startReader(context, way, "sleepy");
    const port = await connect(way, endpoint, { poll: neverPoll });
    port.ref();
    for (let i = 0; i < 5000; i++) await ask(port);
    const end = closed(port);
    port.close();
    await end;
  });

  test(`${way}: 2 GiB in a synchronous loop leave both processes small`, {
    skip,
    timeout,
  }, async (context) => {
    const { endpoint } = await startReader(context, way);
    const writer = start(context, "writer", way, endpoint, String(FLOOD_BYTES));
    const [report] = (await once(writer, "message")) as [
      Required<Report> & { written: number; carrier: string },
    ];
    assert.equal(report.carrier, carrierOf(way));
    assert.equal(report.records, report.written);
    assert.equal(report.bad, 0);
    for (const peak of [report.readerPeak, report.writerPeak])
      assert.ok(
        peak < PEAK_MEMORY_LIMIT,
        `peak ${Math.round(peak / MiB)} MiB, the limit is ${PEAK_MEMORY_LIMIT / MiB}`,
      );
    context.diagnostic(
      `peak memory: reader ${Math.round(report.readerPeak / MiB)} MiB, writer ${Math.round(report.writerPeak / MiB)} MiB`,
    );
  });

  test(`${way}: a reader that is killed ends a blocked begin`, { skip, timeout }, async (context) => {
    const { endpoint } = await startReader(context, way);
    const port = await connect(way, endpoint);
    port.ref();
    const error = writeAfterEnd(port, "kill");
    assert.ok(isPortClosedError(error) && error.code === "peer-closed", String(error));
    assert.equal(await closed(port), error);
  });

  test(`${way}: a reader that stands still makes begin give up, and the port stays usable`, {
    skip,
  }, async (context) => {
    const { endpoint, child } = await startReader(context, way);
    const port = await connect(way, endpoint, { stallMs: 150 });
    port.ref();
    const error = writeAfterEnd(port, "stop");
    assert.ok(isPortStalledError(error) && error.code === "stalled", String(error));
    assert.equal(port.state, "open");
    child.kill("SIGCONT");
    const { bad } = await ask(port);
    assert.equal(bad, 0);
    const end = closed(port);
    port.close();
    await end;
  });
}

for (const way of ways) {
  const skip = skipReason(way);

  for (const hold of ["unref", "ref"] as const) {
    const what =
      hold === "ref"
        ? "a ref'ed port keeps its process alive until it closes"
        : "an idle port lets its process exit";
    test(`${way}: ${what}`, { skip, timeout }, async (context) => {
      let engine: Port | undefined;
      const listening = await listen(way, (socket) => {
        void acceptQueue(socket, {
          authorize: () => ({ outcome: "granted" }),
          sharedMemory: way === "shared-memory" ? sharedMemory : undefined,
        }).then((port) => {
          engine = port;
        });
      });
      try {
        const child = start(context, "idle", way, listening.endpoint, hold);
        const said: unknown[] = [];
        child.on("message", (message) => said.push(message));
        const exit = once(child, "exit");
        if (way !== "in-process") {
          await once(child, "message");
          if (hold === "ref") {
            await new Promise((resolve) => setTimeout(resolve, 100));
            assert.equal(child.exitCode, null);
            engine?.close();
          }
        }
        const [code] = (await exit) as [number];
        assert.equal(code, 0);
        assert.equal(said.includes("closed"), hold === "ref");
      } finally {
        engine?.close();
        listening.close();
      }
    });
  }
}
