/** Where a server listens: what is in the way, and who may come. */
import assert from "node:assert/strict";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { listenAt } from "./listen.js";

function place(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "parhelion-listen-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** A socket's file whose server is gone. */
async function leave(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}-`, resolve));
  renameSync(`${path}-`, path);
  await closed(server);
}

test("nobody else may connect, not even between its beginning and its end", async (t) => {
  const path = join(place(t), "socket");
  const modes: number[] = [];
  const server = createServer();
  server.once("listening", () => modes.push(lstatSync(path).mode & 0o077));
  const before = process.umask(0);
  t.after(() => process.umask(before));
  await listenAt(server, path);
  assert.deepEqual(modes, [0]);
  assert.equal(lstatSync(path).mode & 0o777, 0o600);
  assert.equal(process.umask(), 0, "it is as it was");
  await closed(server);
});

test("a socket that was left behind is taken over, and of several who want it one gets it", async (t) => {
  const directory = place(t);
  const path = join(directory, "socket");
  await leave(path);
  const servers = Array.from({ length: 5 }, () => createServer((socket) => socket.end("here")));
  const wanted = await Promise.allSettled(servers.map((server) => listenAt(server, path)));
  const refused = wanted.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
  assert.deepEqual(
    refused.map(({ reason }) => reason.code),
    Array(4).fill("EBUSY"),
  );
  const heard = await new Promise((resolve) => connect(path).once("data", resolve));
  assert.equal(String(heard), "here");
  assert.deepEqual(readdirSync(directory), ["socket"], "nothing else is left");
  for (const server of servers) if (server.listening) await closed(server);
});

test("what is no socket, or answers, stays", async (t) => {
  const directory = place(t);
  const [file, folder, link, alive] = ["file", "folder", "link", "alive"].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  writeFileSync(file, "a file");
  mkdirSync(folder);
  symlinkSync(file, link);
  const server = createServer();
  await listenAt(server, alive);
  for (const path of [file, folder, link, alive])
    await assert.rejects(listenAt(createServer(), path), { code: "EBUSY" });
  assert.equal(readFileSync(link, "utf8"), "a file");
  assert.deepEqual(readdirSync(directory).sort(), ["alive", "file", "folder", "link"]);
  await closed(server);
});

test("a path that can't be one is refused before anything is made", async (t) => {
  const directory = place(t);
  await assert.rejects(listenAt(createServer(), ""), { code: "ENAMETOOLONG" });
  await assert.rejects(listenAt(createServer(), join(directory, "a".repeat(200))), { code: "ENAMETOOLONG" });
  await assert.rejects(listenAt(createServer(), join(directory, "a\0b")), { code: "EINVAL" });
  await assert.rejects(listenAt(createServer(), "\0abstract"), { code: "EINVAL" });
  await assert.rejects(listenAt(createServer(), join(directory, "none", "socket")), { code: "EACCES" });
  assert.deepEqual(readdirSync(directory), []);
});

test("a connection that can't be had ends nothing", async (t) => {
  const path = join(place(t), "socket");
  const server = createServer();
  const told: Error[] = [];
  await listenAt(server, path, (error) => told.push(error));
  const error = Object.assign(new Error("accept EMFILE"), { code: "EMFILE" });
  server.emit("error", error);
  server.emit("error", error);
  assert.deepEqual(told, [error, error]);
  await closed(server);
  const quiet = createServer();
  await listenAt(quiet, path);
  quiet.emit("error", error);
  await closed(quiet);
});
