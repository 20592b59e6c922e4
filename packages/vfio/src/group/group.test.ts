/** What a group and a container answer, call by call (drivers/vfio/group.c, container.c). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KernelError } from "parhelion-core";
import { AttachedDevice, bytesMemory, containerCall, deviceCall, Extension, groupCall } from "../index.js";
import { openContainer, openDevice, openGroup, openIommufd, rig, Toy } from "../toy.test.fixture.js";

const { TYPE1, TYPE1v2, NOIOMMU } = Extension;

test("a device is used through its group: container, IOMMU, device; each in its turn, each refused out of turn", async () => {
  const r = await rig();
  const toy = new Toy();
  const device = await r.registered(toy);
  const [group, container] = [await openGroup(r.system), await openContainer(r.system)];
  const get = () => groupCall(group, "GET_DEVICE_FD", { name: "toy0" });
  assert.deepEqual(await groupCall(group, "GET_STATUS", { argsz: 8 }), { argsz: 8, flags: 1 });
  await assert.rejects(groupCall(group, "GET_STATUS", { argsz: 7 }), { code: "EINVAL" });
  await assert.rejects(groupCall(group, "UNSET_CONTAINER", {}), { code: "EINVAL" });
  await assert.rejects(get(), { code: "EINVAL" });
  await assert.rejects(containerCall(container, "SET_IOMMU", { type: TYPE1v2 }), { code: "EINVAL" });
  await groupCall(group, "SET_CONTAINER", { container });
  await assert.rejects(groupCall(group, "SET_CONTAINER", { container }), { code: "EINVAL" });
  assert.deepEqual(await groupCall(group, "GET_STATUS", { argsz: 8 }), { argsz: 8, flags: 3 });
  await assert.rejects(get(), { code: "EINVAL" }, "there is no IOMMU yet");
  await assert.rejects(containerCall(container, "IOMMU_GET_INFO", { argsz: 16 }), { code: "EINVAL" });
  await assert.rejects(containerCall(container, "SET_IOMMU", { type: 77 }), { code: "ENODEV" });
  await assert.rejects(containerCall(container, "SET_IOMMU", { type: NOIOMMU }), { code: "ENODEV" });
  await containerCall(container, "SET_IOMMU", { type: TYPE1v2 });
  await assert.rejects(containerCall(container, "SET_IOMMU", { type: TYPE1v2 }), { code: "EINVAL" });
  await assert.rejects(groupCall(group, "GET_DEVICE_FD", { name: "vfio0" }), { code: "ENODEV" });
  const [one, two] = [await get(), await get()];
  assert.equal(device.openCount, 2);
  assert.deepEqual(toy.trace, ["open"]);
  await assert.rejects(groupCall(group, "UNSET_CONTAINER", {}), { code: "EBUSY" });
  await containerCall(container, "MAP_DMA", {
    argsz: 32,
    flags: 3,
    vaddr: 0n,
    iova: 0x1000n,
    size: 4096n,
    memory: bytesMemory(Uint8Array.from({ length: 4096 }, (_, at) => at & 255)),
  });
  assert.deepEqual([...(await device.dma.read(0x1004n, 2))], [4, 5]);
  await assert.rejects(deviceCall(one, "ATTACH_IOMMUFD_PT", { argsz: 12, flags: 0, ptId: 1 }), {
    code: "ENOTTY",
  });
  const iommufd = await openIommufd(r.system);
  await assert.rejects(deviceCall(one, "BIND_IOMMUFD", { argsz: 16, flags: 0, iommufd }), { code: "EINVAL" });
  await one.close();
  await group.close();
  await assert.rejects(openGroup(r.system), { code: "EBUSY" }, "a device keeps its group's file");
  assert.deepEqual([...(await deviceCall(two, "READ", { offset: 0n, length: 1 }))], [0]);
  await two.close();
  assert.deepEqual(toy.trace, ["open", "close"]);
  await assert.rejects(containerCall(container, "IOMMU_GET_INFO", { argsz: 16 }), { code: "EINVAL" });
  await (await openGroup(r.system)).close();
  await container.close();
  await iommufd.close();
  await r.gone(device);
  await r.end();
});

test("a container's file may be closed before what it holds, and a closed or foreign file is no container", async () => {
  const r = await rig();
  const device = await r.registered(new Toy());
  const [group, container] = [await openGroup(r.system), await openContainer(r.system)];
  const closed = await openContainer(r.system);
  await closed.close();
  await assert.rejects(groupCall(group, "SET_CONTAINER", { container: null }), { code: "EBADF" });
  await assert.rejects(groupCall(group, "SET_CONTAINER", { container: closed }), { code: "EBADF" });
  await assert.rejects(groupCall(group, "SET_CONTAINER", { container: group }), { code: "EBADFD" });
  await groupCall(group, "SET_CONTAINER", { container });
  await containerCall(container, "SET_IOMMU", { type: TYPE1 });
  await container.close();
  const file = await groupCall(group, "GET_DEVICE_FD", { name: "toy0" });
  assert.equal((await deviceCall(file, "GET_INFO", { argsz: 24 })).numRegions, 4);
  await file.close();
  await group.close();
  await r.gone(device);
  await r.end();
});

test("a container says what there is: of any backend before one is chosen, of that one afterwards", async () => {
  const r = await rig();
  const device = await r.registered(new Toy());
  const [group, container] = [await openGroup(r.system), await openContainer(r.system)];
  const has = (extension: number) => containerCall(container, "CHECK_EXTENSION", { extension });
  assert.equal(await containerCall(container, "GET_API_VERSION", {}), 0);
  assert.deepEqual(await Promise.all([1, 3, 4, 8, 9, 77].map(has)), [1, 1, 1, 1, 1, 0]);
  await groupCall(group, "SET_CONTAINER", { container });
  assert.equal(await has(NOIOMMU), 0, "not for a group with an IOMMU");
  await containerCall(container, "SET_IOMMU", { type: TYPE1 });
  assert.deepEqual(await Promise.all([1, 8].map(has)), [1, 0]);
  await assert.rejects(container.request({ op: "ENABLE" } as never), { code: "ENOTTY" });
  await assert.rejects(group.request({ op: "RESET" } as never), { code: "ENOTTY" });
  await group.close();
  await container.close();
  await r.gone(device);
  await r.end();
});

test("a group and the files of its devices exclude each other, both ways", async () => {
  const r = await rig();
  const device = await r.registered(new Toy());
  const user = await AttachedDevice.open(r.system, "vfio0");
  await assert.rejects(openGroup(r.system), { code: "EBUSY" });
  await user.close();
  const group = await openGroup(r.system);
  await assert.rejects(openGroup(r.system), { code: "EBUSY" });
  const [file, iommufd] = [await openDevice(r.system), await openIommufd(r.system)];
  const bind = () => deviceCall(file, "BIND_IOMMUFD", { argsz: 16, flags: 0, iommufd });
  await assert.rejects(bind(), { code: "EBUSY" });
  await group.close();
  await bind();
  await file.close();
  await iommufd.close();
  await r.gone(device);
  await r.end();
});

test("an iommufd can stand in for a container", async () => {
  const r = await rig();
  const device = await r.registered(new Toy());
  const [group, iommufd] = [await openGroup(r.system), await openIommufd(r.system)];
  const ask = iommufd.request.bind(iommufd);
  await assert.rejects(ask({ op: "SET_IOMMU", type: TYPE1v2 }), { code: "ENODEV" });
  await groupCall(group, "SET_CONTAINER", { container: iommufd });
  assert.equal(await ask({ op: "GET_API_VERSION" }), 0);
  assert.equal(await ask({ op: "CHECK_EXTENSION", extension: TYPE1v2 }), 1);
  await assert.rejects(ask({ op: "SET_IOMMU", type: 2 }), { code: "EINVAL" });
  await ask({ op: "SET_IOMMU", type: TYPE1v2 });
  const file = await groupCall(group, "GET_DEVICE_FD", { name: "toy0" });
  const memory = bytesMemory(new Uint8Array(4096).fill(9));
  await ask({ op: "MAP_DMA", argsz: 32, flags: 1, vaddr: 0n, iova: 0n, size: 4096n, memory });
  assert.deepEqual([...(await device.dma.read(0n, 1))], [9]);
  await iommufd.close();
  assert.deepEqual([...(await device.dma.read(1n, 1))], [9], "the group keeps it");
  await file.close();
  await group.close();
  await r.gone(device);
  await r.end();
});

test("devices of one IOMMU group share a group and an owner", async () => {
  const r = await rig();
  const toys = [new Toy(), new Toy()] as const;
  const iommu = r.vfio.createIommuGroup();
  const first = await r.registered(toys[0], { iommu });
  const second = await r.registered(toys[1], { iommu });
  assert.equal(first.group, second.group);
  assert.throws(() => r.vfio.freeIommuGroup(iommu), { code: "EBUSY" });
  const one = await AttachedDevice.open(r.system, "vfio0");
  await assert.rejects(AttachedDevice.open(r.system, "vfio1"), { code: "EBUSY" }, "another iommufd");
  const file = await openDevice(r.system, "vfio1");
  await deviceCall(file, "BIND_IOMMUFD", { argsz: 16, flags: 0, iommufd: one.iommufd });
  await file.close();
  await one.close();
  const group = await openGroup(r.system);
  const container = await openContainer(r.system);
  await groupCall(group, "SET_CONTAINER", { container });
  await containerCall(container, "SET_IOMMU", { type: TYPE1v2 });
  const files = [];
  for (const name of ["toy0", "toy1"]) files.push(await groupCall(group, "GET_DEVICE_FD", { name }));
  for (const each of files) await each.close();
  await r.gone(first);
  await groupCall(group, "GET_STATUS", { argsz: 8 });
  await r.gone(second);
  await assert.rejects(groupCall(group, "GET_STATUS", { argsz: 8 }), { code: "ENODEV" });
  assert.equal(r.system.nodes.get("vfio-0"), undefined);
  await group.close();
  await container.close();
  r.vfio.freeIommuGroup(iommu);
  await r.end();
});

test("what no IOMMU holds back is refused, or for who may do raw I/O, and mixes with nothing", async () => {
  const strict = await rig();
  const refused = await strict.device(new Toy());
  await assert.rejects(strict.vfio.register(refused, { iommu: "none" }), { code: "EINVAL" });
  refused.put();
  const caching = await strict.device(new Toy());
  const iommu = strict.vfio.createIommuGroup({ cacheCoherent: false });
  await assert.rejects(strict.vfio.register(caching, { iommu }), { code: "EINVAL" });
  caching.put();
  await strict.end();
  const r = await rig({ noIommu: "allowed" });
  const raw = await r.registered(new Toy(), { iommu: "none" });
  const held = await r.registered(new Toy(), { iommu: "emulated" });
  await assert.rejects(openGroup(r.system, "vfio-noiommu-0", 1000), { code: "EPERM" });
  const [group, other] = [await openGroup(r.system, "vfio-noiommu-0"), await openGroup(r.system, "vfio-1")];
  const [container, foreign] = [await openContainer(r.system), await openContainer(r.system, 1000)];
  await assert.rejects(groupCall(group, "SET_CONTAINER", { container: foreign }), { code: "EPERM" });
  await groupCall(group, "SET_CONTAINER", { container });
  await assert.rejects(groupCall(other, "SET_CONTAINER", { container }), { code: "EPERM" });
  assert.equal(await containerCall(container, "CHECK_EXTENSION", { extension: NOIOMMU }), 1);
  await assert.rejects(containerCall(container, "SET_IOMMU", { type: TYPE1 }), { code: "ENODEV" });
  await containerCall(container, "SET_IOMMU", { type: NOIOMMU });
  await assert.rejects(containerCall(container, "IOMMU_GET_INFO", { argsz: 16 }), { code: "ENOTTY" });
  const file = await groupCall(group, "GET_DEVICE_FD", { name: "toy0" });
  await assert.rejects(raw.dma.read(0n, 1), { code: "EFAULT" });
  for (const open of [file, group, other, container, foreign]) await (open as typeof file).close();
  await r.gone(raw);
  await r.gone(held);
  await r.end();
});

test("what is registered twice is refused, and VFIO stays as long as it has devices", async () => {
  const r = await rig();
  const device = await r.registered(new Toy());
  await assert.rejects(r.vfio.register(device, { iommu: "emulated" }), { code: "EINVAL" });
  await assert.rejects(r.vfio.close(), { code: "EBUSY" });
  await r.gone(device);
  await assert.rejects(r.vfio.unregister(device), { code: "EINVAL" });
  await r.end();
  await assert.rejects(openContainer(r.system), (error: KernelError | Error) =>
    /no node/.test(error.message),
  );
});
