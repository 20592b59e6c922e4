import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type LogRecord, systemClock } from "parhelion-core";
import { AdminClient, AdminError } from "./admin/admin-client.js";
import type { AdapterKind, EngineLauncher } from "./engines/launcher.js";
import type { CreatedGuest } from "./guests/guests.js";
import { type Host, startHost } from "./host.js";
import { HostError, type HostErrorCode } from "./host-error.js";
import type { HostOptions } from "./host-options.js";
import type { HostStatus } from "./status.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };

const entry = new URL("./engines/scripted-engine.test.fixture.js", import.meta.url).pathname;

/** What the scripted child does for each kind of adapter. */
function launcher(behaviour: Partial<Record<AdapterKind, string>> = {}): EngineLauncher {
  return {
    entry,
    environmentFor: async (kind) => {
      if (behaviour[kind] === "unavailable") throw new Error(`${kind} is not available here`);
      return { BEHAVIOUR: behaviour[kind] ?? "good" };
    },
  };
}

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "ph-"));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function withHost(
  run: (host: Host, log: LogRecord[]) => Promise<void>,
  options: Partial<HostOptions> = {},
): Promise<void> {
  await inDirectory(async (stateDirectory) => {
    const log: LogRecord[] = [];
    const host = await startHost({
      launcher: launcher(),
      stateDirectory,
      store: "memory",
      adapter: "software",
      log: (record) => log.push(record),
      ...options,
    });
    try {
      await run(host, log);
    } finally {
      await host.stop();
    }
    assert.deepEqual(await readdir(stateDirectory), []);
    assert.deepEqual(
      log.filter(({ level }) => level === "warn" || level === "error"),
      [],
    );
  });
}

function failure(code: HostErrorCode, ...words: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HostError, String(error));
    assert.equal(error.code, code);
    for (const word of words) assert.ok(error.message.includes(word), error.message);
    return true;
  };
}

test("a host starts, says what it has, and stops without a trace", limit, () =>
  withHost(async (host) => {
    const admin = await AdminClient.connect(host.adminSocket, systemClock);
    const status = (await admin.request("status")) as HostStatus;
    assert.equal(status.pid, process.pid);
    const [adapter, ...others] = status.adapters;
    assert.deepEqual(
      [adapter?.name, adapter?.presence, adapter?.kind, adapter?.description, adapter?.fallback, others],
      ["adapter0", "present", "software", "scripted", true, []],
    );
    const { memory, left } = adapter ?? {};
    assert.deepEqual([memory?.source, left?.memoryBytes, left?.share], ["assumed", memory?.bytes, 1]);
    assert.deepEqual([status.slices, status.guests, status.listening], [[], [], null]);
    assert.equal((await stat(host.vmbusSocket)).mode & 0o777, 0o600);
    admin.close();
  }),
);

test(
  "a second host on the same directory is refused, a third one after the first has stopped is not",
  limit,
  () =>
    withHost(async (host) => {
      const options = { launcher: launcher(), stateDirectory: host.stateDirectory, adapter: "software" };
      await assert.rejects(startHost(options), failure("host-already-running", String(process.pid)));
      await host.stop();
      await (await startHost(options)).stop();
    }),
);

test("a guest has a directory, a credential and a slice, and leaves none of them", limit, () =>
  withHost(async (host) => {
    const admin = await AdminClient.connect(host.adminSocket, systemClock);
    const a = (await admin.request("guestCreate", { name: "one" })) as CreatedGuest;
    const b = (await admin.request("guestCreate", { slices: 2 })) as CreatedGuest;
    assert.match(a.credential, /^[0-9a-f]{64}$/);
    assert.notEqual(a.credential, b.credential);
    assert.equal(a.vmbus, host.vmbusSocket);
    assert.equal((await stat(a.directory)).mode & 0o777, 0o700);
    const { guests, slices } = (await admin.request("status")) as HostStatus;
    assert.deepEqual(
      guests.map(({ id, name, slices: { length }, connection }) => [id, name, length, connection]),
      [
        [a.id, "one", 1, "none"],
        [b.id, "", 2, "none"],
      ],
    );
    assert.equal(new Set(slices.map(({ uuid }) => uuid)).size, 3);
    assert.equal(new Set(slices.map(({ generation }) => generation)).size, 3);
    for (const slice of slices) assert.equal(slice.engine.state, "stopped");
    await admin.request("guestRemove", { id: a.id });
    await assert.rejects(stat(a.directory), { code: "ENOENT" });
    await assert.rejects(
      admin.request("guestRemove", { id: a.id }),
      (error) => error instanceof AdminError && error.code === "guest-unknown",
    );
    assert.equal((await host.status()).slices.length, 2);
    admin.close();
  }),
);

test("guests beyond the limit are refused with the rule", limit, () =>
  withHost(
    async (host) => {
      await host.guestCreate();
      await assert.rejects(host.guestCreate(), failure("limit-reached", "guests is 1"));
      await assert.rejects(host.guestCreate({ slices: Array(99).fill({}) }), failure("limit-reached"));
    },
    { limits: { guests: 1 } },
  ),
);

test("creations and removals that race with each other and with the stop leave nothing", limit, () =>
  withHost(async (host) => {
    const made = await Promise.all([
      host.guestCreate(),
      host.guestCreate(),
      host.guestCreate({ slices: Array(4).fill({}) }),
    ]);
    const racing = [
      ...made.map(({ id }) => host.guestRemove(id)),
      ...made.map(({ id }) => host.guestRemove(id)),
      host.guestCreate({ slices: Array(3).fill({}) }),
      host.stop(),
      host.guestCreate(),
    ];
    const outcomes = await Promise.allSettled(racing);
    const last = outcomes.at(-1);
    assert.equal(last?.status === "rejected" && last.reason.code, "host-stopping");
    await host.stopped;
  }),
);

test(
  "shutdown over the admin socket is answered, and the connection ends when the host has stopped",
  limit,
  () =>
    withHost(async (host) => {
      const admin = connect(host.adminSocket);
      admin.write('{"id":1,"method":"shutdown"}\n');
      let text = "";
      for await (const chunk of admin) text += String(chunk);
      assert.deepEqual(JSON.parse(text), { id: 1, result: {} });
      assert.deepEqual(await readdir(host.stateDirectory), []);
      await host.stopped;
    }),
);

test("the best adapter is the hardware if it answers, else the software", limit, async () => {
  const kindWith = (behaviour: Partial<Record<AdapterKind, string>>, adapter = "best") =>
    inDirectory(async (stateDirectory) => {
      const host = await startHost({ launcher: launcher(behaviour), stateDirectory, adapter });
      const [found] = (await host.status()).adapters;
      await host.stop();
      assert.equal(
        found?.kind,
        behaviour.hardware === "hardware" ? "hardware" : adapter === "null" ? "null" : "software",
      );
    });
  await kindWith({ hardware: "hardware" });
  await kindWith({ hardware: "hardware" }, "SCRIPT");
  await kindWith({ hardware: "good" });
  await kindWith({ hardware: "failed" });
  await kindWith({ hardware: "exit-at-once" }, "scripted");
  await kindWith({}, "null");
});

test("without any usable adapter the start fails, names every attempt, and leaves nothing", limit, () =>
  inDirectory(async (stateDirectory) => {
    const start = (adapter: string) =>
      startHost({
        launcher: launcher({ hardware: "failed", software: "unavailable" }),
        stateDirectory,
        adapter,
      });
    await assert.rejects(
      start("best"),
      failure("no-adapter", "no adapter at all", "software is not available here"),
    );
    await assert.rejects(start("hardware"), failure("no-adapter", "no adapter at all"));
    assert.deepEqual(await readdir(stateDirectory), []);
    const other = startHost({ launcher: launcher(), stateDirectory, adapter: "nvidia" });
    await assert.rejects(other, failure("no-adapter", "has another name"));
    assert.deepEqual(await readdir(stateDirectory), []);
  }),
);

test("a state directory too long for its guests' sockets is refused at the start", limit, () =>
  inDirectory(async (directory) => {
    const stateDirectory = join(directory, "x".repeat(90));
    await assert.rejects(
      startHost({ launcher: launcher(), stateDirectory }),
      failure("socket-path-too-long", "107"),
    );
  }),
);

test("a port in use is refused and nothing is left", limit, () =>
  withHost(
    async (host) => {
      assert.ok(host.address);
      const { port } = host.address;
      await inDirectory(async (stateDirectory) => {
        const second = startHost({
          launcher: launcher(),
          stateDirectory,
          adapter: "software",
          listen: { port },
        });
        await assert.rejects(second, failure("listen-failed", String(port)));
        assert.deepEqual(await readdir(stateDirectory), []);
      });
    },
    { listen: { port: 0 } },
  ),
);
