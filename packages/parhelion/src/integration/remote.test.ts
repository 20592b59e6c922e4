import assert from "node:assert/strict";
import { test } from "node:test";
import { startGuestKernel } from "parhelion-guest";
import { squares, untilLost } from "./programs.test.fixture.js";
import { application, inDirectory, inWorld, until } from "./world.test.fixture.js";

const limit = { timeout: 300_000 };

test(
  "a guest that reaches its host by TCP alone works as a local one, and hears as well when it ends",
  limit,
  () =>
    inWorld(
      async (world) => {
        const { host } = world;
        assert.ok(host.address);
        const created = await host.guestCreate();
        await inDirectory(async (directory) => {
          const kernel = await startGuestKernel({
            connect: { host: "127.0.0.1", port: host.address?.port as number },
            credential: created.credential,
            directory,
          });
          const program = application(directory, squares);
          await program.line("squares");
          await program.end();
          assert.equal((await host.status()).guests[0]?.connection, "remote");
          await until("its queue has gone", async () => (await world.engine()).statistics?.queues === 0);
          const working = application(directory, untilLost);
          await working.line("working");
          await host.guestRemove(created.id);
          await working.line("lost unknown");
          assert.equal(await working.line("settled"), "5");
          await working.end();
          await kernel.stop();
        });
      },
      { host: { listen: { port: 0 } } },
    ),
);
