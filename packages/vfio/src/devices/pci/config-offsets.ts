/** Where what is in the head of every function's configuration space (PCI Local Bus 3.0, section 6.1). */

export const PciOffset = {
  vendorId: 0x00,
  deviceId: 0x02,
  command: 0x04,
  status: 0x06,
  revision: 0x08,
  classCode: 0x09,
  cacheLine: 0x0c,
  latency: 0x0d,
  headerType: 0x0e,
  bars: 0x10,
  subsystemVendorId: 0x2c,
  subsystemId: 0x2e,
  capabilities: 0x34,
  interruptLine: 0x3c,
  interruptPin: 0x3d,
} as const;

export const PciCommand = {
  ioSpace: 0x0001,
  memorySpace: 0x0002,
  busMaster: 0x0004,
  parity: 0x0040,
  systemError: 0x0100,
  interruptsOff: 0x0400,
} as const;

export const PciStatus = {
  interrupt: 0x0008,
  capabilities: 0x0010,
  /** DEVSEL timing: medium. */
  mediumTiming: 0x0200,
} as const;

/** Ids of capabilities. */
export const PciCapability = { vendor: 0x09, msix: 0x11 } as const;
