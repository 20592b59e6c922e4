import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "./bus.js";
import { Device } from "./device.js";
import { toyBus, traced } from "./model.test.fixture.js";
import { serializeUevent } from "./uevent.js";
import { parseSyntheticUevent } from "./uevent-synthetic.js";

const uuid = "fe4d7c9d-b8c6-4a70-9ef1-3d8a58d18eed";

test("an action may be followed by a UUID and that by arguments, all of letters and digits", () => {
  const parsed = (text: string) => {
    const { action, keys } = parseSyntheticUevent(text);
    return [action, ...keys.map((key) => key.join("="))].join(" ");
  };
  assert.equal(parsed("add"), "add SYNTH_UUID=0");
  assert.equal(parsed("change\n"), "change SYNTH_UUID=0");
  assert.equal(parsed(`remove ${uuid}`), `remove SYNTH_UUID=${uuid}`);
  assert.equal(
    parsed(`add ${uuid} A=1 abc=Def2\n`),
    `add SYNTH_UUID=${uuid} SYNTH_ARG_A=1 SYNTH_ARG_abc=Def2`,
  );
  const wrong = ["", "\n", "ad", "adds", "ADD", "add\n\n", " add", "add ", "add 0", "add  ", `add ${uuid} `];
  const wrongArguments = ["A", "A=", "=1", "A=1  B=2", "A=1=2", "A_B=1", "A=ü", "A=1\nB=2", "A=a.b"];
  for (const text of [...wrong, ...wrongArguments.map((word) => `add ${uuid} ${word}`)]) {
    assert.throws(() => parseSyntheticUevent(text), { code: "EINVAL" }, JSON.stringify(text));
  }
  const long = `add ${uuid} A=${"x".repeat(2100)}`;
  assert.throws(() => parseSyntheticUevent(long), { code: "EINVAL", message: /limit is 2048/ });
});

async function withDevice() {
  const made = traced();
  const { system } = made;
  const bus: Bus = { ...(toyBus as Bus), name: "pci", uevent: () => [["MODALIAS", "pci:d"]] };
  system.registerBus(bus);
  await system.registerDriver(made.driver("d", { bus }));
  const dev = new Device(system.runtime, { name: "d0", bus, devtype: "vgpu" });
  await system.addDevice(dev);
  const events: string[] = [];
  system.onUevent((event) => events.push(serializeUevent(event).split("\0").slice(0, -2).join(" ")));
  return { ...made, dev, events };
}

test("writing a device's uevent file tells about it once more, and reading it lists what would be told", async () => {
  const { system, events } = await withDevice();
  assert.equal(await system.sysfs.write("/sys/devices/d0/uevent", "change\n"), 7);
  assert.equal(await system.sysfs.write("/sys/devices/d0/uevent", `unbind ${uuid} K=V`), 47);
  const head = (action: string) => `${action}@/devices/d0 ACTION=${action} DEVPATH=/devices/d0 SUBSYSTEM=pci`;
  assert.deepEqual(events, [
    `${head("change")} SYNTH_UUID=0 DEVTYPE=vgpu DRIVER=d MODALIAS=pci:d`,
    `${head("unbind")} SYNTH_UUID=${uuid} SYNTH_ARG_K=V DEVTYPE=vgpu DRIVER=d`,
  ]);
  assert.equal(await system.sysfs.read("/sys/devices/d0/uevent"), "DEVTYPE=vgpu\nDRIVER=d\nMODALIAS=pci:d\n");
  await assert.rejects(system.sysfs.write("/sys/devices/d0/uevent", "explode"), { code: "EINVAL" });
  assert.equal(events.length, 2);
});

test("a driver and a bus can be made to tell about themselves too, but not be read", async () => {
  const { system, events } = await withDevice();
  await system.sysfs.write("/sys/bus/pci/uevent", "change");
  await system.sysfs.write("/sys/bus/pci/drivers/d/uevent", "change");
  assert.deepEqual(events, [
    "change@/bus/pci ACTION=change DEVPATH=/bus/pci SUBSYSTEM=bus SYNTH_UUID=0",
    "change@/bus/pci/drivers/d ACTION=change DEVPATH=/bus/pci/drivers/d SUBSYSTEM=drivers SYNTH_UUID=0",
  ]);
  for (const path of ["/sys/bus/pci/uevent", "/sys/bus/pci/drivers/d/uevent"]) {
    await assert.rejects(system.sysfs.read(path), { code: "EACCES" });
  }
});

test("while a device's uevents are suppressed nobody is told, and what is announced by hand later has its driver", async () => {
  const { system, driver, trace } = traced();
  await system.registerDriver(driver("d"));
  const dev = new Device(system.runtime, { name: "d0", bus: toyBus });
  const events: string[] = [];
  system.onUevent(({ action, keys }) => {
    events.push([action, ...keys.filter(([key]) => key === "DRIVER").map(([, value]) => value)].join(" "));
  });
  dev.uevents = "suppressed";
  await system.addDevice(dev);
  assert.equal(trace.at(-1), "probe d d0");
  assert.equal(await system.sysfs.write("/sys/devices/d0/uevent", "add"), 3);
  assert.deepEqual(events, []);
  dev.uevents = "sent";
  await system.sysfs.write("/sys/devices/d0/uevent", "add");
  await system.removeDevice(dev);
  assert.deepEqual(events, ["add d", "unbind", "remove"]);
});

test("a driver that was announced is taken back when it goes, unless somebody did that by hand", async () => {
  const { system, driver, trace } = traced();
  for (const [name, taken] of [
    ["a", "by us"],
    ["b", "by hand"],
  ] as const) {
    const each = driver(name);
    await system.registerDriver(each);
    trace.length = 0;
    if (taken === "by hand") await system.sysfs.write(`/sys/bus/toy/drivers/${name}/uevent`, "remove");
    await system.unregisterDriver(each);
    assert.deepEqual(trace, [`remove ${name}`], taken);
  }
});
