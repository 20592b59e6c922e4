/** What a client can ask for, as one typed union, and the total function that makes it out of a message. */
import { KernelError } from "parhelion-core";
import { Command, commandName } from "./commands.js";
import {
  decodeGetInfo,
  decodeGetIrqInfo,
  decodeGetRegionInfo,
  decodeGetRegionIoFds,
  type InfoQuestion,
} from "./device.js";
import { type DmaMap, type DmaUnmap, decodeDmaMap, decodeDmaUnmap } from "./dma.js";
import { decodeFeature, decodeMigrationRead, decodeMigrationWrite, type FeatureCall } from "./feature.js";
import type { Frame } from "./frames.js";
import { decodeSetIrqs, type SetIrqs } from "./irqs.js";
import { maxMessageFds } from "./limits.js";
import {
  decodeRegionRead,
  decodeRegionWrite,
  decodeRegionWriteMulti,
  type RegionRead,
  type RegionWrite,
} from "./region-access.js";
import { decodeVersion, type Version } from "./version.js";

export type Request =
  | { readonly command: "VERSION"; readonly version: Version }
  | { readonly command: "DMA_MAP"; readonly map: DmaMap; readonly fd: number | null }
  | { readonly command: "DMA_UNMAP"; readonly unmap: DmaUnmap }
  | { readonly command: "DEVICE_GET_INFO"; readonly question: InfoQuestion }
  | { readonly command: "DEVICE_GET_REGION_INFO"; readonly question: InfoQuestion }
  | { readonly command: "DEVICE_GET_REGION_IO_FDS"; readonly question: InfoQuestion }
  | { readonly command: "DEVICE_GET_IRQ_INFO"; readonly question: InfoQuestion }
  | { readonly command: "DEVICE_SET_IRQS"; readonly set: SetIrqs; readonly fds: readonly number[] }
  | { readonly command: "REGION_READ"; readonly read: RegionRead }
  | { readonly command: "REGION_WRITE"; readonly write: RegionWrite }
  | { readonly command: "DEVICE_RESET" }
  | { readonly command: "REGION_WRITE_MULTI"; readonly writes: readonly RegionWrite[] }
  | { readonly command: "DEVICE_FEATURE"; readonly call: FeatureCall }
  /** `size`: bytes that are wanted. */
  | { readonly command: "MIG_DATA_READ"; readonly size: number }
  | { readonly command: "MIG_DATA_WRITE"; readonly data: Uint8Array };

/**
 * @param frame a command; its descriptors stay the caller's
 * @param most bytes of data in one message, as agreed
 * @throws KernelError EINVAL what no client may send, EMFILE descriptors of it were lost, EOPNOTSUPP a command that is the server's to send
 */
export function decodeRequest({ header, body, fds, descriptors }: Frame, most: number): Request {
  const command = commandName(header.command);
  if (command === undefined) throw new KernelError("EINVAL", `there is no command ${header.command}`);
  if (header.type !== "command") throw new KernelError("EINVAL", `${command}: neither a command nor a reply`);
  const allowed = command === "DMA_MAP" ? 1 : command === "DEVICE_SET_IRQS" ? maxMessageFds : 0;
  if (fds.length > allowed)
    throw new KernelError("EINVAL", `${command}: ${fds.length} descriptors, at most ${allowed} are taken`);
  if (descriptors === "lost")
    throw new KernelError(
      "EMFILE",
      `${command}: this process had no room for the descriptors that came with it`,
    );
  switch (command) {
    case "VERSION":
      return { command, version: decodeVersion(body) };
    case "DMA_MAP":
      return { command, map: decodeDmaMap(body), fd: fds[0] ?? null };
    case "DMA_UNMAP":
      return { command, unmap: decodeDmaUnmap(body) };
    case "DEVICE_GET_INFO":
      return { command, question: decodeGetInfo(body) };
    case "DEVICE_GET_REGION_INFO":
      return { command, question: decodeGetRegionInfo(body) };
    case "DEVICE_GET_REGION_IO_FDS":
      return { command, question: decodeGetRegionIoFds(body) };
    case "DEVICE_GET_IRQ_INFO":
      return { command, question: decodeGetIrqInfo(body) };
    case "DEVICE_SET_IRQS":
      return { command, ...decodeIrqsWith(body, fds) };
    case "REGION_READ":
      return { command, read: decodeRegionRead(body, most) };
    case "REGION_WRITE":
      return { command, write: decodeRegionWrite(body, most) };
    case "DEVICE_RESET":
      return { command };
    case "REGION_WRITE_MULTI":
      return { command, writes: decodeRegionWriteMulti(body) };
    case "DEVICE_FEATURE":
      return { command, call: decodeFeature(body) };
    case "MIG_DATA_READ":
      return { command, size: decodeMigrationRead(body, most) };
    case "MIG_DATA_WRITE":
      return { command, data: decodeMigrationWrite(body, most) };
    case "DMA_READ":
    case "DMA_WRITE":
      throw new KernelError("EOPNOTSUPP", `${command} is the server's to send`);
  }
}

/** One descriptor for each interrupt, or none for all of them; none at all with other data. */
function decodeIrqsWith(
  body: Uint8Array,
  fds: readonly number[],
): { readonly set: SetIrqs; readonly fds: readonly number[] } {
  const set = decodeSetIrqs(body);
  const expected = set.data === "eventfd" ? set.count : 0;
  if (fds.length === 0 || fds.length === expected) return { set, fds };
  throw new KernelError("EINVAL", `DEVICE_SET_IRQS: ${fds.length} descriptors for ${expected} interrupts`);
}

/** The number of a command, for replies and for commands of the server. */
export function commandNumber(command: Request["command"] | "DMA_READ" | "DMA_WRITE"): number {
  return Command[command];
}
