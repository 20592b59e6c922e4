/** Creating, using and removing mediated devices, as their files show it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { uuids, withParent } from "./mdev.test.fixture.js";

const [one] = uuids;
const types = "/sys/devices/gpu0/mdev_supported_types";

test("a parent shows its types as Linux does", async (t) => {
  const { system, parent } = await withParent(t);
  const { sysfs } = system;
  await parent.create("full", one);
  const shown = [...sysfs.walk("/sys")].map(({ path, kind, mode }) => {
    if (kind === "link") return `${path} -> ${sysfs.readlink(path)}`;
    return kind === "directory" ? `${path}/` : `${path} 0${mode.toString(8)}`;
  });
  for (const line of [
    `${types}/`,
    `${types}/toy-full/`,
    `${types}/toy-full/create 0200`,
    `${types}/toy-full/device_api 0444`,
    `${types}/toy-full/name 0444`,
    `${types}/toy-full/description 0444`,
    `${types}/toy-full/available_instances 0444`,
    `${types}/toy-full/devices/`,
    `${types}/toy-full/devices/${one} -> ../../../${one}`,
    `${types}/toy-half/devices/`,
    `/sys/devices/gpu0/${one}/`,
    `/sys/devices/gpu0/${one}/remove 0200`,
    `/sys/devices/gpu0/${one}/mdev_type -> ../mdev_supported_types/toy-full`,
    `/sys/devices/gpu0/${one}/driver -> ../../../bus/mdev/drivers/projected`,
    `/sys/bus/mdev/devices/${one} -> ../../../devices/gpu0/${one}`,
    "/sys/class/mdev_bus/gpu0 -> ../../devices/gpu0",
  ]) {
    assert.ok(shown.includes(line), `${line} in\n${shown.join("\n")}`);
  }
  assert.equal(await sysfs.read(`${types}/toy-full/name`), "All of it\n");
  assert.equal(await sysfs.read(`${types}/toy-half/name`), "toy-half\n");
  assert.equal(await sysfs.read(`${types}/toy-full/device_api`), "toy-api\n");
  assert.equal(await sysfs.read(`${types}/toy-full/description`), "everything\nthere is\n");
  assert.equal(sysfs.has(`${types}/toy-half/description`), false);
  assert.equal(await sysfs.read(`${types}/toy-half/available_instances`), "1\n");
});
