import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { describe, it } from "node:test";
import { isKernelError } from "parhelion-core";
import { ioctl, isControlError } from "parhelion-protocol";
import { startGuestKernel } from "./index.js";
import { createRig, openNode, until } from "./rig.test.fixture.js";

describe("a guest kernel", () => {
  it("leaves nothing behind when it stops", async (t) => {
    const { start } = await createRig(t);
    const { kernel, host } = await start((contact) => {
      contact.offerGlobal();
      contact.offerVgpu(0);
    });
    const { closed, events } = await openNode(kernel, "dxg0");
    assert.deepEqual((await readdir(kernel.directory)).sort(), ["attributes.json", "dxg", "dxg0", "sys"]);
    await kernel.stop();
    await kernel.stop();
    await closed;
    assert.deepEqual(
      events.map(({ kind }) => kind),
      [1],
    );
    assert.deepEqual(await readdir(kernel.directory), []);
    assert.equal(kernel.state, "stopped");
    await until(() => host.vmbus.state === "closed", "the host has heard it");
  });

  it("serves its nodes also when the attributes can't be written, and says so once", async (t) => {
    const { start, log } = await createRig(t);
    const { kernel, host } = await start();
    // What is written first is in the way, as a full disk would be.
    const obstacle = path.join(kernel.directory, "attributes.json.new");
    await mkdir(obstacle);
    host.offerGlobal();
    for (const n of [0, 1]) host.offerVgpu(n);
    await until(() => kernel.nodes.length === 2, "two nodes");
    await kernel.settled();
    await openNode(kernel, "dxg1");
    const loud = log.filter(({ level }) => level === "error" || level === "warn");
    assert.deepEqual(
      loud.map(({ event }) => event),
      ["attributes.not-written"],
    );
    assert.match(String(loud[0]?.fields["reason"]), /EISDIR/);
    await rm(obstacle, { recursive: true });
  });

  it("does not see another one in the same process", async (t) => {
    const { start } = await createRig(t);
    const first = await start((contact) => {
      contact.offerGlobal();
      contact.offerVgpu(0);
    });
    const second = await start((contact) => {
      contact.offerGlobal();
      contact.offerVgpu(0);
      contact.offerVgpu(1);
    });
    assert.deepEqual([first.kernel.nodes, second.kernel.nodes], [["dxg0"], ["dxg0", "dxg1"]]);
    const application = await openNode(first.kernel, "dxg0");
    await second.kernel.stop();
    await application.connection.call(ioctl.openAdapterFromLuid, { luid: 0x1000n });
    assert.deepEqual(application.events, []);
    assert.deepEqual(first.kernel.nodes, ["dxg0"]);
    assert.equal(first.host.processes.size, 1);
  });

  it("says when its host has gone; its nodes go with it", async (t) => {
    const { start } = await createRig(t);
    const { kernel, host } = await start((contact) => {
      contact.offerGlobal();
      contact.offerVgpu(0);
    });
    const application = await openNode(kernel, "dxg0");
    const control = await openNode(kernel, "dxg");
    host.vmbus.close(new Error("the host stops"));
    await until(() => kernel.state === "reconnecting", "the host is missed");
    await application.closed;
    await until(() => kernel.nodes.length === 0, "no node");
    assert.deepEqual(await control.connection.call(ioctl.enumAdapters3, {}), { adapters: [] });
  });

  it("takes it quietly when the host removes the guest, and its directory with it", async (t) => {
    const { start, log } = await createRig(t);
    const { kernel, host } = await start((contact) => {
      contact.offerGlobal();
      contact.offerVgpu(0);
    });
    await rm(kernel.directory, { recursive: true });
    host.vmbus.close(new Error("the guest was removed"));
    await until(() => kernel.state === "reconnecting", "the host is missed");
    await until(() => kernel.nodes.length === 0, "no node");
    await kernel.settled();
    await kernel.stop();
    assert.deepEqual(
      log.filter(({ level }) => level === "error"),
      [],
    );
  });

  it("refuses a run directory that another one has, and one whose path is too long", async (t) => {
    const { start, target, directory } = await createRig(t);
    const { kernel } = await start();
    const init = { connect: target, credential: "secret" };
    await assert.rejects(startGuestKernel({ ...init, directory: kernel.directory }), (error) =>
      isKernelError(error, "EBUSY"),
    );
    await openNode(kernel, "dxg");
    await assert.rejects(
      startGuestKernel({ ...init, directory: path.join(directory, "x".repeat(100)) }),
      (error) => isKernelError(error, "EINVAL") && /107/.test(error.message),
    );
  });

  it("clears what a killed one left, and nothing else", async (t) => {
    const { start, directory } = await createRig(t);
    const run = path.join(directory, "stale");
    const first = await start(undefined, { directory: run });
    await first.kernel.stop();
    for (const name of ["dxg", "dxg7", "attributes.json", "mine"]) await writeFile(path.join(run, name), "");
    const { kernel } = await start(undefined, { directory: run });
    assert.deepEqual((await readdir(run)).sort(), ["attributes.json", "dxg", "mine", "sys"]);
    await openNode(kernel, "dxg");
  });

  it("passes on why the host refuses it, and leaves no trace", async (t) => {
    const { target, directory } = await createRig(t);
    const run = path.join(directory, "refused");
    const init = { connect: target, directory: run };
    await assert.rejects(
      startGuestKernel({ ...init, credential: "wrong" }),
      (error) => isKernelError(error, "ECONNREFUSED") && /no such guest/.test(error.message),
    );
    await assert.rejects(
      startGuestKernel({ ...init, credential: "secret", connect: { path: path.join(directory, "nobody") } }),
      (error) => isKernelError(error, "ECONNREFUSED"),
    );
    assert.deepEqual(await readdir(run), []);
  });
});

describe("a queue that only the guest kernel can reach", () => {
  it("is carried to the host, behind its token, and ends with the queue", async (t) => {
    const { start, queues } = await createRig(t);
    const { kernel, host } = await start((contact) => {
      contact.offerGlobal();
      contact.offerVgpu(0);
      contact.reach = 1;
    });
    const { connection } = await openNode(kernel, "dxg0");
    const { adapter } = await connection.call(ioctl.openAdapterFromLuid, { luid: 0x1000n });
    const { device } = await connection.call(ioctl.createDevice, { adapter });
    const { context } = await connection.call(ioctl.createContextVirtual, { device });
    const { queue, endpoint, token } = await connection.call(ioctl.createHwQueue, { context });
    const socket = net.connect(path.join(kernel.directory, endpoint));
    socket.on("error", () => {});
    socket.write("ping");
    await until(() => queues.length === 1, "the queue arrives at the host");
    const far = queues[0];
    assert.equal(far?.token, token);
    const text = once(far?.socket ?? socket, "data");
    far?.socket.resume();
    assert.equal(String((await text)[0]), "ping");
    const answer = once(socket, "data");
    far?.socket.write("pong");
    assert.equal(String((await answer)[0]), "pong");
    const closed = once(socket, "close");
    await connection.call(ioctl.destroyHwQueue, { queue });
    await closed;
    assert.equal(host.objects.size, 3);
    assert.equal((await readdir(kernel.directory)).includes(endpoint), false);
  });

  it("goes with the process that has it", async (t) => {
    const { start } = await createRig(t);
    const { kernel, host } = await start((contact) => {
      contact.offerGlobal();
      contact.offerVgpu(0);
      contact.reach = 1;
    });
    const { connection } = await openNode(kernel, "dxg0");
    const { adapter } = await connection.call(ioctl.openAdapterFromLuid, { luid: 0x1000n });
    const { device } = await connection.call(ioctl.createDevice, { adapter });
    const { context } = await connection.call(ioctl.createContextVirtual, { device });
    await connection.call(ioctl.createHwQueue, { context });
    assert.ok((await readdir(kernel.directory)).some((name) => name.startsWith("q")));
    connection.close();
    await until(() => host.processes.size === 0, "the process is destroyed");
    assert.equal(
      (await readdir(kernel.directory)).some((name) => name.startsWith("q")),
      false,
    );
  });

  it("without a way to the host is refused in words", async (t) => {
    const { start, target } = await createRig(t);
    const duplex = net.connect(target.path);
    await once(duplex, "connect");
    const { kernel } = await start(
      (contact) => {
        contact.offerGlobal();
        contact.offerVgpu(0);
        contact.reach = 1;
      },
      { connect: { duplex } },
    );
    const { connection } = await openNode(kernel, "dxg0");
    const { adapter } = await connection.call(ioctl.openAdapterFromLuid, { luid: 0x1000n });
    const { device } = await connection.call(ioctl.createDevice, { adapter });
    const { context } = await connection.call(ioctl.createContextVirtual, { device });
    await assert.rejects(connection.call(ioctl.createHwQueue, { context }), (error) =>
      isControlError(error, "EOPNOTSUPP"),
    );
  });
});
