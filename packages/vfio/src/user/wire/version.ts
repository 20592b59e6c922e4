/**
 * The first message: `major u16, minor u16`, then capabilities as JSON text that a NUL ends. A capability that is not known is
 * skipped, one that is known and wrong is refused.
 */
import { KernelError } from "parhelion-core";
import { defaultDataBytes, defaultMessageFds, maxCapabilityBytes, maxDmaMaps, maxPeerFds } from "./limits.js";
import { Reader } from "./reader.js";
import { Writer } from "./writer.js";

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly capabilities: Capabilities;
  /** Which of them the message names; null: it has no text at all. An answer names no others. */
  readonly named: readonly string[] | null;
}

/** What the sender can take. */
export interface Capabilities {
  readonly maxMessageFds: number;
  /** Bytes of data in one message. */
  readonly maxDataBytes: number;
  readonly maxDmaMaps: number;
  /** Sizes of pages for DMA mappings, or'ed together. */
  readonly pageSizes: number;
  readonly writeMultiple: "supported" | "unsupported";
  /** A second socket for commands of the server. */
  readonly twinSocket: "supported" | "unsupported";
  /** Bytes that one bit stands for where written memory is logged. */
  readonly migrationPageSize: number;
}

export const pageBytes = 4096;

export const defaultCapabilities: Capabilities = {
  maxMessageFds: defaultMessageFds,
  maxDataBytes: defaultDataBytes,
  maxDmaMaps,
  pageSizes: pageBytes,
  writeMultiple: "unsupported",
  twinSocket: "unsupported",
  migrationPageSize: pageBytes,
};

/** @throws KernelError EINVAL */
export function decodeVersion(body: Uint8Array): Version {
  const reader = new Reader("VERSION", body);
  const major = reader.u16();
  const minor = reader.u16();
  return { major, minor, ...decodeCapabilities(reader) };
}

/** A message that names these capabilities, as far as they are known. */
export function encodeVersion({ major, minor, capabilities, named }: Version): Uint8Array {
  const text = named === null ? "" : `${JSON.stringify({ capabilities: jsonOf(capabilities, named) })}\0`;
  const json = new TextEncoder().encode(text);
  return new Writer(4 + json.length).u16(major).u16(minor).put(json).bytes;
}

function jsonOf(capabilities: Capabilities, named: readonly string[]): JsonObject {
  const all = {
    max_msg_fds: capabilities.maxMessageFds,
    max_data_xfer_size: capabilities.maxDataBytes,
    max_dma_maps: capabilities.maxDmaMaps,
    pgsizes: capabilities.pageSizes,
    migration: { pgsize: capabilities.migrationPageSize },
    write_multiple: capabilities.writeMultiple === "supported",
    twin_socket: { supported: capabilities.twinSocket === "supported" },
  };
  return Object.fromEntries(Object.entries(all).filter(([name]) => named.includes(name)));
}

function decodeCapabilities(reader: Reader): Pick<Version, "capabilities" | "named"> {
  if (reader.left === 0) return { capabilities: defaultCapabilities, named: null };
  if (reader.left > maxCapabilityBytes)
    reader.refuse(`${reader.left} bytes of capabilities, at most ${maxCapabilityBytes} are taken`);
  const text = reader.bytes(reader.left);
  const end = text.indexOf(0);
  if (end < 0) reader.refuse("its capabilities do not end with NUL");
  const whole = parse(text.subarray(0, end));
  if (!isObject(whole)) reader.refuse("its JSON text is no object");
  const told = section(whole, "capabilities");
  const migration = section(told, "migration");
  const twin = section(told, "twin_socket");
  const fallback = defaultCapabilities;
  const capabilities = {
    maxMessageFds: count(told, "max_msg_fds", 0, maxPeerFds, fallback.maxMessageFds),
    maxDataBytes: count(told, "max_data_xfer_size", 1, 0xffff_ffff, fallback.maxDataBytes),
    maxDmaMaps: count(told, "max_dma_maps", 1, 0xffff_ffff, fallback.maxDmaMaps),
    pageSizes: count(told, "pgsizes", 1, Number.MAX_SAFE_INTEGER, fallback.pageSizes),
    writeMultiple: flag(told, "write_multiple"),
    twinSocket: flag(twin, "supported"),
    migrationPageSize: count(migration, "pgsize", 1, Number.MAX_SAFE_INTEGER, fallback.migrationPageSize),
  };
  return { capabilities, named: Object.keys(told) };
}

type JsonObject = Readonly<Record<string, unknown>>;

function parse(text: Uint8Array): unknown {
  if (text.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (cause) {
    throw new KernelError("EINVAL", "VERSION: its capabilities are no JSON text in UTF-8", { cause });
  }
}

/** What `name` has within `from`: an object, empty where there is none. */
function section(from: JsonObject, name: string): JsonObject {
  const value = Object.hasOwn(from, name) ? from[name] : {};
  if (isObject(value)) return value;
  throw new KernelError("EINVAL", `VERSION: ${name} is no object`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function count(from: JsonObject, name: string, least: number, most: number, fallback: number): number {
  if (!Object.hasOwn(from, name)) return fallback;
  const value = from[name];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most)
    return value;
  throw new KernelError(
    "EINVAL",
    `VERSION: ${name} is ${JSON.stringify(value)}; a whole number from ${least} to ${most} is expected`,
  );
}

function flag(from: JsonObject, name: string): "supported" | "unsupported" {
  const value = Object.hasOwn(from, name) ? from[name] : false;
  if (typeof value === "boolean") return value ? "supported" : "unsupported";
  throw new KernelError("EINVAL", `VERSION: ${name} is ${JSON.stringify(value)}; true or false is expected`);
}
