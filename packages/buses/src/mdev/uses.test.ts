/** Which driver has an mdev, and how that changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "parhelion-core";
import { removeFile, uuids, withGate, withParent } from "./mdev.test.fixture.js";

const [one, two, three] = uuids;

test("D7.7: nobody finds a driver for an unbound mdev, it can be removed, and bound again to what its parent allows", async (t) => {
  const rig = await withParent(t);
  const { system, mdev, parent, projected } = rig;
  const { sysfs } = system;
  await rig.driver("foreign");
  const device = await parent.create("full", one);
  const drivers = "/sys/bus/mdev/drivers";
  await sysfs.write(`${drivers}/projected/unbind`, `${one}\n`);
  assert.equal(device.use, null);
  await sysfs.write("/sys/bus/mdev/drivers_autoprobe", "1");
  await sysfs.write("/sys/bus/mdev/drivers_probe", one);
  await system.probeDevice(device);
  await rig.driver("another");
  await system.unregisterDriver(projected);
  await system.registerDriver(projected);
  assert.equal(device.driver, null);
  await assert.rejects(sysfs.write(`${drivers}/foreign/bind`, one), { code: "ENODEV" });
  await assert.rejects(system.attach(device, system.findDriver(mdev.bus as Bus, "foreign") as never), {
    code: "ENODEV",
  });
  await sysfs.write(`${drivers}/local/bind`, `${one}\n`);
  assert.equal(device.use, "local");
  await assert.rejects(sysfs.write(`${drivers}/projected/bind`, one), { code: "EBUSY" });
  await sysfs.write(`${drivers}/local/unbind`, one);
  await sysfs.write(removeFile(one), "1");
  assert.equal(mdev.find(one), undefined);
});

test("D7.7: a use is changed in one call, and what may not be leaves all as it is", async (t) => {
  const { system, mdev, parent, trace } = await withParent(t);
  const device = await parent.create("full", one);
  await mdev.setUse(one, "local");
  await mdev.setUse(one, null);
  await mdev.setUse(one, "projected");
  assert.equal(device.use, "projected");
  trace.length = 0;
  await mdev.setUse(one, "projected");
  for (const use of ["foreign", "", "mdev"]) {
    await assert.rejects(mdev.setUse(one, use), { code: "ENODEV" });
  }
  await assert.rejects(mdev.setUse(two, "local"), { code: "ENODEV" });
  await assert.rejects(mdev.setUse("two", "local"), { code: "EINVAL" });
  assert.deepEqual(trace, []);
  assert.deepEqual(system.deferredDevices(), []);
});

test("nobody binds an mdev that is still being created, and its use can't be changed yet", async (t) => {
  const { system, mdev, parent, reached, go } = await withGate("probe");
  t.after(() => parent.unregister());
  const creating = parent.create("full", one);
  await reached.wait();
  const local = "/sys/bus/mdev/drivers/local/bind";
  const binding = assert.rejects(system.sysfs.write(local, one), /^KernelError: (EAGAIN|EBUSY)/);
  await assert.rejects(mdev.setUse(one, "local"), { code: "EAGAIN" });
  go.completeAll();
  assert.equal((await creating).use, "projected");
  await binding;
  await assert.rejects(system.sysfs.write(local, one), { code: "EBUSY" });
});

test("create binds the use that it is told, none as well, and only one that the parent allows", async (t) => {
  const rig = await withParent(t);
  const { parent } = rig;
  assert.equal((await parent.create("full", one, { use: "local" })).use, "local");
  assert.equal((await parent.create("full", two, { use: null })).use, null);
  await assert.rejects(parent.create("full", three, { use: "foreign" }), { code: "EINVAL" });
  await parent.remove(one);
  await rig.system.unregisterDriver(rig.local);
  await assert.rejects(parent.create("full", one, { use: "local" }), { code: "ENODEV" });
  assert.equal((await parent.create("full", one)).use, "projected");
});
