import assert from "node:assert/strict";
import { test } from "node:test";
import { Device } from "./device.js";
import { toyBus, traced, turn } from "./model.test.fixture.js";
import { createRuntime } from "./runtime.js";
import { Completion } from "./sync/completion.js";

test("a device's place is under its parent; class devices stand apart from the parent's own children", () => {
  const { system, device } = traced();
  const { runtime } = system;
  const gpu = { name: "gpu" };
  const root = device("pci0");
  const child = device("00:01", { parent: root });
  const classy = new Device(runtime, { name: "card0", class: gpu, parent: child });
  const below = new Device(runtime, { name: "card0-DP", class: gpu, parent: classy });
  const virtual = new Device(runtime, { name: "a/b", class: gpu });
  assert.deepEqual(
    [root, child, classy, below, virtual].map(({ devpath }) => devpath),
    [
      "/devices/pci0",
      "/devices/pci0/00:01",
      "/devices/pci0/00:01/gpu/card0",
      "/devices/pci0/00:01/gpu/card0/card0-DP",
      "/devices/virtual/gpu/a!b",
    ],
  );
  assert.throws(() => device(""), { code: "EINVAL" });
});

test("references outlive registration, the parent outlives its children's last reference", async () => {
  const { system, trace, device } = traced();
  const parent = device("parent", { release: () => trace.push("parent released") });
  const child = device("child", { parent, release: () => trace.push("child released") });
  await system.addDevice(parent);
  await system.addDevice(child);
  child.get();
  assert.deepEqual([...parent.children], [child]);
  await system.unregisterDevice(child);
  await system.unregisterDevice(parent);
  assert.deepEqual(trace, ["add parent", "add child", "remove child", "remove parent"]);
  child.put();
  assert.deepEqual(trace.slice(4), ["child released", "parent released"]);
  assert.equal(child.tryGet(), false);
  assert.throws(() => child.get(), { code: "refcount-use-after-release" });
  assert.throws(() => child.put(), { code: "refcount-underflow" });
});

test("what can't be added is refused and nothing has changed", async () => {
  const { system, trace, device } = traced();
  const first = device("d");
  await system.addDevice(first);
  const count = trace.length;
  await assert.rejects(system.addDevice(first), { code: "EINVAL" });
  await assert.rejects(system.addDevice(device("d")), { code: "EEXIST" });
  const elsewhere = device("elsewhere", { parent: first });
  await assert.rejects(system.addDevice(device("d", { parent: first })), { code: "EEXIST" }, "on the bus");
  await assert.rejects(system.addDevice(device("x", { bus: { name: "nobus", match: () => true } })), {
    code: "EINVAL",
  });
  await assert.rejects(system.addDevice(device("x", { class: { name: "noclass" } })), { code: "EINVAL" });
  await assert.rejects(system.addDevice(new Device(createRuntime(), { name: "alien" })), {
    code: "wrong-runtime",
  });
  await system.removeDevice(first);
  await assert.rejects(system.addDevice(elsewhere), { code: "ENODEV" }, "its parent has gone");
  await assert.rejects(system.addDevice(first), { code: "EINVAL" }, "a device is added once");
  assert.equal(trace.length, count + 1);
  await system.addDevice(device("d"));
});

test("resources of a device that was never bound go with its removal, or with its last reference", async () => {
  const { system, trace, device } = traced();
  const added = device("added");
  await system.addDevice(added);
  added.devres.addAction(() => void trace.push("resource of added"));
  await system.removeDevice(added);
  assert.deepEqual(trace, ["add added", "resource of added", "remove added"]);
  const never = device("never", { release: () => trace.push("never released") });
  never.devres.addAction(() => void trace.push("resource of never"));
  never.put();
  await turn();
  assert.deepEqual(trace.slice(3), ["resource of never", "never released"]);
});

test("removing a device whose children stay is reported", async () => {
  const { system, log, device } = traced();
  const parent = device("parent");
  await system.addDevice(parent);
  await system.addDevice(device("child", { parent }));
  await system.removeDevice(parent);
  assert.deepEqual(log.at(-1)?.fields["children"], ["/devices/parent/child"]);
});

test("a driver makes children in its probe and takes them down in its remove", async () => {
  const { system, trace, device, driver } = traced();
  const parent = device("parent");
  await system.registerDriver(
    driver("parent", {
      async probe(device) {
        const child = new Device(system.runtime, { name: "child", parent: device, bus: toyBus });
        await system.addDevice(child);
        device.devres.addAction(() => system.unregisterDevice(child));
      },
    }),
  );
  await system.addDevice(parent);
  await system.removeDevice(parent);
  assert.deepEqual(trace, [
    "add parent",
    "add parent",
    "add child",
    "bind parent",
    "remove parent parent",
    "remove child",
    "unbind parent",
    "remove parent",
  ]);
});

test("attributes are read while the device is registered, and removal waits for a read under way", async () => {
  const { system, trace, device } = traced();
  const go = new Completion(system.runtime, "go");
  const dev = device("d", {
    attributes: [
      { name: "vendor", show: () => "0x1414\n" },
      {
        name: "slow",
        async show() {
          await go.wait();
          trace.push(`read, registration ${dev.registration.state}`);
          return "done\n";
        },
      },
      { name: "writeonly" },
    ],
  });
  const read = (name: string) => dev.readAttribute(name);
  await assert.rejects(read("vendor"), { code: "ENODEV" });
  await system.addDevice(dev);
  assert.deepEqual(dev.attributes.list(), ["vendor", "slow", "writeonly"]);
  assert.equal(await read("vendor"), "0x1414\n");
  await assert.rejects(read("none"), { code: "ENOENT" });
  await assert.rejects(read("writeonly"), { code: "EIO" });
  const slow = read("slow");
  await turn();
  const removing = system.removeDevice(dev);
  await turn();
  await assert.rejects(read("vendor"), { code: "ENODEV" });
  assert.equal(trace.at(-1), "add d");
  go.complete();
  assert.equal(await slow, "done\n");
  await removing;
  assert.deepEqual(trace.slice(-2), ["read, registration dead", "remove d"]);
});
