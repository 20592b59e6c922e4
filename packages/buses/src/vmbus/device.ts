/** The bus, its devices (one for each offered channel) and the contract of its drivers. */
import { type Bus, Device, type Driver, type Runtime, type UeventKeys } from "parhelion-core";
import { guidToBytes } from "parhelion-protocol";
import type { VmbusChannel } from "./channel.js";

/** What a driver can drive: channels of this interface type. */
export interface VmbusId {
  readonly type: string;
}

export interface VmbusDriver<S = unknown> extends Driver<VmbusDevice, S> {
  readonly ids: readonly VmbusId[];
}

export interface VmbusOffer {
  readonly interfaceType: string;
  readonly interfaceInstance: string;
  readonly mmioMegabytes: number;
  readonly userData: Uint8Array;
}

/** Named by its instance, so that whoever knows the full GUID finds it with `system.findDevice`. */
export class VmbusDevice extends Device {
  readonly offer: VmbusOffer;
  readonly channel: VmbusChannel;

  constructor(runtime: Runtime, bus: Bus, parent: Device, offer: VmbusOffer, channel: VmbusChannel) {
    super(runtime, { name: offer.interfaceInstance, parent, bus: bus as Bus });
    this.offer = offer;
    this.channel = channel;
  }
}

/** A bus type holds no devices: any number of systems can share one, but each usually makes its own. */
export function createVmbus(): Bus<VmbusDevice, VmbusDriver> {
  return {
    name: "vmbus",
    driverOverride: "name",
    match: (device, driver) => driver.ids.some((id) => id.type === device.offer.interfaceType),
    uevent: (device) => vmbusUevent(device),
  };
}

/** MODALIAS is the type's bytes in memory order, as Linux prints it. */
function vmbusUevent(device: VmbusDevice): UeventKeys {
  const bytes = guidToBytes(device.offer.interfaceType);
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [["MODALIAS", `vmbus:${digits}`]];
}
