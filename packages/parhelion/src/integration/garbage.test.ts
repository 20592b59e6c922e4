import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { squares, untilLost } from "./programs.test.fixture.js";
import { application, inWorld } from "./world.test.fixture.js";

const limit = { timeout: 300_000 };

/** Sends the bytes and waits until the other end, which may answer, has closed. */
async function disturb(path: string, bytes: Uint8Array): Promise<void> {
  const socket = connect(path);
  socket.on("error", () => undefined);
  socket.resume();
  socket.end(bytes);
  if (!socket.closed) await once(socket, "close");
}

test("garbage on every socket there is disturbs nobody", limit, () =>
  inWorld(
    async (world) => {
      const { created } = await world.guest();
      const program = application(created.directory, untilLost);
      await program.line("working");
      const names = (await readdir(created.directory)).filter((name) => name !== "attributes.json");
      const sockets = [
        world.host.adminSocket,
        world.host.vmbusSocket,
        ...names.map((name) => join(created.directory, name)),
      ];
      // Sizes that a frame could have, so that the bytes behind them are looked at too.
      const size = fc.integer({ min: 8, max: 64 });
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...sockets),
          size,
          fc.uint8Array({ maxLength: 60 }),
          async (path, head, bytes) => {
            const framed = Buffer.alloc(4 + bytes.length);
            framed.writeUInt32LE(head, 0);
            framed.set(bytes, 4);
            await disturb(path, bytes);
            await disturb(path, framed);
          },
        ),
        { numRuns: 150 },
      );
      const next = application(created.directory, squares);
      await next.line("squares");
      await next.end();
      await world.host.guestRemove(created.id);
      await program.line("lost");
      await program.end();
    },
    { expects: ["guest.refused"] },
  ),
);
