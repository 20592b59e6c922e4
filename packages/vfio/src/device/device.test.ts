import assert from "node:assert/strict";
import { test } from "node:test";
import { AttachedDevice, deviceCall, EventCounter, iommufdCall } from "../index.js";
import { openDevice, openIommufd, rig, Toy } from "../toy.test.fixture.js";

const bindArgument = { argsz: 16, flags: 0 };

test("a device that was opened by its own file can do nothing until it is bound, and then all", async () => {
  const r = await rig();
  const toy = new Toy();
  const device = await r.registered(toy);
  const file = await openDevice(r.system);
  const iommufd = await openIommufd(r.system);
  await assert.rejects(deviceCall(file, "GET_INFO", { argsz: 16 }), { code: "EINVAL" });
  await assert.rejects(deviceCall(file, "READ", { offset: 0n, length: 1 }), { code: "EINVAL" });
  await assert.rejects(file.map({ offset: 0, length: 4096 }), { code: "EINVAL" });
  await assert.rejects(deviceCall(file, "ATTACH_IOMMUFD_PT", { argsz: 12, flags: 0, ptId: 1 }), {
    code: "EINVAL",
  });
  assert.deepEqual(toy.trace, []);
  const { devid } = await deviceCall(file, "BIND_IOMMUFD", { ...bindArgument, iommufd });
  assert.equal(devid, 1);
  assert.deepEqual(toy.trace, ["open"]);
  const info = await deviceCall(file, "GET_INFO", { argsz: 24 });
  assert.deepEqual(
    { ...info, capabilities: info.capabilities.length },
    { argsz: 24, flags: 1, numRegions: 4, numIrqs: 3, capOffset: 0, capabilities: 0 },
  );
  assert.equal(await deviceCall(file, "WRITE", { offset: 8n, bytes: Uint8Array.of(1, 2, 3) }), 3);
  assert.deepEqual([...(await deviceCall(file, "READ", { offset: 7n, length: 5 }))], [0, 1, 2, 3, 0]);
  await file.close();
  assert.deepEqual(toy.trace, ["open", "close"]);
  await iommufd.close();
  await r.gone(device);
  assert.deepEqual(toy.trace, ["open", "close", "release"]);
  await r.end();
});

test("a device is taken from a user who stays: ENODEV, mappings zapped, triggers dropped, closed once, released last", async () => {
  const r = await rig({ revokeMs: 0 });
  const toy = new Toy();
  const device = await r.registered(toy);
  const user = await AttachedDevice.open(r.system, "vfio0");
  const trigger = new EventCounter(r.runtime, "trigger");
  await user.call("SET_IRQS", { argsz: 24, flags: 0x24, index: 2, start: 0, count: 1, data: [trigger] });
  const mapping = await user.file.map({ offset: 0, length: 4096 });
  mapping.write(0, Uint8Array.of(7));
  assert.equal(device.irqs.trigger(2), true);
  assert.equal(trigger.take(), 1);
  await r.gone(device);
  assert.deepEqual(toy.trace, ["open", "irqs enable 2", "request 0", "close"]);
  assert.equal(device.irqs.trigger(2), false);
  assert.equal(trigger.state, "released");
  await assert.rejects(user.call("GET_INFO", { argsz: 16 }), { code: "ENODEV" });
  assert.throws(() => mapping.read(0, 1), { code: "ENODEV" });
  await assert.rejects(device.dma.read(0n, 1), { code: "ENODEV" });
  await mapping.unmap();
  await user.close();
  assert.deepEqual(toy.trace.slice(-2), ["close", "release"]);
  await r.end();
});

test("binding is refused for arguments that make no sense, and for what is no iommufd", async () => {
  const r = await rig();
  const device = await r.registered(new Toy());
  const file = await openDevice(r.system);
  const iommufd = await openIommufd(r.system);
  const container = (await r.system.nodes.get("vfio")?.open()) as never;
  const refused = (argument: object, code: string) =>
    assert.rejects(deviceCall(file, "BIND_IOMMUFD", { ...bindArgument, iommufd, ...argument }), { code });
  await refused({ argsz: 15 }, "EINVAL");
  await refused({ flags: 1 }, "EINVAL");
  await refused({ iommufd: null }, "EINVAL");
  await refused({ iommufd: container }, "EBADFD");
  const closed = await openIommufd(r.system);
  await closed.close();
  await refused({ iommufd: closed }, "EBADF");
  await deviceCall(file, "BIND_IOMMUFD", { ...bindArgument, iommufd });
  await refused({}, "EINVAL");
  const second = await openDevice(r.system);
  await assert.rejects(deviceCall(second, "BIND_IOMMUFD", { ...bindArgument, iommufd }), { code: "EINVAL" });
  const { ioasId } = await iommufdCall(iommufd, "IOAS_ALLOC", { flags: 0 });
  const attach = (argument: object, code: string) =>
    assert.rejects(
      deviceCall(file, "ATTACH_IOMMUFD_PT", { argsz: 12, flags: 0, ptId: ioasId, ...argument }),
      { code },
    );
  await attach({ argsz: 11 }, "EINVAL");
  await attach({ flags: 2 }, "EINVAL");
  await attach({ flags: 1 }, "EOPNOTSUPP");
  await attach({ ptId: 77 }, "ENOENT");
  await deviceCall(file, "DETACH_IOMMUFD_PT", { argsz: 8, flags: 0 });
  await assert.rejects(deviceCall(file, "DETACH_IOMMUFD_PT", { argsz: 7, flags: 0 }), { code: "EINVAL" });
  for (const open of [file, second, iommufd, container as typeof file]) await open.close();
  await r.gone(device);
  await r.end();
});
