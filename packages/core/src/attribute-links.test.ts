/** Directories in directories, and links beside attributes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { traced } from "./model.test.fixture.js";

/** A device `d` with a group of types, and what the group's links lead to. */
async function withTypes() {
  const made = traced();
  const members = new Map<string, string>();
  const type = { name: "types/one", attributes: [{ name: "size", show: () => "1\n" }] };
  const devices = { name: "types/one/devices", attributes: [], links: () => members };
  const other = { name: "types/two", attributes: [{ name: "size", show: () => "2\n" }] };
  const dev = made.device("d", { groups: [type, devices, other] });
  await made.system.addDevice(dev);
  return { ...made, dev, members, type, devices, other };
}

test("a group's name may be a directory in a directory, which several groups share", async () => {
  const { system, dev, type, other } = await withTypes();
  const { sysfs } = system;
  assert.deepEqual(sysfs.list("/sys/devices/d/types"), ["one", "two"]);
  assert.deepEqual(sysfs.list("/sys/devices/d/types/one"), ["size", "devices"]);
  assert.equal(await sysfs.read("/sys/devices/d/types/two/size"), "2\n");
  assert.equal(sysfs.stat("/sys/devices/d/types").kind, "directory");
  await dev.attributes.removeGroup(type);
  assert.deepEqual(sysfs.list("/sys/devices/d/types/one"), ["devices"]);
  await dev.attributes.removeGroup(other);
  assert.deepEqual(sysfs.list("/sys/devices/d/types"), ["one"]);
  assert.equal(sysfs.has("/sys/devices/d/types/two"), false);
});

test("a group's links are what it says when somebody looks, and its directory is there without any", async () => {
  const { system, dev, members, devices, type } = await withTypes();
  const { sysfs } = system;
  const path = "/sys/devices/d/types/one/devices";
  assert.deepEqual(sysfs.list(path), []);
  members.set("self", dev.devpath);
  assert.deepEqual(sysfs.list(path), ["self"]);
  assert.equal(sysfs.readlink(`${path}/self`), "../../../../d");
  assert.equal(await sysfs.read(`${path}/self/types/one/size`), "1\n");
  members.clear();
  assert.equal(sysfs.has(`${path}/self`), false);
  await dev.attributes.removeGroup(devices);
  assert.equal(sysfs.has(path), false);
  await dev.attributes.removeGroup(type);
  dev.attributes.addGroup(devices);
  assert.deepEqual(sysfs.list("/sys/devices/d/types/one"), ["devices"]);
  await system.removeDevice(dev);
  assert.equal(dev.attributes.entry("types"), undefined);
});

test("links stand beside attributes of a device and of a class; links that can't be told are none", async () => {
  const { system, dev, log } = await withTypes();
  const compat = {
    name: "compat",
    attributes: [{ name: "version", show: () => "1\n" }],
    groups: [{ attributes: [], links: () => new Map([["d", dev.devpath]]) }],
  };
  system.registerClass(compat);
  assert.deepEqual(system.sysfs.list("/sys/class/compat"), ["version", "d"]);
  assert.equal(system.sysfs.readlink("/sys/class/compat/d"), "../../devices/d");
  dev.attributes.addGroup({ attributes: [], links: () => new Map([["up", "/devices"]]) });
  assert.ok(system.sysfs.list("/sys/devices/d").includes("up"));
  assert.equal(system.sysfs.realpath("/sys/devices/d/up/d"), "/sys/devices/d");
  dev.attributes.addGroup({
    name: "broken",
    attributes: [],
    links: () => {
      throw new Error("can't say");
    },
  });
  assert.deepEqual(system.sysfs.list("/sys/devices/d/broken"), []);
  assert.equal(log.at(-1)?.event, "attribute.links-failed");
});

test("no group stands in another's place", async () => {
  const { dev } = await withTypes();
  const add = (name: string | undefined, attribute?: string) => () =>
    dev.attributes.addGroup({
      ...(name === undefined ? { links: () => new Map() } : { name }),
      attributes: attribute === undefined ? [] : [{ name: attribute }],
    });
  for (const clash of [
    add("types/one", "new"),
    add("types/one/devices", "new"),
    add("types/one/size", "new"),
    add("types", "one"),
    add(undefined, "types"),
  ]) {
    assert.throws(clash, { code: "EEXIST" });
  }
  for (const name of ["", "/types", "types/", "types//x", "types/../x"])
    assert.throws(add(name, "new"), { code: "EINVAL" });
  add("types", "count")();
  add("types/three/four", "new")();
  assert.deepEqual([...dev.attributes.names("types")].sort(), ["count", "one", "three", "two"]);
});
