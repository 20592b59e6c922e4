import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attribute, AttributeGroup } from "./attribute.js";
import type { Device } from "./device.js";
import { KernelError } from "./error.js";
import { toyBus, traced, turn } from "./model.test.fixture.js";
import { Completion } from "./sync/completion.js";
import { System } from "./system.js";

async function withAttributes(
  attributes: readonly Attribute<Device>[],
  groups: AttributeGroup<Device>[] = [],
) {
  const made = traced();
  const dev = made.device("d", { attributes: attributes as Attribute[], groups: groups as AttributeGroup[] });
  await made.system.addDevice(dev);
  return { ...made, dev };
}

test("a store takes text and answers how much of it was used, all if it does not say", async () => {
  const stored: string[] = [];
  const { dev } = await withAttributes([
    { name: "all", store: (device, text) => void stored.push(`${device.name}: ${text}`) },
    { name: "some", store: () => 2 },
    {
      name: "picky",
      store: () => {
        throw new KernelError("ERANGE", "no");
      },
    },
  ]);
  assert.equal(await dev.writeAttribute("all", "grüß"), 6);
  assert.equal(await dev.writeAttribute("some", "12345"), 2);
  await assert.rejects(dev.writeAttribute("picky", "1"), { code: "ERANGE" });
  assert.deepEqual(stored, ["d: grüß"]);
});

test("the mode is asked first, then whether there is something to show or store", async () => {
  const show = () => "1\n";
  const store = () => {};
  const { dev } = await withAttributes([
    { name: "ro", show },
    { name: "wo", store },
    { name: "rw", show, store },
    { name: "locked", mode: 0o444, show, store },
    { name: "promises", mode: 0o644 },
    { name: "neither" },
  ]);
  const mode = (name: string) => dev.attributes.entry(name);
  assert.deepEqual(mode("ro"), { kind: "file", mode: 0o444 });
  assert.deepEqual(mode("wo"), { kind: "file", mode: 0o200 });
  assert.deepEqual(mode("rw"), { kind: "file", mode: 0o644 });
  const answers = async (operation: Promise<unknown>) =>
    operation.then(
      () => "ok",
      ({ code }: KernelError) => code,
    );
  const table: Record<string, readonly [read: string, write: string]> = {};
  for (const name of ["ro", "wo", "rw", "locked", "promises", "neither", "none"]) {
    table[name] = [await answers(dev.readAttribute(name)), await answers(dev.writeAttribute(name, "1"))];
  }
  assert.deepEqual(table, {
    ro: ["ok", "EACCES"],
    wo: ["EACCES", "ok"],
    rw: ["ok", "ok"],
    locked: ["ok", "EACCES"],
    promises: ["EIO", "EIO"],
    neither: ["EIO", "EIO"],
    none: ["ENOENT", "ENOENT"],
  });
});

test("a page can be shown and one byte less stored; beyond that it is said what the limit is", async () => {
  const stored: number[] = [];
  const { dev, log } = await withAttributes([
    { name: "page", show: () => "x".repeat(4096) },
    { name: "more", show: () => `${"x".repeat(4095)}ü` },
    { name: "sink", store: (_device, text) => void stored.push(text.length) },
  ]);
  assert.equal((await dev.readAttribute("page")).length, 4096);
  await assert.rejects(dev.readAttribute("more"), { code: "EIO", message: /4097 bytes, the limit is 4096/ });
  assert.deepEqual(
    log.map(({ level, event }) => [level, event]),
    [["error", "attribute.show-too-long"]],
  );
  assert.equal(await dev.writeAttribute("sink", "x".repeat(4095)), 4095);
  assert.deepEqual(stored, [4095]);
  await assert.rejects(dev.writeAttribute("sink", "x".repeat(4096)), { code: "EINVAL", message: /4095/ });
  assert.deepEqual(stored, [4095]);
});

test("a named group is a directory, and isVisible says once which mode each attribute gets", async () => {
  const asked: string[] = [];
  const group: AttributeGroup<Device> = {
    name: "limits",
    attributes: [
      { name: "bytes", show: () => "8\n", store: () => {} },
      { name: "hidden", show: () => "" },
      { name: "broken", show: () => "" },
    ],
    isVisible(device, { name }) {
      asked.push(`${device.name} ${name}`);
      if (name === "broken") throw new Error("can't say");
      return name === "hidden" ? 0 : 0o400;
    },
  };
  const { dev, log } = await withAttributes([{ name: "top", show: () => "" }], [group]);
  assert.deepEqual(dev.attributes.list(), ["top", "limits/bytes"]);
  assert.deepEqual(dev.attributes.names(), ["top", "limits"]);
  assert.deepEqual(dev.attributes.names("limits"), ["bytes"]);
  assert.deepEqual(dev.attributes.entry("limits"), { kind: "directory" });
  assert.deepEqual(dev.attributes.entry("limits/bytes"), { kind: "file", mode: 0o400 });
  assert.equal(await dev.readAttribute("limits/bytes"), "8\n");
  await assert.rejects(dev.writeAttribute("limits/bytes", "9"), { code: "EACCES" });
  await assert.rejects(dev.readAttribute("limits/hidden"), { code: "ENOENT" });
  assert.deepEqual(asked, ["d bytes", "d hidden", "d broken"]);
  assert.equal(log[0]?.event, "attribute.visibility-failed");
});

test("attributes and groups come and go on a registered device; names are unique and a group comes whole", async () => {
  const { dev, system } = await withAttributes([{ name: "a", show: () => "1" }]);
  const group = { attributes: ["b", "c"].map((name) => ({ name, show: () => name })) };
  dev.attributes.addGroup(group);
  dev.attributes.addGroup({ name: "g", attributes: [{ name: "a", show: () => "g/a" }] });
  assert.deepEqual(dev.attributes.list(), ["a", "b", "c", "g/a"]);
  const clash = (name: string, group?: string) => () =>
    dev.attributes.addGroup({
      attributes: [{ name: "new" }, { name }],
      ...(group === undefined ? {} : { name: group }),
    });
  for (const add of [clash("b"), clash("g"), clash("x", "g"), clash("x", "a"), clash("new")]) {
    assert.throws(add, { code: "EEXIST" });
  }
  for (const name of ["", "..", "x/y", "x\0"]) assert.throws(clash(name), { code: "EINVAL" });
  assert.deepEqual(dev.attributes.list(), ["a", "b", "c", "g/a"]);
  await dev.attributes.removeGroup(group);
  await dev.attributes.removeAttribute("g/a");
  await dev.attributes.removeAttribute("never was");
  assert.deepEqual(dev.attributes.list(), ["a"]);
  await assert.rejects(dev.readAttribute("b"), { code: "ENODEV" });
  dev.attributes.add({ name: "b", show: () => "again" });
  assert.equal(await dev.readAttribute("b"), "again");
  await system.removeDevice(dev);
  assert.throws(() => dev.attributes.add({ name: "late" }), { code: "ENODEV" });
  await dev.attributes.removeGroup(group);
});

test("removing one attribute waits for what runs on it, not for what runs on another", async () => {
  const { dev, system, trace } = await withAttributes([]);
  const go = new Completion(system.runtime, "go");
  const slow = (name: string): Attribute => ({
    name,
    store: async () => {
      await go.wait();
      trace.push(`stored ${name}`);
    },
  });
  dev.attributes.add(slow("a"));
  dev.attributes.add(slow("b"));
  dev.attributes.add({ name: "c", show: () => "" });
  const writes = [dev.writeAttribute("a", ""), dev.writeAttribute("b", "")];
  await turn();
  await dev.attributes.removeAttribute("c");
  const removal = dev.attributes.removeAttribute("a").then(() => trace.push("removed a"));
  await turn();
  await assert.rejects(dev.writeAttribute("a", ""), { code: "ENODEV" });
  assert.equal(trace.at(-1), "add d");
  go.completeAll();
  await Promise.all([...writes, removal]);
  assert.deepEqual(trace.slice(1), ["stored a", "stored b", "removed a"]);
});

test("a removal that misses its deadline has removed all the same, and the device's own still waits", async () => {
  const { dev, system, trace } = await withAttributes([]);
  const go = new Completion(system.runtime, "go");
  dev.attributes.add({
    name: "slow",
    show: async () => {
      await go.wait();
      trace.push("shown");
      return "";
    },
  });
  const reading = dev.readAttribute("slow");
  await turn();
  const deadline = system.runtime.clock.now();
  await assert.rejects(dev.attributes.removeAttribute("slow", { deadline }), { code: "ETIMEDOUT" });
  assert.deepEqual(dev.attributes.list(), []);
  const removal = system.removeDevice(dev);
  await turn();
  go.completeAll();
  await Promise.all([reading, removal]);
  assert.deepEqual(trace, ["add d", "shown", "remove d"]);
});

test("buses, classes and drivers have attributes while they are registered", async () => {
  const system = new System();
  const seen: unknown[] = [];
  const attribute: Attribute = {
    name: "about",
    show: (subject) => `${(subject as { name: string }).name}\n`,
  };
  const attributes = [attribute, { name: "set", store: (subject: unknown) => void seen.push(subject) }];
  const bus = { ...toyBus, attributes };
  const deviceClass = { name: "c", groups: [{ name: "g", attributes }] };
  const driver = { name: "drv", bus, attributes, probe() {} };
  system.registerBus(bus);
  system.registerClass(deviceClass);
  await system.registerDriver(driver);
  assert.equal(await system.attributesOf({ bus }).read("about"), "toy\n");
  assert.equal(await system.attributesOf({ deviceClass }).read("g/about"), "c\n");
  const ofDriver = system.attributesOf({ driver });
  assert.equal(await ofDriver.read("about"), "drv\n");
  await ofDriver.write("set", "1");
  assert.deepEqual(seen, [driver]);
  ofDriver.add({ name: "more", show: () => "more" });
  assert.equal(await system.sysfs.read("/sys/bus/toy/drivers/drv/more"), "more");
  await system.unregisterDriver(driver);
  await assert.rejects(ofDriver.read("about"), { code: "ENODEV" });
  assert.throws(() => system.attributesOf({ driver }), { code: "EINVAL" });
  const ofBus = system.attributesOf({ bus });
  system.unregisterBus(bus);
  await assert.rejects(ofBus.read("about"), { code: "ENODEV" });
});
