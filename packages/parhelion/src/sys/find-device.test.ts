import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bus, Device, miscClass } from "parhelion-core";
import { findDevice } from "./find-device.js";
import { bus, inToyland } from "./toyland.test.fixture.js";

test("a device is found by its name, by the beginning of it, and by every way that leads to it", () =>
  inToyland(async (client, system) => {
    const port0 = { name: "port0", bus: "wide", path: "/sys/devices/root/port0" };
    for (const word of [
      "port0",
      "/devices/root/port0",
      "/sys/devices/root/port0",
      "/sys/bus/wide/devices/port0",
      "/sys/bus/wide/drivers/serial/port0/../port0",
    ])
      assert.deepEqual(await findDevice(client, word), port0, word);
    const parent = system.deviceAt("/devices/root/port1");
    assert.ok(parent);
    const child = new Device(system.runtime, { name: "deep", parent, bus: { ...bus("deepness") } });
    system.registerBus(child.bus as Bus);
    await system.addDevice(child);
    assert.deepEqual(await findDevice(client, "de"), {
      name: "deep",
      bus: "deepness",
      path: "/sys/devices/root/port1/deep",
    });
  }));

test("several that are meant are listed, unless the driver tells which", () =>
  inToyland(async (client) => {
    await assert.rejects(findDevice(client, "port"), {
      code: "EINVAL",
      message: "EINVAL: 2 devices are called port: /sys/devices/port, /sys/devices/root/port",
    });
    assert.equal((await findDevice(client, "port", "serial")).path, "/sys/devices/root/port");
    await assert.rejects(findDevice(client, "po", "nothing"), /4 devices are called po/);
    await assert.rejects(findDevice(client, "po", "serial"), /3 devices are called po/);
  }));

test("what is no device of a bus is refused with the reason", () =>
  inToyland(async (client, system) => {
    await system.addDevice(new Device(system.runtime, { name: "lonely", class: miscClass }));
    await assert.rejects(
      findDevice(client, "/sys/class/misc/lonely"),
      /it belongs to \/sys\/class\/misc, which is no bus/,
    );
    await assert.rejects(findDevice(client, "/sys/bus/wide"), /it is no device/);
    await assert.rejects(findDevice(client, "/sys/devices/root/port2"), { code: "ENOENT" });
    await assert.rejects(findDevice(client, "prot"), {
      code: "ENODEV",
      remedy: /^there are port \(narrow\)/,
    });
  }));
