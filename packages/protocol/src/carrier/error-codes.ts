/** What the codes of the carrier's errors mean. */
import type { CodeEntry } from "../error-codes.js";

/** Codes of PortClosedError: the queue, and the device that it is of, can't be used any more. */
export const portCloseCodes = {
  closed: { means: "This end called `close`.", remedy: "" },
  "peer-closed": {
    means: "The other end closed, or its process ended.",
    remedy: "Ask for a new device; `device.lost` says why the old one went.",
  },
  protocol: {
    means: "The other end sent what the protocol does not allow; `cause` is the ProtocolError.",
    remedy: "Use the same release on both ends; if they are, report it.",
  },
  "carrier-failed": {
    means: "The socket beneath failed; `cause` is the system's error.",
    remedy: "Ask for a new device.",
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;

export type PortCloseCode = keyof typeof portCloseCodes;

/** Codes of PortStalledError: there was no room to write. The port stays open. */
export const portStallCodes = {
  stalled: {
    means: "The reader made no progress for the stall deadline.",
    remedy: "The engine hangs or is kept busy by earlier work: submit less at once.",
  },
  "cannot-wait": {
    means:
      "Waiting for room could never end: the reader is this very thread, or the socket can't be driven while it waits.",
    remedy: "Await a promise of the device now and then, so that the queue can be read.",
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;

export type PortStallCode = keyof typeof portStallCodes;

/** Codes of QueueConnectError: a queue did not come to be. Nothing else is affected. */
export const queueConnectCodes = {
  unreachable: {
    means: "Nobody listens at the endpoint.",
    remedy: "The engine has ended: ask for a device again.",
  },
  refused: {
    means: "The engine does not want this queue; `errno` says why.",
    remedy: "Ask for a device again.",
  },
  "hung-up": {
    means: "The other end closed before the handshake was through.",
    remedy: "Ask for a device again.",
  },
  deadline: {
    means: "The handshake missed its deadline.",
    remedy: "The machine is overloaded or the engine hangs: ask for a device again.",
  },
  protocol: {
    means: "What came is no handshake; `cause` is the ProtocolError.",
    remedy: "Use the same release on both ends.",
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;

export type QueueConnectCode = keyof typeof queueConnectCodes;
