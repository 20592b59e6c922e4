import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { VGPU_CHANNEL } from "parhelion-buses";
import { isKernelError } from "parhelion-core";
import { vgpuCommand } from "parhelion-protocol";
import type { CreatedGuest } from "./guests/guests.js";
import { Kernel } from "./guests/kernel.test.fixture.js";
import { startHost } from "./host.js";
import { HostProcess, inStateDirectory, isAlive, scriptedLauncher, until } from "./restart.test.fixture.js";
import type { SliceStatus } from "./status.js";
import { deviceRequest } from "./vgpu/bench.test.fixture.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };

function kernelOf({ vmbus, credential }: CreatedGuest): Promise<Kernel> {
  return Kernel.connect(connect(vmbus), credential);
}

async function newDevice(kernel: Kernel): Promise<void> {
  const process = await kernel.newProcess();
  const channel = await kernel.open(VGPU_CHANNEL);
  await channel.request(vgpuCommand.createDevice, { privateData: deviceRequest() }, { process });
}

/** What has to be the same for ever. */
const identity = ({ uuid, adapter, guest }: SliceStatus) => ({ uuid, adapter, guest });

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(
    `guests and slices survive ${signal} of their host, under the same ids and higher generations`,
    limit,
    () =>
      inStateDirectory(async (directory) => {
        const first = await HostProcess.start(directory);
        const created = await first.guestCreate({ name: "one" });
        const removed = await first.guestCreate({ name: "two" });
        await first.admin("guestRemove", { id: removed.id });
        const kernel = await kernelOf(created);
        await newDevice(kernel);
        const before = await first.status();
        await first.end(signal);
        await kernel.connection.close();
        // As a kernel that goes on would have it.
        await writeFile(join(created.directory, "dxg"), "");
        await mkdir(join(directory, "g", "0badcafe"));

        const second = await HostProcess.start(directory);
        const after = await second.status();
        assert.deepEqual(
          after.guests.map(({ id, name, directory }) => ({ id, name, directory })),
          [{ id: created.id, name: "one", directory: created.directory }],
        );
        assert.deepEqual(after.slices.map(identity), before.slices.map(identity));
        for (const [i, { generation }] of after.slices.entries())
          assert.ok(generation > (before.slices[i]?.generation as number));
        assert.deepEqual(await readdir(created.directory), ["dxg"]);
        assert.deepEqual(await readdir(join(directory, "g")), [created.id]);
        const again = await kernelOf(created);
        await newDevice(again);
        const stranger = kernelOf(removed);
        await assert.rejects(stranger, (error) => isKernelError(error, "ECONNREFUSED"));
        await again.connection.close();
        await second.admin("guestRemove", { id: created.id });
        await second.end("SIGTERM");
        assert.deepEqual(await readdir(directory), ["store"]);
      }),
  );
}

test("a credential is not in the state directory", limit, () =>
  inStateDirectory(async (directory) => {
    const host = await startHost({
      launcher: scriptedLauncher,
      stateDirectory: directory,
      adapter: "software",
    });
    const { credential } = await host.guestCreate();
    await host.stop();
    const names = await readdir(join(directory, "store"));
    for (const name of names) {
      const bytes = await readFile(join(directory, "store", name));
      assert.ok(!bytes.includes(credential), name);
    }
  }),
);

test(
  "what a killed host has left is cleared away: an engine that hangs, sockets, directories of nobody",
  {
    ...limit,
    skip: process.platform !== "linux",
  },
  () =>
    inStateDirectory(async (directory) => {
      const first = await HostProcess.start(directory);
      const created = await first.guestCreate();
      const kernel = await kernelOf(created);
      await newDevice(kernel);
      const engine = (await first.status()).slices[0]?.engine.pid as number;
      process.kill(engine, "SIGSTOP");
      await first.end("SIGKILL");
      await kernel.connection.close();
      assert.ok(isAlive(engine));
      // The scripted engine has no socket for queues; a real one leaves it.
      await writeFile(join(created.directory, "q0"), "");
      await mkdir(join(directory, "local", "0"), { recursive: true });
      const second = await HostProcess.start(directory);
      assert.equal(second.said, "up");
      assert.ok(!isAlive(engine));
      assert.deepEqual(await readdir(created.directory), []);
      assert.deepEqual((await readdir(directory)).sort(), ["admin.sock", "g", "store", "sys", "vmbus.sock"]);
      await second.end("SIGTERM");
    }),
);

test("of two hosts that start at once one runs, also while the one before them is being killed", limit, () =>
  inStateDirectory(async (directory) => {
    let running = await HostProcess.start(directory);
    await running.guestCreate();
    for (let round = 0; round < 3; round++) {
      const killing = running.end("SIGKILL");
      const rivals = await Promise.all([HostProcess.start(directory), HostProcess.start(directory)]);
      await killing;
      const said = rivals.map(({ said }) => said);
      for (const word of said) assert.ok(word === "up" || word === "host-already-running", word);
      assert.ok(said.filter((word) => word === "up").length <= 1, said.join());
      // The one before may have been there still when both of them looked.
      running = rivals.find(({ said }) => said === "up") ?? (await HostProcess.start(directory));
      assert.equal(running.said, "up");
      assert.equal((await running.status()).guests.length, 1);
    }
    await running.end("SIGTERM");
  }),
);

test("a damaged store keeps the host from starting until it is told to forget", limit, () =>
  inStateDirectory(async (stateDirectory) => {
    const options = { launcher: scriptedLauncher, stateDirectory, adapter: "software" };
    const first = await startHost(options);
    const { directory } = await first.guestCreate();
    await first.stop();
    await writeFile(join(stateDirectory, "store", "CURRENT"), "x");
    await assert.rejects(startHost(options), { code: "store-damaged" });
    // Nothing was cleared away: somebody may put a copy of the store back.
    assert.ok(existsSync(directory));
    const second = await startHost({ ...options, forgetState: true });
    assert.deepEqual((await second.status()).guests, []);
    assert.ok(!existsSync(directory));
    await second.stop();
    assert.deepEqual(await readdir(stateDirectory), []);
  }),
);

test("a guest that is to be connected goes when its kernel stays away from the next host", limit, () =>
  inStateDirectory(async (stateDirectory) => {
    const options = { launcher: scriptedLauncher, stateDirectory, adapter: "software" };
    const first = await startHost(options);
    const stays = await first.guestCreate({ name: "stays" });
    const goes = await first.guestCreate({ name: "goes", lifetime: "connected" });
    await first.stop();
    const host = await startHost({ ...options, orphanMs: 50 });
    const names = async () => (await host.status()).guests.map(({ name }) => name);
    await until(async () => (await names()).join() === "stays");
    await until(() => !existsSync(goes.directory));
    await host.guestRemove(stays.id);
    await host.stop();
    assert.deepEqual(await readdir(stateDirectory), ["store"]);
  }),
);
