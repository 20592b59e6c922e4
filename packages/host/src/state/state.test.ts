import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "parhelion-core";
import { HostError, type HostErrorCode } from "../host-error.js";
import { acquireHostLock } from "./host-lock.js";
import { checkSocketPath, clearStaleSocket, examineSocket, maxSocketPathBytes } from "./socket-path.js";
import { defaultStateDirectory, prepareStateDirectory } from "./state-directory.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };

async function inTemporaryDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "ph-state-"));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function refusal(code: HostErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof HostError && error.code === code;
}

test(
  "the default state directory follows XDG_RUNTIME_DIR and falls back to one per user in /tmp",
  limit,
  () => {
    assert.equal(
      defaultStateDirectory({ environment: { XDG_RUNTIME_DIR: "/run/user/7" } }),
      "/run/user/7/parhelion",
    );
    assert.equal(defaultStateDirectory({ environment: {}, uid: 7 }), "/tmp/parhelion-7");
    assert.equal(
      defaultStateDirectory({ environment: { XDG_RUNTIME_DIR: "x" }, uid: 7 }),
      "/tmp/parhelion-7",
    );
  },
);

test("a new state directory is the owner's alone, and an existing one is narrowed", limit, () =>
  inTemporaryDirectory(async (directory) => {
    const fresh = await prepareStateDirectory(join(directory, "a", "b"));
    assert.equal((await stat(fresh)).mode & 0o777, 0o700);
    const wide = join(directory, "wide");
    await mkdir(wide);
    await chmod(wide, 0o755);
    await prepareStateDirectory(wide);
    assert.equal((await stat(wide)).mode & 0o777, 0o700);
  }),
);

test("a state directory of somebody else, a link and a file are refused", limit, () =>
  inTemporaryDirectory(async (directory) => {
    const uid = (process.geteuid?.() ?? 0) + 1;
    await assert.rejects(prepareStateDirectory(directory, { uid }), refusal("state-directory-foreign"));
    await symlink(directory, join(directory, "link"));
    await assert.rejects(prepareStateDirectory(join(directory, "link")), refusal("state-directory-unusable"));
    await writeFile(join(directory, "file"), "");
    await assert.rejects(prepareStateDirectory(join(directory, "file")), refusal("state-directory-unusable"));
    await assert.rejects(
      prepareStateDirectory(join(directory, "file", "x")),
      refusal("state-directory-unusable"),
    );
  }),
);

test(
  "a second host on the same directory is refused with the first one's pid, also through a link",
  limit,
  () =>
    inTemporaryDirectory(async (directory) => {
      const lock = await acquireHostLock(directory, systemClock);
      await symlink(directory, `${directory}-link`);
      try {
        for (const path of [directory, `${directory}-link`]) {
          await assert.rejects(acquireHostLock(path, systemClock), (error) => {
            assert.ok(error instanceof HostError);
            assert.equal(error.code, "host-already-running");
            assert.equal(error.details["pid"], process.pid);
            return true;
          });
        }
      } finally {
        await lock.release();
        await rm(`${directory}-link`);
      }
      await (await acquireHostLock(directory, systemClock)).release();
    }),
);

test("two directories have two locks", limit, () =>
  inTemporaryDirectory(async (directory) => {
    await mkdir(join(directory, "other"));
    const locks = [
      await acquireHostLock(directory, systemClock),
      await acquireHostLock(join(directory, "other"), systemClock),
    ];
    for (const lock of locks) await lock.release();
  }),
);

test("a lock whose holder was killed is free", limit, () =>
  inTemporaryDirectory(async (directory) => {
    const module = new URL("./host-lock.js", import.meta.url).href;
    const program = `import { acquireHostLock } from ${JSON.stringify(module)};
      import { systemClock } from "parhelion-core";
      await acquireHostLock(${JSON.stringify(directory)}, systemClock);
      setInterval(() => {}, 1000); console.log("held");`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", program], {
      cwd: new URL("..", import.meta.url).pathname,
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    await assert.rejects(acquireHostLock(directory, systemClock), (error) => {
      assert.ok(error instanceof HostError);
      assert.equal(error.details["pid"], holder.pid);
      return true;
    });
    holder.kill("SIGKILL");
    await once(holder, "exit");
    await (await acquireHostLock(directory, systemClock)).release();
  }),
);

test("a socket file is absent, stale or alive, and only a stale one is cleared", limit, () =>
  inTemporaryDirectory(async (directory) => {
    const path = join(directory, "s");
    assert.equal(await examineSocket(path, systemClock), "absent");
    await writeFile(path, "");
    assert.equal(await clearStaleSocket(path, systemClock), "stale");
    const server = createServer((socket) => socket.destroy()).listen(path);
    await once(server, "listening");
    assert.equal(await clearStaleSocket(path, systemClock), "alive");
    assert.equal(await examineSocket(path, systemClock), "alive");
    server.close();
    await once(server, "close");
    assert.equal(await examineSocket(path, systemClock), "absent");
  }),
);

test("a path too long for a Unix socket is refused, the longest one is not", limit, () => {
  const longest = `/${"x".repeat(maxSocketPathBytes - 1)}`;
  assert.equal(checkSocketPath(longest), longest);
  assert.throws(() => checkSocketPath(`${longest}x`), refusal("socket-path-too-long"));
  assert.throws(
    () => checkSocketPath(`/${"ä".repeat(maxSocketPathBytes / 2)}x`),
    refusal("socket-path-too-long"),
  );
});
