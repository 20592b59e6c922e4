/** Mediated devices whose use is VFIO, bound and unbound by hand, as the tree's files do it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MdevBus } from "parhelion-buses";
import type { Bus, Driver } from "parhelion-core";
import { containerCall, groupCall } from "../device/call.js";
import { AttachedDevice, createVfioMdevDriver, type VfioDevice } from "../index.js";
import { openContainer, openGroup, rig, Toy } from "../toy.test.fixture.js";

const uuid = "00000000-0000-4000-8000-00000000000a";
const file = `/sys/devices/toy0/${uuid}`;

async function withMdevs(revokeMs = 0) {
  const r = await rig({ revokeMs });
  const toy = new Toy();
  await r.device(new Toy());
  const mdev = new MdevBus(r.system);
  const driver = createVfioMdevDriver<string>(r.vfio, {
    name: "vfio",
    bus: mdev.bus as Bus,
    device: ({ state }) => {
      toy.trace.push(`device of ${state}`);
      return { ops: () => toy.ops() };
    },
    registered: (_mdev, { name }) => toy.trace.push(`registered ${name}`),
    unregistered: () => void toy.trace.push("unregistered"),
  });
  await r.system.registerDriver(driver as Driver);
  const [parentDevice] = [r.system.deviceAt("/devices/toy0")];
  assert.ok(parentDevice !== undefined);
  const parent = mdev.registerParent<string>(parentDevice, {
    driverName: "toy",
    types: [{ name: "full", deviceApi: "vfio-pci" }],
    uses: ["vfio"],
    available: { policy: "counter", instances: 1 },
    create: () => "share",
  });
  const end = async () => {
    await parent.unregister();
    await r.system.unregisterDriver(driver as Driver);
    await mdev.unregister();
    await r.vfio.close();
  };
  return { ...r, toy, mdev, parent, driver, end };
}

test("an mdev that is made for VFIO is a VFIO device, got from its group by its uuid", async () => {
  const { system, parent, toy, end } = await withMdevs();
  const made = await parent.create("full", uuid);
  const device = made.driverData as VfioDevice;
  assert.equal(device.devpath, `/devices/toy0/${uuid}/vfio-dev/${device.name}`);
  assert.equal(device.subject, uuid);
  const [group, container] = [await openGroup(system), await openContainer(system)];
  await groupCall(group, "SET_CONTAINER", { container });
  await containerCall(container, "SET_IOMMU", { type: 3 });
  const open = await groupCall(group, "GET_DEVICE_FD", { name: uuid });
  await open.close();
  await group.close();
  await container.close();
  await system.sysfs.write(`${file}/remove`, "1");
  assert.equal(system.nodes.get(device.name), undefined);
  assert.deepEqual(toy.trace, [
    "device of share",
    `registered ${device.name}`,
    "open",
    "close",
    "unregistered",
    "release",
  ]);
  await end();
});

test("D7.5: an mdev that is open is removed, unbound and bound again, and its uuid is free when its user has closed", async () => {
  const { system, parent, toy, end } = await withMdevs();
  await parent.create("full", uuid);
  const name = () => system.nodes.list().find((node) => /^vfio\d+$/.test(node.name))?.name ?? "none";
  const first = await AttachedDevice.open(system, name());
  await system.sysfs.write("/sys/bus/mdev/drivers/vfio/unbind", uuid);
  assert.equal(name(), "none");
  await assert.rejects(first.call("GET_INFO", { argsz: 16 }), { code: "ENODEV" });
  await system.sysfs.write("/sys/bus/mdev/drivers/vfio/bind", uuid);
  const second = await AttachedDevice.open(system, name());
  await system.sysfs.write(`${file}/remove`, "1");
  await assert.rejects(second.call("GET_INFO", { argsz: 16 }), { code: "ENODEV" });
  assert.deepEqual(
    toy.trace.filter((line) => /^(open|close|request 0)$/.test(line)),
    ["open", "request 0", "close", "open", "request 0", "close"],
  );
  await assert.rejects(parent.create("full", uuid), { code: "EEXIST" }, "a file of it is still open");
  await first.close();
  await second.close();
  await parent.create("full", uuid);
  await end();
});

test("an mdev whose registration fails is not there, and what was taken is given back", async () => {
  const { system, parent, mdev, vfio, end } = await withMdevs();
  const refusing = createVfioMdevDriver(vfio, {
    name: "refusing",
    bus: mdev.bus as Bus,
    device: () => {
      throw new Error("of another kind");
    },
  });
  await system.registerDriver(refusing as Driver);
  const made = await parent.create("full", uuid);
  await system.detach(made);
  await assert.rejects(system.attach(made, refusing as Driver), { code: "ENODEV" }, "no use of its parent's");
  assert.equal(made.bound, false);
  await system.sysfs.write("/sys/bus/mdev/drivers/vfio/bind", uuid);
  assert.equal(made.bound, true);
  await system.unregisterDriver(refusing as Driver);
  await end();
});
