import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Bus, isKernelError } from "parhelion-core";
import { isControlError } from "parhelion-protocol";
import {
  ConfigModel,
  createPciPassthroughDriver,
  type PciDevice,
  type PciDriver,
  pciHeader,
  pciPassthroughOffer,
  VGPU_IDS,
  VGPU_LAYOUT,
  vgpuConfigModel,
  vgpuRegisters,
} from "../index.js";
import { createRig, linked, type Rig, until } from "../rig.test.fixture.js";

const channelInstance = "01234567-89ab-cdef-0123-456789abcdef";
const instance = (n: number): string => `99999999-0000-0000-0000-${n.toString(16).padStart(12, "0")}`;

function vgpuDriver(rig: Rig, bound: PciDevice[]): PciDriver {
  return {
    name: "vgpu",
    bus: rig.pci as Bus,
    ids: [{ vendorId: VGPU_IDS.vendorId, deviceId: VGPU_IDS.deviceId }],
    probe: (device) => {
      bound.push(device);
    },
    remove: (device) => {
      bound.splice(bound.indexOf(device), 1);
    },
  };
}

describe("a passed-through function", () => {
  it("appears with its identity and goes with its channel", async (t) => {
    const rig = createRig();
    const bound: PciDevice[] = [];
    await rig.system.registerDriver(createPciPassthroughDriver(rig.system, rig.vmbus, rig.pci));
    await rig.system.registerDriver(vgpuDriver(rig, bound));
    const model = vgpuConfigModel({ channelInstance, luid: 5n });
    const { host } = await linked(t, undefined, rig);
    const channel = host.offer(pciPassthroughOffer(instance(1), 0, model));
    const other = host.offer(
      pciPassthroughOffer(
        instance(2),
        9,
        new ConfigModel(256).readable(pciHeader.vendorId, () => 0x8086),
      ),
    );
    await until(
      () => rig.system.devicesOf(rig.pci as Bus).length === 2 && bound.length === 1,
      "both functions",
    );
    assert.equal(bound[0]?.identity.classCode, 0x030200);
    assert.deepEqual(
      rig.system.devicesOf(rig.pci as Bus).map((device) => device.name.slice(4)),
      [":00:00.0", ":00:01.1"],
    );
    channel.rescind("revoked");
    await until(
      () => bound.length === 0 && rig.system.devicesOf(rig.pci as Bus).length === 1,
      "only it goes",
    );
    other.rescind("too");
    await until(() => rig.system.devicesOf(rig.pci as Bus).length === 0, "the other goes");
  });

  it("answers its registers over the channel; 212 is one thing written and another read", async (t) => {
    const rig = createRig();
    const bound: PciDevice[] = [];
    await rig.system.registerDriver(createPciPassthroughDriver(rig.system, rig.vmbus, rig.pci));
    await rig.system.registerDriver(vgpuDriver(rig, bound));
    const said: number[] = [];
    const model = vgpuConfigModel({
      channelInstance,
      luid: 0x1_0000_0009n,
      negotiate(guest) {
        said.push(guest);
        return guest & 0b10;
      },
    });
    await linked(t, (host) => host.offer(pciPassthroughOffer(instance(1), 0, model)), rig);
    const config = bound[0]?.config;
    assert.ok(config);
    assert.equal(await config.read(vgpuRegisters.channelInstance), channelInstance);
    assert.equal(await config.read(vgpuRegisters.layout), VGPU_LAYOUT);
    assert.equal(await config.read(vgpuRegisters.hostCapabilities), 0);
    await config.write(vgpuRegisters.guestCapabilities, 0b11);
    assert.equal(await config.read(vgpuRegisters.hostCapabilities), 0b10);
    assert.equal(await config.read(vgpuRegisters.luid), 0x1_0000_0009n);
    assert.deepEqual(said, [0, 0b11]);
    await assert.rejects(config.write(pciHeader.vendorId, 1), (error) => isControlError(error, "EACCES"));
    await assert.rejects(
      config.read({ name: "outside", offset: 250, length: 16, decode: () => 0 }),
      (error) => isControlError(error, "EINVAL"),
    );
  });
});

describe("a configuration model", () => {
  it("composes what is read from the registers it covers, zero elsewhere", () => {
    const model = vgpuConfigModel({ channelInstance, luid: 0x0102030405060708n });
    assert.deepEqual([...model.read(0, 12)], [0x14, 0x14, 0x8e, 0, 0, 0, 0, 0, 0, 0x00, 0x02, 0x03]);
    assert.deepEqual([...model.read(206, 14)], [0xcd, 0xef, 40, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1]);
    for (const [offset, length] of [
      [255, 2],
      [256, 1],
      [0, 0],
      [0, 65],
    ] as const) {
      assert.throws(
        () => model.read(offset, length),
        (error) => isKernelError(error, "EINVAL"),
      );
    }
  });
});
