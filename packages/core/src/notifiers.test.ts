import assert from "node:assert/strict";
import { test } from "node:test";
import { KernelError } from "./error.js";
import { toyBus, traced } from "./model.test.fixture.js";

test("a bus's notifiers are told in the places where Linux tells them", async () => {
  const { system, trace, device, driver } = traced();
  const dev = device("d0");
  dev.devres.addAction(() => void trace.push("devres of the device"));
  system.onBusEvent(toyBus, (event, { name, driver }) =>
    trace.push(`${event} ${name}${driver === null ? "" : ` of ${driver.name}`}`),
  );
  await system.addDevice(dev);
  await system.removeDevice(dev);
  const other = device("d1");
  await system.addDevice(other);
  trace.length = 0;
  const d = driver("d", { probe: (device) => void device.devres.addAction(() => void trace.push("devres")) });
  await system.registerDriver(d);
  await system.detach(other);
  assert.deepEqual(trace, [
    "bind-driver d1 of d",
    "bound-driver d1 of d",
    "bind d1",
    "add d",
    "unbind-driver d1 of d",
    "remove d d1",
    "devres",
    "unbound-driver d1",
    "unbind d1",
  ]);
});

test("a device that comes and goes", async () => {
  const { system, trace, device } = traced();
  const dev = device("d0");
  dev.devres.addAction(() => void trace.push("devres"));
  system.onBusEvent(toyBus, (event) => trace.push(event));
  await system.addDevice(dev);
  await system.removeDevice(dev);
  assert.deepEqual(trace, ["add-device", "add d0", "del-device", "devres", "removed-device", "remove d0"]);
});

test("a probe that fails ends with driver-not-bound, before its resources go, and no uevent", async () => {
  const { system, trace, device, driver } = traced();
  await system.addDevice(device("d0"));
  trace.length = 0;
  system.onBusEvent(toyBus, (event) => trace.push(event));
  await system.registerDriver(
    driver("d", {
      probe(device) {
        trace.push("probe");
        device.devres.addAction(() => void trace.push("devres"));
        throw new KernelError("ENODEV", "not mine");
      },
    }),
  );
  assert.deepEqual(trace, ["bind-driver", "probe", "driver-not-bound", "devres", "add d"]);
});

test("other buses' notifiers, those that ended, and those that throw hold nobody up", async () => {
  const { system, trace, log, device } = traced();
  const end = system.onBusEvent(toyBus, () => trace.push("ended"));
  end();
  end();
  system.onBusEvent({ ...toyBus, name: "other" }, () => trace.push("other"));
  system.onBusEvent(toyBus, () => {
    throw new Error("no");
  });
  system.onBusEvent(toyBus, (event) => trace.push(event));
  await system.addDevice(device("d0"));
  assert.deepEqual(trace, ["add-device", "add d0"]);
  assert.deepEqual(
    log.map(({ event }) => event),
    ["notifier.failed"],
  );
});
