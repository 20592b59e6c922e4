import assert from "node:assert/strict";
import { test } from "node:test";
import { miscClass } from "./class.js";
import { Device } from "./device.js";
import { KernelError } from "./error.js";
import type { OpenFile } from "./file.js";
import type { FileOperations } from "./file-operations.js";
import { toyBus, traced, turn } from "./model.test.fixture.js";
import { DeviceNode, type NodeInit } from "./node.js";
import type { NodeWatcher } from "./node-registry.js";
import { Completion } from "./sync/completion.js";
import { serializeUevent } from "./uevent.js";

/** A system with one misc device; its files trace their release. */
async function withNode(parts: Partial<NodeInit<string, string>> = {}) {
  const made = traced();
  const { system, trace } = made;
  system.registerClass(miscClass);
  const operations: FileOperations<string, string> = {
    request: (text) => text.toUpperCase(),
    release: () => void trace.push("release"),
  };
  const node = new DeviceNode<string, string>(system.runtime, {
    name: "n0",
    open: () => operations,
    ...parts,
  });
  const device = new Device(system.runtime, {
    name: "n0",
    class: miscClass,
    node,
    release: () => trace.push("memory gone"),
  });
  await system.addDevice(device);
  trace.length = 0;
  return { ...made, node, device };
}

test("an open file serves requests until it is closed, and its release runs once", async () => {
  const { node, trace } = await withNode();
  const file = await node.open({ pid: 7 });
  assert.equal(file.opener.pid, 7);
  assert.equal(await file.request("hello"), "HELLO");
  assert.equal(node.openFiles, 1);
  await file.close();
  assert.deepEqual(trace, ["release"]);
  assert.equal(node.openFiles, 0);
  await assert.rejects(file.request("late"), { code: "EBADF" });
  await assert.rejects(file.close(), { code: "EBADF" });
  assert.deepEqual(trace, ["release"]);
});

test("each open has state of its own", async () => {
  let opens = 0;
  const { node } = await withNode({
    open: () => {
      const id = ++opens;
      let count = 0;
      return { request: () => `${id}:${++count}` };
    },
  });
  const [a, b] = [await node.open(), await node.open()];
  assert.deepEqual([await a.request(""), await b.request(""), await a.request("")], ["1:1", "2:1", "1:2"]);
  await a.close();
  assert.equal(await b.request(""), "2:2");
  await b.close();
});

test("after the removal every operation answers ENODEV, close works, and memory goes with the last file", async () => {
  const { system, trace, node, device } = await withNode();
  const file = await node.open();
  await system.unregisterDevice(device);
  assert.deepEqual(trace, ["remove n0"]);
  await assert.rejects(file.request("x"), { code: "ENODEV", errno: 19 });
  await assert.rejects(node.open(), { code: "ENODEV" });
  assert.equal(device.references, 1);
  await file.close();
  assert.deepEqual(trace, ["remove n0", "release", "memory gone"]);
  assert.equal(device.references, 0);
});

test("a request under way answers ENODEV at once; the release waits until the driver has let go of it", async () => {
  const go = { completion: null as Completion | null };
  const { system, trace, node, device } = await withNode({
    open: () => ({
      async request() {
        await go.completion?.wait();
        trace.push("driver done");
        return "";
      },
      release: () => void trace.push("release"),
    }),
  });
  go.completion = new Completion(system.runtime, "go");
  const file = await node.open();
  const pending = assert.rejects(file.request("x"), { code: "ENODEV" });
  await turn();
  await system.removeDevice(device);
  await pending;
  await assert.rejects(file.close({ deadline: system.runtime.clock.now() }), { code: "ETIMEDOUT" });
  assert.deepEqual(trace, ["remove n0"]);
  go.completion.complete();
  await turn();
  assert.deepEqual(trace, ["remove n0", "driver done", "release"]);
});

test("closing tells the driver to end the requests that wait", async () => {
  const { system, trace, node } = await withNode({
    open: (file: OpenFile<string, string>) => {
      const closing = new Completion(system.runtime, `closing ${file.name}`);
      return {
        async request() {
          await closing.wait();
          return "woken";
        },
        flush: () => closing.completeAll(),
        release: () => void trace.push("release"),
      };
    },
  });
  const file = await node.open();
  const waiting = file.request("wait");
  await turn();
  await file.close();
  assert.equal(await waiting, "woken");
  assert.deepEqual(trace, ["release"]);
});

test("an open that the removal overtakes answers ENODEV at once and is released when the driver has opened", async () => {
  const go = { completion: null as Completion | null };
  const { system, trace, node, device } = await withNode({
    open: async () => {
      await go.completion?.wait();
      trace.push("driver opened");
      return { request: () => "", release: () => void trace.push("release") };
    },
  });
  go.completion = new Completion(system.runtime, "go");
  const opening = assert.rejects(node.open(), { code: "ENODEV" });
  await turn();
  await system.unregisterDevice(device);
  await opening;
  assert.deepEqual(trace, ["remove n0"]);
  go.completion.complete();
  await turn();
  assert.deepEqual(trace, ["remove n0", "driver opened", "release", "memory gone"]);
});

test("an open that the driver refuses leaves nothing behind", async () => {
  const { trace, node, device } = await withNode({
    open: () => {
      throw new KernelError("EBUSY", "one at a time");
    },
  });
  const before = device.references;
  await assert.rejects(node.open(), { code: "EBUSY" });
  await turn();
  assert.deepEqual([trace, device.references, node.openFiles], [[], before, 0]);
});

test("a request that the driver keeps waiting ends by its deadline", async () => {
  const { system, node } = await withNode({
    open: (file) => {
      const closing = new Completion<string>(system.runtime, `closing ${file.name}`);
      return { request: () => closing.wait(), flush: () => closing.completeAll("") };
    },
  });
  const file = await node.open();
  await assert.rejects(file.request("x", { deadline: system.runtime.clock.now() }), { code: "ETIMEDOUT" });
  await file.close();
});

test("an answer that comes when whoever asked has given up goes back to the driver, once", async () => {
  const unclaimed: string[] = [];
  const gates: Completion[] = [];
  const { system, node } = await withNode({
    open: () => ({
      async request(text) {
        const gate = new Completion(system.runtime, text);
        gates.push(gate);
        await gate.wait();
        return text.toUpperCase();
      },
      unclaimed: (answer) => {
        unclaimed.push(answer);
        throw new Error("nobody hears this");
      },
    }),
  });
  const file = await node.open();
  const now = system.runtime.clock.now();
  await assert.rejects(file.request("late", { deadline: now }), { code: "ETIMEDOUT" });
  const taken = file.request("taken");
  await turn();
  for (const gate of gates) gate.complete();
  assert.equal(await taken, "TAKEN");
  await turn();
  assert.deepEqual(unclaimed, ["LATE"]);
  await file.close();
});

test("watchers see the nodes that there are, come and go; a watcher that fails does not stop the others", async () => {
  const { system, log, node, device } = await withNode();
  const seen: string[] = [];
  const watcher = (name: string): NodeWatcher => ({
    added: ({ name: node, state }) => void seen.push(`${name} + ${node} ${state}`),
    removed: ({ name: node, state }) => void seen.push(`${name} - ${node} ${state}`),
  });
  system.nodes.watch({
    added: () => assert.fail("added"),
    removed: () => assert.fail("removed"),
  });
  const stop = system.nodes.watch(watcher("a"));
  system.nodes.watch(watcher("b"));
  assert.equal(system.nodes.get("n0"), node);
  stop();
  await system.removeDevice(device);
  assert.deepEqual(seen, ["a + n0 live", "b + n0 live", "b - n0 dead"]);
  assert.equal(log.filter(({ event }) => event === "node.watcher-failed").length, 2);
  assert.deepEqual(system.nodes.list(), []);
});

test("names and minors are unique while in use, and a device whose node can't be had is not added", async () => {
  const { system, device } = await withNode();
  const add = async (name: string, minor?: number) => {
    const init = { name, open: () => ({ request: () => null }), ...(minor === undefined ? {} : { minor }) };
    const node = new DeviceNode(system.runtime, init);
    const dev = new Device(system.runtime, { name: `d-${name}`, class: miscClass, node });
    await system.addDevice(dev);
    return dev;
  };
  await assert.rejects(add("n0"), { code: "EEXIST" });
  const fixed = await add("fixed", 42);
  await assert.rejects(add("fixed2", 42), { code: "EBUSY" });
  assert.equal((await add("n1")).node?.minor, 257);
  await system.removeDevice(device);
  await system.removeDevice(fixed);
  assert.equal((await add("n0")).node?.minor, 256);
  assert.equal((await add("fixed3", 42)).node?.minor, 42);
  assert.deepEqual(
    system.membersOf(miscClass).map(({ name }) => name),
    ["d-n1", "d-n0", "d-fixed3"],
  );
  const taken = new DeviceNode(system.runtime, { name: "n1", open: () => ({ request: () => null }) });
  const onBus = new Device(system.runtime, { name: "on-bus", bus: toyBus, node: taken });
  await assert.rejects(system.addDevice(onBus), { code: "EEXIST" });
  assert.equal(system.findDevice(toyBus, "on-bus"), undefined);
  assert.equal(onBus.references, 1);
  await assert.rejects(add("toolarge", 256), { code: "EINVAL" });
  await assert.rejects(add("../escape"), { code: "EINVAL" });
});

test("the node's numbers and name stand in the device's uevents", async () => {
  const { system, device, node } = await withNode({ mode: 0o666, uid: 1000, gid: 44 });
  const events: string[] = [];
  system.onUevent((event) => events.push(serializeUevent(event)));
  await system.removeDevice(device);
  assert.equal(node.minor, 256);
  assert.deepEqual(events[0]?.split("\0").slice(0, -2), [
    "remove@/devices/virtual/misc/n0",
    "ACTION=remove",
    "DEVPATH=/devices/virtual/misc/n0",
    "SUBSYSTEM=misc",
    "MAJOR=10",
    "MINOR=256",
    "DEVNAME=n0",
    "DEVMODE=0666",
    "DEVUID=1000",
    "DEVGID=44",
  ]);
});
