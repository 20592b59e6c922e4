import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import koffi from "koffi";
import { DescriptorIntake, descriptorOf } from "./intake.js";
import { type KoffiModule, Libc } from "./libc.js";

test("a client that sends without end leaves others their turn", async () => {
  const directory = mkdtempSync(join(tmpdir(), "parhelion-intake-"));
  const path = join(directory, "socket");
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const far = connect(path);
  const near = await accepted;
  const most = 10_000;
  let pieces = 0;
  let turn = 0;
  const intake = new DescriptorIntake(new Libc(koffi as unknown as KoffiModule), near);
  const seen = new Promise<void>((resolve) =>
    intake.start({
      piece: () => {
        pieces += 1;
        if (pieces === 1) setImmediate(() => (turn = pieces));
        // There is more as soon as something was taken.
        if (pieces < most) writeSync(descriptorOf(far), "more");
        else resolve();
      },
      ended: () => undefined,
    }),
  );
  far.write("some");
  await seen;
  assert.ok(turn > 0 && turn < most, `somebody else had a turn after ${turn} pieces`);
  far.destroy();
  await intake.stop();
  near.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  rmSync(directory, { recursive: true });
});
