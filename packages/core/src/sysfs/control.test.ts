/** The files that do something: their values and their errors. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "../bus.js";
import { Device } from "../device.js";
import type { Driver } from "../driver.js";
import { KernelError } from "../error.js";
import { traced, turn } from "../model.test.fixture.js";
import { Completion } from "../sync/completion.js";

const bus: Bus = {
  name: "toys",
  driverOverride: "name",
  match: (device, driver) => (device as Device).name.startsWith((driver as Driver).name.slice(0, 3)),
};

function toys() {
  const made = traced();
  const { system } = made;
  system.registerBus(bus);
  const driver = (name: string, parts?: Partial<Driver<Device>>) =>
    made.driver(name, { bus, ...parts }) as Driver;
  const device = async (name: string) => {
    const added = new Device(system.runtime, { name, bus });
    await system.addDevice(added);
    return added;
  };
  const write = (path: string, text: string) => system.sysfs.write(`/sys/bus/toys/${path}`, text);
  return { ...made, driver, device, write };
}

test("bind and unbind answer with the kernel's errors", async () => {
  const { system, driver, device, write, log } = toys();
  await write("drivers_autoprobe", "0\n");
  const gpu0 = await device("gpu0");
  await device("nic0");
  await system.registerDriver(driver("gpu"));
  assert.equal(gpu0.bound, false);
  assert.deepEqual(system.sysfs.list("/sys/bus/toys/drivers/gpu").toSorted(), ["bind", "uevent", "unbind"]);
  await assert.rejects(write("drivers/gpu/bind", "none"), { code: "ENODEV" });
  await assert.rejects(write("drivers/gpu/bind", "nic0"), { code: "ENODEV" });
  await assert.rejects(write("drivers/gpu/unbind", "gpu0"), { code: "ENODEV" });
  assert.equal(await write("drivers/gpu/bind", "gpu0\n"), 5);
  assert.equal(system.sysfs.readlink("/sys/devices/gpu0/driver"), "../../bus/toys/drivers/gpu");
  assert.equal(system.sysfs.readlink("/sys/bus/toys/drivers/gpu/gpu0"), "../../../../devices/gpu0");
  await assert.rejects(write("drivers/gpu/bind", "gpu0"), { code: "EBUSY" });
  await system.registerDriver(driver("gpuless"));
  await assert.rejects(write("drivers/gpuless/unbind", "gpu0"), { code: "ENODEV" });
  assert.equal(await write("drivers/gpu/unbind", "gpu0"), 4);
  assert.equal(system.sysfs.has("/sys/devices/gpu0/driver"), false);
  assert.equal(system.sysfs.has("/sys/bus/toys/drivers/gpu/gpu0"), false);
  await assert.rejects(system.sysfs.read("/sys/bus/toys/drivers/gpu/bind"), { code: "EACCES" });
  assert.deepEqual(log, []);
});

test("bind hands the probe's error on, and says try again when the driver can't yet", async () => {
  const { system, driver, device, write } = toys();
  for (const [name, code] of [
    ["gpu-full", "ENOSPC"],
    ["gpu-late", "EPROBE_DEFER"],
  ] as const) {
    const probe = () => {
      throw new KernelError(code, "as told");
    };
    await write("drivers_autoprobe", "0");
    await system.registerDriver(driver(name, { probe }));
  }
  await device("gpu0");
  await assert.rejects(write("drivers/gpu-full/bind", "gpu0"), { code: "ENOSPC" });
  await assert.rejects(write("drivers/gpu-late/bind", "gpu0"), { code: "EAGAIN" });
  assert.deepEqual(system.deferredDevices(), []);
});

test("a driver that suppresses it has neither bind nor unbind", async () => {
  const { system, driver, write } = toys();
  await system.registerDriver(driver("gpu", { suppressBindAttrs: true }));
  assert.deepEqual(system.sysfs.list("/sys/bus/toys/drivers/gpu"), ["uevent"]);
  await assert.rejects(write("drivers/gpu/bind", "gpu0"), { code: "ENOENT" });
});

test("bind, unbind and uevent of a driver appear after it has met its devices; the links come before its probe", async () => {
  const { system, driver, device } = toys();
  const seen: string[] = [];
  const look = (when: string) => {
    const { sysfs } = system;
    seen.push(
      `${when}: ${sysfs.list("/sys/bus/toys/drivers/gpu").join(" ")}, ${sysfs.has("/sys/devices/gpu0/driver")}`,
    );
  };
  await device("gpu0");
  const gpu = driver("gpu", { probe: () => look("probe"), remove: () => look("remove") });
  await system.registerDriver(gpu);
  look("bound");
  await system.unregisterDriver(gpu);
  assert.deepEqual(seen, ["probe: gpu0, true", "bound: uevent bind unbind gpu0, true", "remove: , false"]);
  assert.throws(() => system.sysfs.list("/sys/bus/toys/drivers/gpu"), { code: "ENOENT" });
});

test("drivers_probe looks for a driver whether autoprobe is on or not; what has one or finds none is no error", async () => {
  const { system, driver, device, write } = toys();
  const autoprobe = () => system.sysfs.read("/sys/bus/toys/drivers_autoprobe");
  assert.equal(await autoprobe(), "1\n");
  await write("drivers_autoprobe", "0x1");
  assert.equal(await autoprobe(), "0\n");
  const gpu0 = await device("gpu0");
  await device("nic0");
  await system.registerDriver(driver("gpu"));
  assert.equal(gpu0.bound, false);
  await assert.rejects(write("drivers_probe", "none"), { code: "ENODEV" });
  assert.equal(await write("drivers_probe", "nic0"), 4);
  assert.equal(await write("drivers_probe", "gpu0\n"), 5);
  assert.equal(gpu0.bound, true);
  assert.equal(await write("drivers_probe", "gpu0"), 4);
  for (const text of ["1", "no", ""]) {
    await write("drivers_autoprobe", "0");
    await write("drivers_autoprobe", text);
    assert.equal(await autoprobe(), "1\n", JSON.stringify(text));
  }
});

test("an override shows (null) until it is set, is cut at the newline and cleared by an empty one", async () => {
  const { system, device, driver } = toys();
  await device("gpu0");
  const path = "/sys/devices/gpu0/driver_override";
  assert.deepEqual(system.sysfs.stat(path), { kind: "file", mode: 0o644 });
  const shown: string[] = [];
  for (const text of [null, "nic\n", "a\nb", "\n", "x", ""]) {
    if (text !== null) assert.equal(await system.sysfs.write(path, text), text.length);
    shown.push(await system.sysfs.read(path));
  }
  assert.deepEqual(shown, ["(null)\n", "nic\n", "a\n", "(null)\n", "x\n", "(null)\n"]);
  await assert.rejects(system.sysfs.write(path, "x".repeat(4095)), { code: "EINVAL" });
  await system.sysfs.write(path, "nic");
  await system.registerDriver(driver("nic"));
  assert.equal(system.sysfs.readlink("/sys/devices/gpu0/driver"), "../../bus/toys/drivers/nic");
  const plain = new Device(system.runtime, { name: "plain" });
  await system.addDevice(plain);
  assert.equal(system.sysfs.has("/sys/devices/plain/driver_override"), false);
});

test("state_synced is there while a driver that wants to know is bound, and takes 1 once", async () => {
  const { system, device, driver, trace } = toys();
  const supplier = await device("sup0");
  const consumer = await device("con0");
  system.addLink(consumer, supplier);
  const path = "/sys/devices/sup0/state_synced";
  assert.equal(system.sysfs.has(path), false);
  const sup = driver("sup", { syncState: ({ name }) => void trace.push(`synced ${name}`) });
  await system.registerDriver(sup);
  assert.equal(await system.sysfs.read(path), "0\n");
  await assert.rejects(system.sysfs.write(path, "0"), { code: "EINVAL" });
  assert.equal(await system.sysfs.write(path, "1"), 1);
  assert.equal(await system.sysfs.read(path), "1\n");
  assert.equal(trace.at(-1), "synced sup0");
  await assert.rejects(system.sysfs.write(path, "1"), { code: "EINVAL" });
  await system.unregisterDriver(sup);
  assert.equal(system.sysfs.has(path), false);
});

test("a device link is a directory of its own, and each of its devices points at it", async () => {
  const { system, device, driver } = toys();
  assert.deepEqual(system.sysfs.list("/sys/class/devlink"), []);
  assert.deepEqual(system.sysfs.list("/sys/devices/virtual"), []);
  const [supplier, consumer] = [await device("a--b"), await device("c")];
  system.addLink(consumer, supplier, ["autoremove-consumer"]);
  const name = "toys:a--b--toys:c";
  assert.deepEqual(system.sysfs.list("/sys/class/devlink"), [name]);
  assert.equal(system.sysfs.readlink(`/sys/class/devlink/${name}`), `../../devices/virtual/devlink/${name}`);
  assert.equal(system.sysfs.readlink("/sys/devices/a--b/consumer:toys:c"), `../virtual/devlink/${name}`);
  assert.equal(system.sysfs.readlink("/sys/devices/c/supplier:toys:a--b"), `../virtual/devlink/${name}`);
  assert.equal(system.sysfs.realpath(`/sys/class/devlink/${name}/consumer`), "/sys/devices/c");
  assert.equal(system.sysfs.realpath(`/sys/class/devlink/${name}/supplier`), "/sys/devices/a--b");
  assert.equal(await system.sysfs.read(`/sys/class/devlink/${name}/auto_remove_on`), "consumer unbind\n");
  const status = () => system.sysfs.read(`/sys/class/devlink/${name}/status`);
  assert.equal(await status(), "dormant\n");
  await system.registerDriver(driver("a--"));
  assert.equal(await status(), "available\n");
  await system.removeDevice(consumer);
  assert.deepEqual(system.sysfs.list("/sys/class/devlink"), []);
});

test("a write that waits for its device ends by its deadline", async () => {
  const { system, device, driver } = toys();
  const go = new Completion(system.runtime, "go");
  await device("gpu0");
  const registering = system.registerDriver(driver("gpu", { probe: () => go.wait() }));
  await turn();
  const options = { deadline: system.runtime.clock.now() };
  await assert.rejects(system.sysfs.write("/sys/devices/gpu0/driver_override", "x", options), {
    code: "ETIMEDOUT",
  });
  go.completeAll();
  await registering;
});
