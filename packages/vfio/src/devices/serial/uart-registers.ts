/** Where a 16550's registers are and what their bits mean (PC16550D data sheet, National Semiconductor, 1995, section 8). */

/** Offset in the port's eight bytes. Two registers share some: DLAB, or the direction of the access, tells them apart. */
export const UartRegister = {
  /** Receiver buffer when read, transmitter holding when written; divisor's low byte with DLAB. */
  data: 0,
  /** Divisor's high byte with DLAB. */
  interruptEnable: 1,
  /** Interrupt identification when read, FIFO control when written. */
  interruptIdOrFifoControl: 2,
  lineControl: 3,
  modemControl: 4,
  lineStatus: 5,
  modemStatus: 6,
  scratch: 7,
} as const;

/** Bytes that one port's registers take. */
export const UART_BYTES = 8;
/** Characters that each FIFO holds. */
export const FIFO_CHARACTERS = 16;
/** Hz: what the divisor divides, and 16 more. */
export const UART_CLOCK = 1_843_200;

export const Ier = {
  receivedData: 0x01,
  transmitterEmpty: 0x02,
  lineStatus: 0x04,
  modemStatus: 0x08,
} as const;

/** Lowest bit clear: something is pending. In the order of priority. */
export const Iir = {
  lineStatus: 0x06,
  receivedData: 0x04,
  characterTimeout: 0x0c,
  transmitterEmpty: 0x02,
  modemStatus: 0x00,
  none: 0x01,
  fifosEnabled: 0xc0,
} as const;

export const Fcr = { enable: 0x01, clearReceiver: 0x02, clearTransmitter: 0x04, trigger: 0xc0 } as const;

/** How many characters interrupt, by the two bits of the trigger level. */
export const triggerLevels = [1, 4, 8, 14] as const;

export const Lcr = {
  wordLength: 0x03,
  twoStops: 0x04,
  parity: 0x08,
  break: 0x40,
  divisorLatch: 0x80,
} as const;

export const Mcr = {
  dataTerminalReady: 0x01,
  requestToSend: 0x02,
  out1: 0x04,
  out2: 0x08,
  loop: 0x10,
  /** The others read as zero. */
  all: 0x1f,
} as const;

export const Lsr = {
  dataReady: 0x01,
  overrun: 0x02,
  parity: 0x04,
  framing: 0x08,
  break: 0x10,
  transmitterHoldingEmpty: 0x20,
  transmitterEmpty: 0x40,
  errorInFifo: 0x80,
} as const;

/** The low four bits say which of the high four has changed since the last read. */
export const Msr = {
  deltas: 0x0f,
  /** Only the end of a ring counts. */
  trailingRing: 0x04,
  clearToSend: 0x10,
  dataSetReady: 0x20,
  ringIndicator: 0x40,
  carrierDetect: 0x80,
} as const;
