/** The PCI bus, its functions and the contract of their drivers. */
import { type Bus, Device, type Driver, type Runtime, type UeventKeys } from "parhelion-core";
import type { ConfigSpace } from "./config-space.js";

export interface PciIdentity {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly subsystemVendorId: number;
  readonly subsystemId: number;
  /** 24 bits: base class, subclass, interface. */
  readonly classCode: number;
}

/** What a driver can drive; a missing field matches any. */
export type PciId = Partial<PciIdentity>;

export interface PciDriver<S = unknown> extends Driver<PciDevice, S> {
  readonly ids: readonly PciId[];
}

export interface PciDeviceInit {
  /** One bus each for what has a host bridge of its own. */
  readonly domain: number;
  /** Device number << 3 | function number. */
  readonly slot: number;
  readonly identity: PciIdentity;
  readonly config: ConfigSpace;
  readonly parent: Device;
}

export class PciDevice extends Device {
  readonly identity: PciIdentity;
  readonly config: ConfigSpace;

  constructor(runtime: Runtime, bus: Bus, init: PciDeviceInit) {
    const { domain, slot, identity, config, parent } = init;
    const name = `${hex(domain, 4)}:00:${hex(slot >>> 3, 2)}.${slot & 7}`;
    super(runtime, { name, parent, bus: bus as Bus });
    this.identity = identity;
    this.config = config;
  }
}

export function createPciBus(): Bus<PciDevice, PciDriver> {
  return {
    name: "pci",
    driverOverride: "name",
    match: (device, driver) => driver.ids.some((id) => matches(id, device.identity)),
    uevent: (device) => pciUevent(device),
  };
}

function matches(id: PciId, identity: PciIdentity): boolean {
  for (const [field, value] of Object.entries(id))
    if (identity[field as keyof PciIdentity] !== value) return false;
  return true;
}

/** As pci_uevent in drivers/pci/pci-driver.c. */
function pciUevent({ name, identity }: PciDevice): UeventKeys {
  const { vendorId, deviceId, subsystemVendorId, subsystemId, classCode } = identity;
  const upper = (value: number, digits: number) => hex(value, digits).toUpperCase();
  const classes = [classCode >>> 16, (classCode >>> 8) & 0xff, classCode & 0xff].map((part) =>
    upper(part, 2),
  );
  const ids = `v${upper(vendorId, 8)}d${upper(deviceId, 8)}sv${upper(subsystemVendorId, 8)}sd${upper(subsystemId, 8)}`;
  return [
    ["PCI_CLASS", classCode.toString(16).toUpperCase()],
    ["PCI_ID", `${upper(vendorId, 4)}:${upper(deviceId, 4)}`],
    ["PCI_SUBSYS_ID", `${upper(subsystemVendorId, 4)}:${upper(subsystemId, 4)}`],
    ["PCI_SLOT_NAME", name],
    ["MODALIAS", `pci:${ids}bc${classes[0]}sc${classes[1]}i${classes[2]}`],
  ];
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
