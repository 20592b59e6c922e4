import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { ioctl, isControlError } from "parhelion-protocol";
import { dxgClass } from "./dxg/node.js";
import { channelInstance, type TestHost } from "./host.test.fixture.js";
import { attributesOf, createRig, openNode, until } from "./rig.test.fixture.js";

type Part = "function" | "channel" | "global";
const parts: readonly Part[] = ["function", "channel", "global"];
const orders = parts.flatMap((a) =>
  parts.flatMap((b) => parts.filter((c) => new Set([a, b, c]).size === 3).map((c) => [a, b, c] as const)),
);

function offer(host: TestHost, part: Part, n = 0) {
  if (part === "function") return host.offerFunction(n);
  return part === "channel" ? host.offerChannel(n) : host.offerGlobal();
}

describe("a vGPU's node", () => {
  for (const order of orders) {
    it(`appears when the parts arrive as ${order.join(", ")}, one by one`, async (t) => {
      const { start, log } = await createRig(t);
      const { kernel, host } = await start();
      for (const part of order) {
        assert.deepEqual(kernel.nodes, []);
        const channel = offer(host, part);
        await until(() => channel.state === "open", `${part} is open`);
        await kernel.system.waitForProbe();
      }
      await until(() => kernel.nodes.length === 1, "the node");
      assert.deepEqual((await attributesOf(kernel)).nodes, ["dxg0"]);
      assert.equal(
        [...host.objects].filter((object) => object.startsWith("adapter")).length,
        1,
        "opened once",
      );
      assert.deepEqual(
        log.filter(({ level }) => level !== "debug"),
        [],
      );
    });

    it(`appears when they arrive at once as ${order.join(", ")}`, async (t) => {
      const { start } = await createRig(t);
      const { kernel, host } = await start((contact) => {
        for (const part of order) offer(contact, part);
      });
      assert.deepEqual(kernel.nodes, ["dxg0"]);
      assert.ok(existsSync(path.join(kernel.directory, "dxg0")));
      assert.equal(host.objects.size, 1);
    });

    it(`comes back whichever part is rescinded and offered again (${order.join(", ")})`, async (t) => {
      const { start } = await createRig(t);
      const { kernel, host } = await start();
      const channels = new Map(order.map((part) => [part, offer(host, part)]));
      await until(() => kernel.nodes.length === 1, "the node");
      for (const part of order) {
        await kernel.settled();
        const application = await openNode(kernel, "dxg0");
        channels.get(part)?.rescind(`${part} is gone`);
        await application.closed;
        assert.deepEqual(
          application.events.map(({ kind }) => kind),
          [1],
        );
        await until(() => kernel.nodes.length === 0, "no node");
        channels.set(part, offer(host, part));
        await until(() => kernel.nodes.length === 1, "a fresh node");
        await kernel.settled();
        const fresh = await openNode(kernel, "dxg0");
        const { adapters } = await (await openNode(kernel, "dxg")).connection.call(ioctl.enumAdapters3, {});
        await fresh.connection.call(ioctl.openAdapterFromLuid, { luid: adapters[0]?.luid ?? 0n });
        fresh.connection.close();
      }
    });
  }
});

describe("a channel that goes while its function is being probed", () => {
  for (const lost of ["channel", "global"] as const) {
    it(`is waited for when it is offered again (${lost})`, async (t) => {
      const { start, log } = await createRig(t);
      const { kernel, host } = await start();
      const held: (() => void)[] = [];
      host.intercept = async (name) => {
        if (name === "openAdapter") await new Promise<void>((resolve) => held.push(resolve));
      };
      const channels = { channel: host.offerChannel(0), global: host.offerGlobal() };
      host.offerFunction(0);
      await until(() => held.length === 1, "the function is being probed");
      host.intercept = () => {};
      channels[lost].rescind("gone");
      held[0]?.();
      await until(() => channels[lost].state === "rescinded" && kernel.nodes.length === 0, "no node");
      offer(host, lost);
      await until(() => kernel.nodes.length === 1, "the node");
      await kernel.system.waitForProbe();
      assert.deepEqual(
        log.filter(({ level }) => level === "error"),
        [],
      );
    });
  }
});

describe("a second global channel", () => {
  it("takes over when the first one goes", async (t) => {
    const { start } = await createRig(t);
    const { kernel, host } = await start();
    const first = host.offerGlobal(1);
    host.offerVgpu(0);
    await until(() => kernel.nodes.length === 1, "the node");
    const second = host.offerGlobal(2);
    await until(() => second.state === "open", "the second is open");
    const before = kernel.system.nodes.get("dxg0");
    first.rescind("replaced");
    await until(() => (kernel.system.nodes.get("dxg0") ?? before) !== before, "a fresh node");
    await kernel.settled();
    await openNode(kernel, "dxg0");
  });
});

describe("a function that an administrator has unbound", () => {
  it("stays so when another vGPU comes", async (t) => {
    const { start } = await createRig(t);
    const { kernel, host } = await start((contact) => {
      contact.offerGlobal();
      contact.offerVgpu(0);
    });
    const { system } = kernel;
    const unbound = system.nodes.get("dxg0");
    assert.ok(unbound);
    const [node] = system.membersOf(dxgClass).filter((device) => device.node === unbound);
    assert.ok(node?.parent);
    await system.detach(node.parent);
    host.offerVgpu(1);
    await until(() => kernel.nodes.length === 1, "the other's node");
    await system.waitForProbe();
    assert.equal(node.parent.driver, null);
    assert.equal(host.objects.size, 1);
  });
});

describe("the control node", () => {
  it("is there from the start, lists the vGPUs, and supports nothing else", async (t) => {
    const { start } = await createRig(t);
    const { kernel, host } = await start();
    const { connection } = await openNode(kernel, "dxg");
    assert.deepEqual(await connection.call(ioctl.enumAdapters3, {}), { adapters: [] });
    assert.deepEqual(await attributesOf(kernel), { nodes: [], wgslLanguageFeatures: [] });
    host.offerGlobal();
    for (const n of [0, 1]) host.offerVgpu(n);
    await until(() => kernel.nodes.length === 2, "two nodes");
    const { adapters } = await connection.call(ioctl.enumAdapters3, {});
    assert.deepEqual(
      adapters.map(({ node }) => node),
      ["dxg0", "dxg1"],
    );
    assert.deepEqual(adapters.map(({ instance }) => instance).sort(), [
      channelInstance(0),
      channelInstance(1),
    ]);
    assert.deepEqual(await attributesOf(kernel), {
      nodes: ["dxg0", "dxg1"],
      wgslLanguageFeatures: ["packed_4x8"],
    });
    await assert.rejects(connection.call(ioctl.createDevice, {}), (error) => isControlError(error, "ENOTTY"));
  });
});

describe("two vGPUs", () => {
  it("are paired with their own channels, and losing one leaves the other as it was", async (t) => {
    const { start } = await createRig(t);
    const { kernel, host } = await start();
    host.offerFunction(0);
    host.offerFunction(1);
    host.offerGlobal();
    const second = host.offerChannel(1);
    const first = host.offerChannel(0);
    await until(() => kernel.nodes.length === 2, "two nodes");
    await kernel.settled();
    const { adapters } = await (await openNode(kernel, "dxg")).connection.call(ioctl.enumAdapters3, {});
    for (const { luid, instance } of adapters) assert.equal(channelInstance(Number(luid) - 0x1000), instance);
    const nodeOf = (n: number): string =>
      adapters.find(({ instance }) => instance === channelInstance(n))?.node ?? "";
    const staying = await openNode(kernel, nodeOf(1));
    const { adapter } = await staying.connection.call(ioctl.openAdapterFromLuid, { luid: 0x1001n });
    first.rescind("revoked");
    await until(() => kernel.nodes.length === 1, "one node");
    await staying.connection.call(ioctl.createDevice, { adapter });
    assert.deepEqual(staying.events, []);
    assert.equal(second.state, "open");
    assert.deepEqual((await attributesOf(kernel)).nodes, [nodeOf(1)]);
  });

  it("can't be opened by each other's LUID, nor by one from before", async (t) => {
    const { start } = await createRig(t);
    const { kernel } = await start((host) => {
      host.offerGlobal();
      host.offerVgpu(0);
    });
    const { connection } = await openNode(kernel, "dxg0");
    for (const luid of [0n, 0x1001n, 2n ** 64n - 1n]) {
      await assert.rejects(connection.call(ioctl.openAdapterFromLuid, { luid }), (error) =>
        isControlError(error, "ENODEV"),
      );
    }
  });
});
