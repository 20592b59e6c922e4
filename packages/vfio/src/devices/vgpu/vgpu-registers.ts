/** What is where in a vGPU's base address 0, and in the memory that it shares with its driver. All little-endian. */

/** Bytes behind base address 0. */
export const VGPU_BAR_BYTES = 0x4000;
/** Each part has a page of its own. */
export const VgpuPage = {
  registers: 0x0000,
  msixTable: 0x1000,
  msixPending: 0x2000,
  queues: 0x3000,
} as const;

/** In the register page. Two words make an address, the low one first. */
export const VgpuRegister = {
  /** Read only: "phgp". */
  magic: 0x00,
  /** Read only: of this layout. */
  version: 0x04,
  /** Read only: bits of `VgpuStatus`. */
  status: 0x08,
  /** Bits of `VgpuControl`. Switching a ring off forgets what is in it. */
  control: 0x0c,
  /** Where the ring of commands is, and how many slots it has: a power of two. Fixed while it is on. */
  commandBase: 0x10,
  commandSlots: 0x18,
  /** Written: so many commands were put into the ring, of all times, modulo 2^32. This is the doorbell. */
  commandDoorbell: 0x1c,
  /** Read only: so many commands were answered, in whatever order. */
  commandsAnswered: 0x20,
  /** The same for notices: the device puts them in, the driver takes them out and rings. */
  noticeBase: 0x28,
  noticeSlots: 0x30,
  noticeDoorbell: 0x34,
  /** Read only: so many notices were put into the ring. */
  noticesPut: 0x38,
} as const;

export const VGPU_MAGIC = 0x7067_6870;
export const VGPU_REGISTER_VERSION = 1;

export const VgpuControl = { commands: 0x1, notices: 0x2 } as const;
export const VgpuStatus = {
  /** There is a slice behind it. */
  ready: 0x1,
  /** The driver has put into a ring what can't be there, or taken its memory away: reset the function. */
  failed: 0x2,
  /** There was no room for a notice. Cleared when the ring of notices is switched off. */
  noticesLost: 0x4,
} as const;

/** MSI-X vectors: a command was answered; a notice has come; a queue's bytes have moved. */
export const VgpuVector = { answered: 0, notice: 1, queue: 2 } as const;
export const VGPU_VECTORS = 3;

export const MOST_SLOTS = 1024;

/** One slot of the ring of commands. The first eight fields are the driver's, the last three are written by the device. */
export const CommandSlot = {
  bytes: 64,
  /** 0: of this vGPU, 1: of the machine (its processes), 2: about queues (`QueueCommand`). */
  channel: 0,
  /** The command's number on that channel, and the process that it is for. */
  type: 4,
  process: 8,
  requestBytes: 12,
  requestBase: 16,
  replyBase: 24,
  /** Room for the reply. */
  replyRoom: 32,
  /** An NTSTATUS: 0 and above it has succeeded. */
  status: 48,
  /** Of the reply; of an error's words where it has failed. Never more than there is room for. */
  replyBytes: 52,
  /** Written last: 1. To be cleared by the driver before it rings. */
  done: 56,
} as const;

/**
 * What is said about queues. A queue of an engine (CREATEHWQUEUE) is reached by a stream of bytes, which begins with the token; a
 * queue that is attached here carries such a stream through two rings in the driver's memory.
 */
export const QueueCommand = { attach: 1, detach: 2 } as const;

/** The request of `attach`; that of `detach` is the number alone. */
export const QueueAttach = {
  bytes: 32,
  /** Which, below `MOST_QUEUES`; the driver chooses. */
  number: 0,
  sendBytes: 4,
  sendBase: 8,
  receiveBase: 16,
  receiveBytes: 24,
} as const;

export const MOST_QUEUES = 128;

/** Of each queue, in the queues' page. Counts are of bytes, of all times, modulo 2^32. */
export const QueueRegister = {
  bytes: 32,
  /** Written: so many were put into the sending ring. This is the queue's doorbell. */
  sent: 0,
  /** Read only: so many of them were taken out. */
  taken: 4,
  /** Read only: so many were put into the receiving ring. */
  received: 8,
  /** Written: so many of them were taken out. */
  consumed: 12,
  /** Read only: a `QueueState`; 0 where no queue is attached. */
  state: 16,
} as const;

export const QueueState = { open: 1, ended: 2 } as const;

/** One slot of the ring of notices: the type and the process, how long it is, and the notice itself. */
export const NoticeSlot = { bytes: 8192, type: 0, process: 4, length: 8, body: 16 } as const;

/** A command's request or reply may have so many bytes, as on a channel. */
export const MOST_COMMAND_BYTES = 128 * 1024;
