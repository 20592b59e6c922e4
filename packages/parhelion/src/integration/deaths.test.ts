import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "parhelion-core";
import { createEngineLauncher } from "parhelion-engine";
import { startGuestKernel } from "parhelion-guest";
import { AdminClient, type CreatedGuest, type HostStatus, startHost } from "parhelion-host";
import { hostProcess, kernelProcess, shortLivedHost, squares, untilLost } from "./programs.test.fixture.js";
import { application, inDirectory, inWorld, isAlive, Program, until } from "./world.test.fixture.js";

const limit = { timeout: 300_000 };

test(
  "when the host is killed everybody settles, its engine ends, and the next host starts in its place",
  limit,
  () =>
    inDirectory(async (stateDirectory) => {
      const host = new Program(hostProcess, { environment: { STATE: stateDirectory } });
      const created = JSON.parse(await host.line("guest")) as CreatedGuest;
      const kernel = await startGuestKernel({
        connect: { path: created.vmbus },
        credential: created.credential,
        directory: created.directory,
      });
      const gone = new Promise<void>((resolve) => {
        kernel.onStateChange((state) => state === "reconnecting" && resolve());
      });
      const program = application(created.directory, untilLost);
      await program.line("working");
      const admin = await AdminClient.connect(join(stateDirectory, "admin.sock"), systemClock);
      const { slices } = (await admin.request("status")) as HostStatus;
      const engine = slices[0]?.engine.pid as number;
      const unanswered = assert.rejects(admin.request("status"), { code: "host-gone" });
      host.kill();
      await host.ended();
      await unanswered;
      await gone;
      await program.line("lost unknown");
      assert.equal(await program.line("settled"), "5");
      assert.equal(await program.line("next"), "no adapter");
      await program.end();
      await until("the engine has ended by itself", () => !isAlive(engine));
      await kernel.stop();
      const next = await startHost({ launcher: createEngineLauncher(), stateDirectory, adapter: "software" });
      assert.deepEqual(
        (await next.status()).guests.map(({ id }) => id),
        [created.id],
      );
      await next.guestRemove(created.id);
      await next.stop();
      assert.deepEqual(await readdir(stateDirectory), ["store"]);
    }),
);

test(
  "when a guest's kernel is killed its programs settle, the host forgets them, and a new kernel takes over",
  limit,
  () =>
    inWorld(async (world) => {
      const created = await world.host.guestCreate();
      const environment = { GUEST: JSON.stringify(created) };
      const first = new Program(kernelProcess, { environment });
      assert.equal(await first.line("nodes"), "dxg0");
      const program = application(created.directory, untilLost);
      await program.line("working");
      const { engine } = await world.engine();
      first.kill();
      await first.ended();
      await program.line("lost unknown");
      assert.equal(await program.line("settled"), "5");
      assert.equal(await program.line("next"), "no adapter");
      await program.end();
      await until("the host has forgotten", async () => {
        const { devices, statistics } = await world.engine();
        return devices === 0 && statistics?.devices === 0;
      });
      const second = new Program(kernelProcess, { environment });
      assert.equal(await second.line("nodes"), "dxg0");
      const again = application(created.directory, squares);
      await again.line("squares");
      await again.end();
      assert.equal((await world.engine()).engine.pid, engine.pid);
      second.kill();
      await second.ended();
    }),
);

test("a process whose host has stopped has nothing left that keeps it", limit, () =>
  inDirectory(async (stateDirectory) => {
    const program = new Program(shortLivedHost, { environment: { STATE: stateDirectory } });
    assert.equal(await program.line("nodes"), "dxg0");
    await program.end();
    // The guest is kept, with its run directory.
    assert.deepEqual((await readdir(stateDirectory)).sort(), ["g", "store"]);
  }),
);
