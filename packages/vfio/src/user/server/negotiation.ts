/**
 * What client and server agree on: the lesser of what both can. The answer names what the client has named and nothing else, so it is
 * not longer than the question: QEMU has no more room for it.
 */
import { KernelError } from "parhelion-core";
import { defaultDataBytes, maxDmaMaps, maxMessageFds } from "../wire/limits.js";
import { encodeVersion, pageBytes, type Version } from "../wire/version.js";

const major = 0;
/** What DEVICE_FEATURE and its messages came with. */
const minor = 2;
/** A piece of memory that is asked for is never smaller, or the questions would be without number. */
const leastPieceBytes = 64;

export interface Agreement {
  /** What the client is told. */
  readonly reply: Uint8Array;
  /** Most data in one message to the client. */
  readonly pieceBytes: number;
  /** Most data in one message from the client, or that it may ask for. */
  readonly dataBytes: number;
}

/** @throws KernelError EINVAL another major version; a client that takes next to no data */
export function agree(
  { major: asked, minor: most, capabilities, named }: Version,
  descriptors: boolean,
): Agreement {
  if (asked !== major)
    throw new KernelError("EINVAL", `VERSION ${asked}.${most}: the server speaks ${major}.${minor}`);
  if (capabilities.maxDataBytes < leastPieceBytes)
    throw new KernelError(
      "EINVAL",
      `VERSION: max_data_xfer_size ${capabilities.maxDataBytes}, at least ${leastPieceBytes} are needed`,
    );
  const reply = encodeVersion({
    major,
    minor: Math.min(most, minor),
    capabilities: {
      maxMessageFds: descriptors ? maxMessageFds : 0,
      maxDataBytes: defaultDataBytes,
      maxDmaMaps,
      pageSizes: pageBytes,
      writeMultiple: capabilities.writeMultiple,
      twinSocket: "unsupported",
      migrationPageSize: pageBytes,
    },
    named,
  });
  const pieceBytes = Math.min(capabilities.maxDataBytes, defaultDataBytes);
  return { reply, pieceBytes, dataBytes: defaultDataBytes };
}

/** All that QEMU names, since 10.1. libvfio-user's client, and ours, leave something out. */
const namedByQemu = [
  "max_msg_fds",
  "max_data_xfer_size",
  "max_dma_maps",
  "pgsizes",
  "migration",
  "write_multiple",
];

/** Whether the client may be QEMU, whose questions for memory are laid out otherwise. */
export function mayBeQemu({ named }: Version): boolean {
  return namedByQemu.every((name) => named?.includes(name) === true);
}
