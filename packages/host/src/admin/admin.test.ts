import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createRuntime, systemClock } from "parhelion-core";
import { HostError } from "../host-error.js";
import { AdminClient, AdminError } from "./admin-client.js";
import { type AdminMethod, AdminServer } from "./admin-server.js";
import { maxAdminLine } from "./json-lines.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };

const methods: Readonly<Record<string, AdminMethod>> = {
  echo: async (params) => params,
  refuse: async () => {
    throw new HostError("guest-unknown", "no such guest", { details: { guest: "x" } });
  },
  break: async () => {
    throw new Error("a bug");
  },
  never: () => new Promise(() => undefined),
};

async function serving(run: (path: string, client: AdminClient) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "ph-admin-"));
  const path = join(directory, "admin.sock");
  const server = await AdminServer.listen({
    path,
    methods,
    runtime: createRuntime(),
    maxConnections: 8,
    maxRequests: 4,
  });
  const client = await AdminClient.connect(path, systemClock);
  try {
    await run(path, client);
  } finally {
    client.close();
    await server.close();
    assert.deepEqual(await readdir(directory), []);
    await rm(directory, { recursive: true });
  }
}

/** What the server answers to these bytes until it, or this end after the first line, closes. */
async function answerTo(path: string, bytes: Buffer | string): Promise<string> {
  const socket = connect(path);
  await once(socket, "connect");
  socket.end(bytes);
  let text = "";
  socket.setEncoding("utf8");
  for await (const chunk of socket) text += String(chunk);
  return text;
}

test("a method's result comes back under the request's id, in any order", limit, () =>
  serving(async (_path, client) => {
    const answers = await Promise.all([client.request("echo", { a: 1 }), client.request("echo", { b: [2] })]);
    assert.deepEqual(answers, [{ a: 1 }, { b: [2] }]);
  }),
);

test(
  "a refusal keeps its code and fields, an unknown method and a broken one have codes of their own",
  limit,
  () =>
    serving(async (_path, client) => {
      await assert.rejects(client.request("refuse"), (error) => {
        assert.ok(error instanceof AdminError);
        assert.equal(error.code, "guest-unknown");
        assert.equal(error.fields["guest"], "x");
        return true;
      });
      const code = (expected: string) => (error: unknown) =>
        error instanceof AdminError && error.code === expected;
      await assert.rejects(client.request("toString"), code("unknown-method"));
      await assert.rejects(client.request("break"), code("internal"));
      assert.deepEqual(await client.request("echo"), {});
    }),
);

test("malformed lines are answered with an error and the connection goes on", limit, () =>
  serving(async (path) => {
    const bad = [
      "{",
      "[]",
      "1",
      "{}",
      '{"method":1}',
      '{"method":"echo","params":[]}',
      '{"method":"echo","id":{}}',
    ];
    const text = await answerTo(path, `${bad.join("\n")}\n\n`);
    const answers = text.trim().split("\n");
    assert.equal(answers.length, bad.length);
    for (const line of answers) {
      const { error } = JSON.parse(line) as { error: { code: string } };
      assert.match(error.code, /^(bad-request|limit-reached)$/);
    }
  }),
);

test("a line without end is refused and its connection closed", limit, () =>
  serving(async (path, client) => {
    const text = await answerTo(path, "x".repeat(maxAdminLine + 1));
    assert.match(text, /bad-request/);
    assert.deepEqual(await client.request("echo"), {});
  }),
);

test("random bytes never stop the server", limit, () =>
  serving(async (path, client) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await answerTo(path, Buffer.concat([bytes, Buffer.from("\n")]));
        assert.deepEqual(await client.request("echo", { ok: 1 }), { ok: 1 });
      }),
      { numRuns: 50 },
    );
  }),
);

test("requests beyond the limit of one connection are refused, others settle when the host goes", limit, () =>
  serving(async (path) => {
    const client = await AdminClient.connect(path, systemClock);
    const waiting = [1, 2, 3, 4].map(() => client.request("never"));
    const fifth = client.request("echo");
    await assert.rejects(fifth, (error) => error instanceof AdminError && error.code === "limit-reached");
    client.close();
    for (const each of waiting) await assert.rejects(each, /closed/);
    await assert.rejects(client.request("echo"), /closed/);
  }),
);

test("connections that ask nothing keep nobody out; those that do are refused beyond the limit", limit, () =>
  serving(async (path, first) => {
    await first.request("echo");
    const idle = Array.from({ length: 50 }, () => connect(path).on("error", () => undefined));
    await Promise.all(idle.map((socket) => once(socket, "connect")));
    const asking: AdminClient[] = [];
    for (let i = 0; i < 7; i++) {
      const client = await AdminClient.connect(path, systemClock);
      asking.push(client);
      assert.deepEqual(await client.request("echo", { i }), { i });
    }
    const ninth = await AdminClient.connect(path, systemClock);
    await assert.rejects(
      ninth.request("echo"),
      /adminConnections is 8.*close some that have asked something, or raise it/,
    );
    assert.deepEqual(await first.request("echo"), {});
    for (const client of asking) client.close();
    for (const socket of idle) socket.destroy();
  }),
);

test("a request that is not answered in time settles", limit, () =>
  serving(async (_path, client) => {
    const late = client.request("never", {}, 20);
    await assert.rejects(late, (error) => error instanceof HostError && error.code === "host-gone");
  }),
);

test("only the owner may open the socket, and a second server on it is refused", limit, () =>
  serving(async (path) => {
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const again = AdminServer.listen({
      path,
      methods,
      runtime: createRuntime(),
      maxConnections: 1,
      maxRequests: 1,
    });
    await assert.rejects(again, (error) => error instanceof HostError && error.code === "listen-failed");
  }),
);

test("nobody at the path is an error that names it", limit, async () => {
  await assert.rejects(AdminClient.connect("/nowhere/admin.sock", systemClock), /\/nowhere\/admin\.sock/);
});
