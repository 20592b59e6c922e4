/**
 * The interface of a subchannel that is passed through, in numbers (include/uapi/linux/vfio_ccw.h, drivers/s390/cio/
 * vfio_ccw_private.h). All fields are big-endian, as on the machine that it comes from.
 */

/** Names that tools look for. */
export const VFIO_CCW_NAMES = {
  /** Of the driver of subchannels, which the directory of its type starts with. */
  driver: "vfio_ccw",
  /** Of the driver of mediated devices. */
  mdevDriver: "vfio_ccw_mdev",
  type: "io",
  prettyName: "I/O subchannel (Non-QDIO)",
  deviceApi: "vfio-ccw",
} as const;

/** A region's offset is its index shifted by that. */
export const VFIO_CCW_OFFSET_SHIFT = 10;

export const VFIO_CCW_REGION = { io: 0, command: 1, schib: 2, crw: 3 } as const;

/** Sizes in bytes. */
export const VFIO_CCW_REGION_BYTES = { io: 124, command: 8, schib: 52, crw: 8 } as const;

/** Of the regions beside the first, told in a capability: type, and subtypes. */
export const VFIO_CCW_REGION_TYPE = 2;
export const VFIO_CCW_REGION_SUBTYPE = { command: 1, schib: 2, crw: 3 } as const;

/** Fields of the io region: offset and size in bytes. */
export const IO_REGION = {
  orb: { offset: 0, bytes: 12 },
  scsw: { offset: 12, bytes: 12 },
  irb: { offset: 24, bytes: 96 },
  retCode: { offset: 120, bytes: 4 },
} as const;

/** Fields of the command region. */
export const COMMAND_REGION = {
  command: { offset: 0, bytes: 4 },
  retCode: { offset: 4, bytes: 4 },
} as const;

/** What is written as a command. */
export const ASYNC_COMMAND = { halt: 1, clear: 2 } as const;

export const VFIO_CCW_IRQ = { io: 0, crw: 1, request: 2 } as const;
