/** The commands of the vfio-user protocol, with its names and numbers. 14 is not in use any more. */
export const Command = {
  VERSION: 1,
  DMA_MAP: 2,
  DMA_UNMAP: 3,
  DEVICE_GET_INFO: 4,
  DEVICE_GET_REGION_INFO: 5,
  DEVICE_GET_REGION_IO_FDS: 6,
  DEVICE_GET_IRQ_INFO: 7,
  DEVICE_SET_IRQS: 8,
  REGION_READ: 9,
  REGION_WRITE: 10,
  /** Server to client, as DMA_WRITE. */
  DMA_READ: 11,
  DMA_WRITE: 12,
  DEVICE_RESET: 13,
  REGION_WRITE_MULTI: 15,
  DEVICE_FEATURE: 16,
  MIG_DATA_READ: 17,
  MIG_DATA_WRITE: 18,
} as const;

export type CommandName = keyof typeof Command;

const names: ReadonlyMap<number, CommandName> = new Map(
  Object.entries(Command).map(([name, number]) => [number, name as CommandName]),
);

/** Undefined for a number that the protocol does not have. */
export function commandName(number: number): CommandName | undefined {
  return names.get(number);
}
