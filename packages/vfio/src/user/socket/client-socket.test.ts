import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createRuntime } from "parhelion-core";
import { ClientSocket } from "./client-socket.js";
import { PlainIntake } from "./intake.js";

test("nothing more is taken of a client that can't be followed, not even by whoever has room again", async () => {
  const directory = mkdtempSync(join(tmpdir(), "parhelion-client-socket-"));
  const path = join(directory, "socket");
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const far = connect(path);
  const near = await accepted;
  const client = new ClientSocket(createRuntime(), near, new PlainIntake(near), 1024, () => undefined);
  const broken = new Promise<void>((resolve) =>
    client.start({ frame: () => undefined, broken: () => resolve(), ended: () => undefined }),
  );
  // Sixteen bytes of header that say that there are none.
  far.write(Buffer.alloc(16));
  await broken;
  const paused = [near.isPaused()];
  client.resume();
  paused.push(near.isPaused());
  far.destroy();
  await client.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  rmSync(directory, { recursive: true });
  assert.deepEqual(paused, [true, true]);
});
