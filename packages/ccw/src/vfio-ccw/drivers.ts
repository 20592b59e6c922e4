/**
 * The two drivers by which subchannels are passed through: `vfio_ccw` makes a subchannel a parent of mediated devices,
 * `vfio_ccw_mdev` makes such a device one of VFIO's. What only makes sense with a mediated device is made by the latter.
 */
import type { CssBus, CssDriver, MdevBus, MdevDevice, MdevDriver, Subchannel } from "parhelion-buses";
import { type Bus, type Driver, KernelError, noDeadline, type System } from "parhelion-core";
import { DeviceFlag, type Vfio, VfioDevice } from "parhelion-vfio";
import { VFIO_CCW_NAMES, VFIO_CCW_OFFSET_SHIFT } from "./abi.js";
import type { HostStorage } from "./host-storage.js";
import { parentOf, VfioCcwParent } from "./parent.js";
import { VfioCcwPrivate, type VfioCcwPrivateInit } from "./private.js";

export interface VfioCcwInit {
  readonly css: CssBus;
  readonly mdev: MdevBus;
  readonly vfio: Vfio;
  /** The channel subsystem's main storage: what is translated has to be where it looks. */
  readonly storage: HostStorage;
  /** How long a device that does not let go is waited for, in ms. Default 10 000. */
  readonly quiesceMs?: number;
}

/** How what belongs to a mediated device is made. */
export type MakePrivate = (device: VfioDevice, init: VfioCcwPrivateInit) => VfioCcwPrivate;

/** What the probe of a mediated device has made. */
export interface Made {
  readonly device: VfioDevice;
  readonly owned: VfioCcwPrivate;
  readonly parent: VfioCcwParent;
}

/** Both drivers, to be registered and unregistered together. */
export class VfioCcw {
  readonly cssDriver: CssDriver<VfioCcwParent>;
  readonly mdevDriver: MdevDriver;
  readonly #system: System;

  constructor(init: VfioCcwInit) {
    this.#system = init.css.system;
    this.cssDriver = createCssDriver(init);
    this.mdevDriver = createMdevDriver(init) as MdevDriver;
  }

  /** The driver of mediated devices first: it is there when the first can be made. */
  async register(): Promise<void> {
    await this.#system.registerDriver(this.mdevDriver as Driver);
    await this.#system.registerDriver(this.cssDriver as Driver);
  }

  async unregister(): Promise<void> {
    await this.#system.unregisterDriver(this.cssDriver as Driver);
    await this.#system.unregisterDriver(this.mdevDriver as Driver);
  }
}

/** How a subchannel is made a parent. */
export type MakeParent = (system: System, subchannel: Subchannel) => VfioCcwParent;

export function createCssDriver(
  { css, mdev }: Pick<VfioCcwInit, "css" | "mdev">,
  make: MakeParent = (system, subchannel) => new VfioCcwParent(system, subchannel),
): CssDriver<VfioCcwParent> {
  const { system } = css;
  return {
    name: VFIO_CCW_NAMES.driver,
    bus: css.bus as Bus,
    async probe(subchannel) {
      const { qf } = await subchannel.lock.withLock(() => subchannel.schib.pmcw, { deadline: noDeadline });
      if (qf === 1) {
        system.runtime.log("warn", "vfio-ccw.qdio", { subchannel: subchannel.name });
        throw new KernelError("ENODEV", `${subchannel.name} is for QDIO, which can't be passed through`);
      }
      const parent = make(system, subchannel);
      // Before it is offered: with a mediated device interruptions come.
      await subchannel.publish(parent);
      await parent.register(mdev);
      return parent;
    },
    // While callbacks still come: whoever has the device open is waiting for one.
    quiesce: (_subchannel, parent) => parent.unregister(),
  };
}

export function createMdevDriver(
  { mdev, vfio, storage, quiesceMs = 10_000 }: Omit<VfioCcwInit, "css">,
  make: MakePrivate = (device, init) => new VfioCcwPrivate(device, init),
): MdevDriver<unknown, Made> {
  return {
    name: VFIO_CCW_NAMES.mdevDriver,
    bus: mdev.bus as Bus,
    async probe(device) {
      const made = create(device, parentOf(device.state, device.uuid), (vdev, { subchannel }) =>
        make(vdev, { subchannel, storage, quiesceMs }),
      );
      await made.parent.publish(made.owned);
      try {
        // Last: from here on it can be opened.
        await vfio.register(made.device, { iommu: "emulated" });
      } catch (error) {
        await letGo(made);
        throw error;
      }
      return made;
    },
    async remove(_device, made) {
      await vfio.unregister(made.device);
      await letGo(made);
    },
  };

  function create(
    device: MdevDevice,
    parent: VfioCcwParent,
    makeFor: (vdev: VfioDevice, parent: VfioCcwParent) => VfioCcwPrivate,
  ): Made {
    const owned: { it: VfioCcwPrivate | null } = { it: null };
    const vdev = new VfioDevice(vfio, {
      parent: device,
      flags: DeviceFlag.CCW,
      regionShift: VFIO_CCW_OFFSET_SHIFT,
      ops: (self) => {
        owned.it = makeFor(self, parent);
        return owned.it;
      },
    });
    if (owned.it === null)
      throw new KernelError("EINVAL", `${vdev.devpath} has not asked for its operations`);
    return { device: vdev, owned: owned.it, parent };
  }
}

/** Precondition: nobody has it open, nor can open it. The caller's reference to the device is used up. */
export async function letGo({ parent, owned, device }: Made): Promise<void> {
  await parent.withdraw(owned);
  device.put();
}
