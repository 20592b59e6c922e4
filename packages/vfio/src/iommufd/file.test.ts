/** What an iommufd answers (drivers/iommu/iommufd). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AttachedDevice, bytesMemory, IoasMapFlag, iommufdCall, lastIova } from "../index.js";
import { openIommufd, rig, Toy } from "../toy.test.fixture.js";

const { FIXED_IOVA, READABLE, WRITEABLE } = IoasMapFlag;
const page = 4096n;

test("an address space is made, mapped, asked and destroyed, and refuses what makes no sense", async () => {
  const r = await rig({ iovaRanges: [{ start: page, last: 0xfffffn }] });
  const file = await openIommufd(r.system);
  await assert.rejects(iommufdCall(file, "IOAS_ALLOC", { flags: 1 }), { code: "EOPNOTSUPP" });
  const { ioasId } = await iommufdCall(file, "IOAS_ALLOC", { flags: 0 });
  const memory = bytesMemory(new Uint8Array(8192));
  const map = (more: object) =>
    iommufdCall(file, "IOAS_MAP", {
      ioasId,
      flags: FIXED_IOVA | READABLE | WRITEABLE,
      userVa: 0n,
      iova: page,
      length: page,
      memory,
      ...more,
    });
  const refused = (more: object, code: string) => assert.rejects(map(more), { code });
  await refused({ ioasId: 77 }, "ENOENT");
  await refused({ flags: 8 }, "EOPNOTSUPP");
  await refused({ flags: FIXED_IOVA }, "EINVAL");
  await refused({ length: 0n }, "EINVAL");
  await refused({ length: 1n }, "EINVAL");
  await refused({ iova: lastIova }, "EOVERFLOW");
  await refused({ userVa: lastIova }, "EOVERFLOW");
  await refused({ iova: 0n }, "EINVAL");
  assert.deepEqual(await map({}), { iova: page });
  await refused({}, "EEXIST");
  assert.deepEqual(
    await map({ flags: READABLE, length: 2n * page }),
    { iova: 2n * page },
    "the lowest that has room",
  );
  await refused({ flags: READABLE, length: 0x100000n }, "ENOSPC");
  assert.deepEqual(await iommufdCall(file, "IOAS_IOVA_RANGES", { ioasId }), {
    ranges: [{ start: page, last: 0xfffffn }],
    alignment: page,
  });
  const unmap = (iova: bigint, length: bigint) => iommufdCall(file, "IOAS_UNMAP", { ioasId, iova, length });
  await assert.rejects(unmap(2n * page, page), { code: "ENOENT" }, "it would be cut");
  await assert.rejects(unmap(9n * page, page), { code: "ENOENT" });
  await assert.rejects(unmap(1n, page), { code: "EINVAL" });
  await assert.rejects(unmap(page, 0n), { code: "EINVAL" });
  await assert.rejects(unmap(2n * page, lastIova - 4095n), { code: "EOVERFLOW" });
  assert.deepEqual(await unmap(page, page), { length: page });
  assert.deepEqual(await unmap(0n, lastIova), { length: 2n * page });
  await assert.rejects(iommufdCall(file, "DESTROY", { id: 77 }), { code: "ENOENT" });
  await iommufdCall(file, "DESTROY", { id: ioasId });
  await assert.rejects(iommufdCall(file, "IOAS_IOVA_RANGES", { ioasId }), { code: "ENOENT" });
  await assert.rejects(file.request({ op: "OPTION" } as never), { code: "ENOTTY" });
  await assert.rejects(iommufdCall(file, "IOMMU_GET_INFO", { argsz: 24 }), { code: "ENODEV" });
  await file.close();
  await r.end();
});

test("an address space that a device is attached to stays, and the device moves to another", async () => {
  const r = await rig();
  const device = await r.registered(new Toy());
  const user = await AttachedDevice.open(r.system, "vfio0");
  await user.map(0n, page, bytesMemory(new Uint8Array(4096).fill(1)));
  await assert.rejects(iommufdCall(user.iommufd, "DESTROY", { id: user.ioasId }), { code: "EBUSY" });
  const { ioasId } = await iommufdCall(user.iommufd, "IOAS_ALLOC", { flags: 0 });
  const pin = device.dma.pin(0n, 4, "read");
  await user.call("ATTACH_IOMMUFD_PT", { argsz: 12, flags: 0, ptId: ioasId });
  assert.equal(pin.state, "taken");
  await assert.rejects(device.dma.read(0n, 1), { code: "EFAULT" });
  await iommufdCall(user.iommufd, "DESTROY", { id: user.ioasId });
  await user.call("DETACH_IOMMUFD_PT", { argsz: 8, flags: 0 });
  await user.call("DETACH_IOMMUFD_PT", { argsz: 8, flags: 0 });
  await iommufdCall(user.iommufd, "DESTROY", { id: ioasId });
  await user.close();
  await r.gone(device);
  await r.end();
});
