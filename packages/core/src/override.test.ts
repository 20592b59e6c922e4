import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "./bus.js";
import type { Device } from "./device.js";
import type { Driver } from "./driver.js";
import { toyBus, traced, turn } from "./model.test.fixture.js";
import { Completion } from "./sync/completion.js";

const platform: Bus<Device, Driver> = { ...toyBus, name: "platform", driverOverride: "name" };
const css: Bus<Device, Driver> = { ...toyBus, name: "css", driverOverride: "name-and-match" };

function world(bus: Bus<Device, Driver>) {
  const made = traced();
  made.system.registerBus(bus);
  return {
    ...made,
    on: (name: string) => made.device(name, { bus }),
    by: (name: string) => made.driver(name, { bus }),
  };
}

test("what is written is cut at the first newline, and an empty name clears it", async () => {
  const dev = world(platform).on("d");
  assert.equal(dev.driverOverride, null);
  for (const [text, name] of [
    ["vfio\n", "vfio"],
    ["one\ntwo\n", "one"],
    ["\nrest", null],
    ["again", "again"],
    ["", null],
    ["nul\0rest", "nul"],
    ["\n", null],
  ] as const) {
    await dev.setDriverOverride(text);
    assert.equal(dev.driverOverride, name, JSON.stringify(text));
  }
});

test("4094 bytes fit, 4095 are EINVAL and change nothing", async () => {
  const dev = world(platform).on("d");
  await dev.setDriverOverride("x".repeat(4094));
  await assert.rejects(dev.setDriverOverride("x".repeat(4095)), { code: "EINVAL" });
  await assert.rejects(dev.setDriverOverride("é".repeat(2048)), { code: "EINVAL" }, "bytes, not characters");
  assert.equal(dev.driverOverride?.length, 4094);
});

test("a bus without an override says so", async () => {
  const { device } = traced();
  await assert.rejects(device("d").setDriverOverride("x"), { code: "EOPNOTSUPP" });
  assert.equal(device("d").driverOverride, null);
});

test("only the driver of that name binds, and on a name bus it needs no match", async () => {
  const { system, on, by } = world(platform);
  const dev = on("dev");
  await dev.setDriverOverride("stranger");
  await system.registerDriver(by("dev"));
  await system.addDevice(dev);
  assert.equal(dev.bound, false, "its own driver is kept away");
  await system.registerDriver(by("stranger"));
  assert.equal(dev.driver?.name, "stranger");
});

test("on a name-and-match bus the named driver must match as well", async () => {
  const { system, on, by } = world(css);
  const [foreign, own] = [on("other"), on("dev0")];
  for (const dev of [foreign, own]) await dev.setDriverOverride("dev");
  await system.registerDriver(by("dev"));
  for (const dev of [foreign, own]) await system.addDevice(dev);
  assert.equal(foreign.driver, null);
  assert.equal(own.driver?.name, "dev");
});

test("setting it neither unbinds nor binds", async () => {
  const { system, on, by, trace } = world(platform);
  const dev = on("dev");
  await system.registerDriver(by("dev"));
  await system.registerDriver(by("stranger"));
  await system.addDevice(dev);
  trace.length = 0;
  await dev.setDriverOverride("stranger");
  assert.equal(dev.driver?.name, "dev");
  await system.detach(dev);
  await dev.setDriverOverride("dev");
  assert.deepEqual(trace, ["remove dev dev", "unbind dev"]);
  await system.driversProbe(platform, "dev");
  assert.equal(dev.driver?.name, "dev");
});

test("an override that changes between a new driver's match and its probe is obeyed", async () => {
  const { system, on, by } = world(platform);
  const dev = on("dev");
  await system.addDevice(dev);
  const held = await dev.mutex.lock();
  const registering = system.registerDriver(by("dev"));
  await turn();
  const setting = dev.setDriverOverride("stranger");
  await turn();
  held.release();
  await registering;
  await setting;
  assert.equal(dev.driver?.name, "dev", "the driver was first in the queue for the lock");
  await system.detach(dev);

  await dev.setDriverOverride("");
  const again = await dev.mutex.lock();
  const changing = dev.setDriverOverride("stranger");
  await turn();
  const binding = assert.rejects(
    system.bind(by("dev"), "dev"),
    { code: "ENODEV" },
    "not registered as this object",
  );
  const second = system.registerDriver(by("deva"));
  await turn();
  again.release();
  await Promise.all([changing, binding, second]);
  assert.equal(dev.driver, null);
});

test("bind by hand matches under the lock: what was overridden while it waited is refused", async () => {
  const { system, on, by } = world(platform);
  const dev = on("dev");
  const own = by("dev");
  await system.registerDriver(own);
  await system.addDevice(dev);
  await system.detach(dev);
  const held = await dev.mutex.lock();
  const setting = dev.setDriverOverride("stranger");
  await turn();
  const binding = assert.rejects(system.bind(own, "dev"), { code: "ENODEV" });
  await turn();
  held.release();
  await setting;
  await binding;
  assert.equal(dev.driver, null);
  await system.attach(dev, own);
  assert.equal(dev.driver, own, "attach asks nobody");
});

test("a driver that is passed over while another probes sees the override that holds then", async () => {
  const { system, on, by } = world(platform);
  const dev = on("dev");
  const go = new Completion(system.runtime, "go");
  const refusing: Driver<Device> = {
    ...by("de"),
    async probe() {
      await go.wait();
      throw new Error("not me");
    },
  };
  await system.registerDriver(refusing);
  await system.registerDriver(by("dev"));
  const adding = system.addDevice(dev);
  await turn();
  const setting = dev.setDriverOverride("none");
  await turn();
  assert.equal(dev.driverOverride, null, "it can't change while a search holds the lock");
  go.complete();
  await adding;
  await setting;
  assert.equal(dev.driver?.name, "dev");
  assert.equal(dev.driverOverride, "none");
});
