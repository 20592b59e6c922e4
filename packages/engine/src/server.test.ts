import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { MAX_SOCKET_PATH_BYTES } from "./limits.js";
import { Refusal } from "./refusal.js";
import { listenForQueues } from "./server.js";

const directory = mkdtempSync(join(tmpdir(), "parhelion-server-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const listen = (path: string, onConnection: () => void = () => undefined) =>
  listenForQueues({ path, connections: 4, onConnection });

const isBadPath = (error: unknown) => error instanceof Refusal && error.code === "bad-queue-path";

describe("the queue server", () => {
  it("makes a socket for this user only, and removes it", async () => {
    const path = join(directory, "plain");
    const server = await listen(path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    server.close();
    server.close();
    assert.equal(existsSync(path), false);
  });

  it("takes the place of a socket whose owner was killed", async () => {
    const path = join(directory, "stale");
    const first = createServer().listen(path);
    await new Promise((resolve) => first.once("listening", resolve));
    const connected = new Promise<void>((resolve) => {
      void listen(path, () => resolve()).then((server) => {
        const client = connect(path, () => undefined);
        void connected.then(() => {
          client.destroy();
          server.close();
        });
      });
    });
    await connected;
    first.close();
  });

  it("refuses a path that is too long, not absolute, or in use by something else", async () => {
    await assert.rejects(listen(`/${"x".repeat(MAX_SOCKET_PATH_BYTES)}`), isBadPath);
    await assert.rejects(listen("relative"), isBadPath);
    await assert.rejects(listen(join(directory, "nowhere", "socket")), isBadPath);
    const file = join(directory, "file");
    writeFileSync(file, "precious");
    await assert.rejects(listen(file), isBadPath);
    assert.ok(existsSync(file));
  });
});
