import assert from "node:assert/strict";
import { test } from "node:test";
import { Device } from "./device.js";
import { toyBus, traced } from "./model.test.fixture.js";
import { System } from "./system.js";
import { serializeUevent, type Uevent } from "./uevent.js";

test("keys come in the kernel's order, MODALIAS not with unbind, DRIVER only while there is one", async () => {
  const { system, driver } = traced();
  const bus = { ...toyBus, name: "pci", uevent: () => [["MODALIAS", "pci:v1414"]] as const };
  system.registerBus(bus);
  const deviceClass = { name: "gpu", uevent: () => [["CLASSKEY", "1"]] as const };
  system.registerClass(deviceClass);
  const events: Uevent[] = [];
  system.onUevent((event) => events.push(event));
  await system.registerDriver(driver("d", { bus }));
  const dev = new Device(system.runtime, { name: "d0", bus, class: deviceClass, devtype: "vgpu" });
  await system.addDevice(dev);
  await system.removeDevice(dev);
  const own = events.filter(({ devpath }) => devpath === "/devices/virtual/gpu/d0");
  const names = (event: Uevent | undefined) => event?.keys.map(([key]) => key).join(" ");
  const head = "ACTION DEVPATH SUBSYSTEM";
  assert.deepEqual(
    own.map((event) => [event.action, names(event)]),
    [
      ["add", `${head} DEVTYPE MODALIAS CLASSKEY SEQNUM`],
      ["bind", `${head} DEVTYPE DRIVER MODALIAS CLASSKEY SEQNUM`],
      ["unbind", `${head} DEVTYPE CLASSKEY SEQNUM`],
      ["remove", `${head} DEVTYPE MODALIAS CLASSKEY SEQNUM`],
    ],
  );
  assert.equal(own[0]?.subsystem, "pci", "the bus names the subsystem before the class does");
});

test("numbers start at 1 and have no gaps, and the wire form carries the same", async () => {
  const system = new System();
  const events: Uevent[] = [];
  system.onUevent((event) => events.push(event));
  system.registerBus(toyBus);
  await system.registerDriver({ name: "d", bus: toyBus, probe() {} });
  assert.deepEqual(events.map(serializeUevent), [
    "add@/bus/toy\0ACTION=add\0DEVPATH=/bus/toy\0SUBSYSTEM=bus\0SEQNUM=1\0",
    "add@/bus/toy/drivers/d\0ACTION=add\0DEVPATH=/bus/toy/drivers/d\0SUBSYSTEM=drivers\0SEQNUM=2\0",
  ]);
});

test("a listener that causes an event does not let others see it early; one that fails does not stop the others", () => {
  const { system, log } = traced();
  const seen: string[] = [];
  system.onUevent(({ devpath }) => {
    if (devpath === "/class/a") system.registerClass({ name: "b" });
  });
  system.onUevent(() => assert.fail("listener"));
  const stop = system.onUevent(({ devpath }) => seen.push(devpath));
  system.registerClass({ name: "a" });
  stop();
  system.registerClass({ name: "c" });
  assert.deepEqual(seen, ["/class/a", "/class/b"]);
  assert.equal(log.filter(({ event }) => event === "uevent.listener-failed").length, 3);
});

test("a device with neither bus nor class is not told about", async () => {
  const { system, trace } = traced();
  const dev = new Device(system.runtime, { name: "quiet" });
  await system.addDevice(dev);
  await system.removeDevice(dev);
  assert.deepEqual(trace, []);
});

test("a bus whose keys can't be had still has its devices told about", async () => {
  const { system, log, driver } = traced();
  const bus = {
    ...toyBus,
    name: "broken",
    uevent: () => {
      throw new Error("no id");
    },
  };
  system.registerBus(bus);
  await system.registerDriver(driver("d", { bus }));
  const dev = new Device(system.runtime, { name: "d0", bus });
  await system.addDevice(dev);
  assert.equal(dev.bound, true);
  assert.equal(log[0]?.event, "uevent.keys-failed");
});

test("a change is announced with what is told besides, of a device that anybody hears of", async () => {
  const { system, device } = traced();
  const events: Uevent[] = [];
  system.onUevent((event) => events.push(event));
  const dev = device("d0");
  const silent = new Device(system.runtime, { name: "silent" });
  for (const each of [dev, silent]) await system.addDevice(each);
  events.length = 0;
  system.announceChange(dev, [["MDEV_STATE", "registered"]]);
  system.announceChange(silent, []);
  dev.uevents = "suppressed";
  system.announceChange(dev, []);
  assert.deepEqual(
    events.map(({ keys }) => keys.map(([key, value]) => `${key}=${value}`).join(" ")),
    ["ACTION=change DEVPATH=/devices/d0 SUBSYSTEM=toy MDEV_STATE=registered SEQNUM=3"],
  );
});
