import assert from "node:assert/strict";
import { test } from "node:test";
import { toyBus, traced, turn } from "./model.test.fixture.js";
import { Completion } from "./sync/completion.js";

const attribute = (name: string) => ({ name, show: () => `${name}\n` });

test("a driver's attributes are on the device from after probe until before remove", async () => {
  const { system, trace, device, driver } = traced();
  const dev = device("d0");
  const list = () => `[${dev.attributes.list()}]`;
  const d = driver("d", {
    deviceGroups: [{ attributes: [attribute("speed")] }, { name: "stats", attributes: [attribute("bytes")] }],
    probe: () => void trace.push(`probe ${list()}`),
    remove: () => void trace.push(`remove ${list()}`),
  });
  system.onUevent(({ action }) => {
    if (action === "bind") trace.push(`at bind ${list()}`);
  });
  await system.addDevice(dev);
  await system.registerDriver(d);
  assert.equal(await dev.readAttribute("stats/bytes"), "bytes\n");
  await system.detach(dev);
  await assert.rejects(dev.readAttribute("speed"), { code: "ENODEV" });
  assert.deepEqual(
    trace.filter((line) => line.includes("[")),
    ["probe []", "at bind [speed,stats/bytes]", "remove []"],
  );
  await system.attach(dev, d);
  assert.equal(await dev.readAttribute("speed"), "speed\n", "each binding adds them anew");
});

test("remove waits for what runs on the driver's attributes", async () => {
  const { system, trace, device, driver } = traced();
  const go = new Completion(system.runtime, "go");
  const slow = {
    name: "slow",
    show: async () => {
      await go.wait();
      trace.push("shown");
      return "";
    },
  };
  const dev = device("d0");
  await system.registerDriver(driver("d", { deviceGroups: [{ attributes: [slow] }] }));
  await system.addDevice(dev);
  const reading = dev.readAttribute("slow");
  await turn();
  const detaching = system.detach(dev);
  await turn();
  trace.push("-");
  go.complete();
  await Promise.all([reading, detaching]);
  assert.deepEqual(trace.slice(-4), ["-", "shown", "remove d d0", "unbind d0"]);
});

test("an attribute that can't be added has the driver removed and the probe count as failed", async () => {
  const { system, trace, log, device, driver } = traced();
  const dev = device("d0", { attributes: [attribute("taken")] });
  const d = driver("d", {
    deviceGroups: [{ attributes: [attribute("free")] }, { attributes: [attribute("taken")] }],
    probe: (device) => {
      device.devres.addAction(() => void trace.push("devres"));
      return "state";
    },
    remove: (_device, state) => void trace.push(`remove ${state}`),
  });
  system.onBusEvent(toyBus, (event) => trace.push(event));
  await system.addDevice(dev);
  trace.length = 0;
  await system.registerDriver(d);
  assert.deepEqual(trace, ["bind-driver", "remove state", "driver-not-bound", "devres", "add d"]);
  assert.deepEqual(dev.attributes.list(), ["taken"]);
  assert.equal(dev.bound, false);
  assert.equal(log.at(-1)?.event, "probe.failed");
  await assert.rejects(system.attach(dev, d), { code: "EEXIST" });
});

test("an attribute that can't be added ends the search: the next driver is not asked", async () => {
  const { system, trace, device, driver } = traced();
  const dev = device("dev0", { attributes: [attribute("taken")] });
  await system.registerDriver(driver("d", { deviceGroups: [{ attributes: [attribute("taken")] }] }));
  await system.registerDriver(driver("dev"));
  trace.length = 0;
  await system.addDevice(dev);
  assert.deepEqual(trace, ["add dev0", "probe d dev0", "remove d dev0"]);
  await assert.rejects(system.driversProbe(toyBus, "dev0"), { code: "EINVAL" });
  assert.equal(dev.driver, null);
});

test("a bus gives its devices and its drivers attributes", async () => {
  const { system, device, driver } = traced();
  const bus = {
    ...toyBus,
    name: "rich",
    deviceGroups: [{ attributes: [attribute("modalias")] }],
    driverGroups: [{ attributes: [attribute("new_id")] }],
  };
  system.registerBus(bus);
  const dev = device("d0", { bus, groups: [{ attributes: [attribute("own")] }] });
  const d = driver("d", { bus, attributes: [attribute("version")] });
  await system.addDevice(dev);
  await system.registerDriver(d);
  assert.deepEqual(dev.attributes.list(), ["modalias", "own"]);
  assert.deepEqual(system.attributesOf({ driver: d }).list(), ["version", "new_id"]);
  assert.throws(() => device("d1", { bus, attributes: [attribute("modalias")] }), { code: "EEXIST" });
});
