/**
 * Records as the text that is kept. Each says by its schema what it is and of which version; what was written by anybody else, or was
 * damaged, is found when it is read and not when it is used.
 */
import { isRecord } from "../admin/admin-server.js";
import type { GuestLifetime, StoredGuest, StoredSlice } from "./records.js";

/** What a record is: keys begin with it, and its schema names it. */
export type RecordKind = "guest" | "slice" | "uuid" | "store";

/** The version of every kind; one that is changed gets the next number, and a reader for the old one. */
const version = 1;

/** What the store keeps about itself. */
export interface StoreSummary {
  /** How many guests and slices were ever put: the next one's place in the order. */
  readonly records: number;
  /** The highest generation that a slice ever had. */
  readonly generation: number;
  /** Of all other records, see `digest.ts`. */
  readonly digest: string;
}

/** A record with its place in the order in which records were first put. */
export interface Placed<T> {
  readonly place: number;
  readonly value: T;
}

/** The one record of the kind `store`. */
export const summaryKey = "store";

export function keyOf(kind: Exclude<RecordKind, "store">, id: string): string {
  return `${kind}/${id}`;
}

export function encodeGuest({ place, value }: Placed<StoredGuest>): string {
  return encode("guest", { place, ...value });
}

export function encodeSlice({ place, value }: Placed<StoredSlice>): string {
  return encode("slice", { place, ...value });
}

/** That a UUID was used says all. */
export function encodeUuidMark(): string {
  return encode("uuid", {});
}

export function encodeSummary(summary: StoreSummary): string {
  return encode("store", { ...summary });
}

/** @throws Error why `text` is no guest with this key */
export function decodeGuest(key: string, text: string): Placed<StoredGuest> {
  const fields = decode("guest", text, ["place", "id", "name", "credentialHash", "lifetime"]);
  const id = matching(fields, "id", /^[0-9a-f]{8}$/);
  named(key, keyOf("guest", id));
  const value = {
    id,
    name: matching(fields, "name", /^/),
    credentialHash: matching(fields, "credentialHash", /^[0-9a-f]{64}$/),
    lifetime: oneOf<GuestLifetime>(fields, "lifetime", ["connected", "kept"]),
  };
  return { place: count(fields, "place"), value };
}

/** @throws Error why `text` is no slice with this key */
export function decodeSlice(key: string, text: string): Placed<StoredSlice> {
  const names = ["place", "uuid", "generation", "adapter", "descriptor", "use", "holder", "index"];
  const fields = decode("slice", text, names);
  const uuid = matching(fields, "uuid", uuidPattern);
  named(key, keyOf("slice", uuid));
  const { descriptor, holder } = fields;
  if (!isRecord(descriptor)) throw new Error("descriptor is no object");
  const value = {
    uuid,
    generation: count(fields, "generation"),
    adapter: matching(fields, "adapter", /./),
    descriptor,
    use: oneOf<StoredSlice["use"]>(fields, "use", ["projected", "local", "vfio", null]),
    holder: holder === null ? null : matching(fields, "holder", /^[0-9a-f]{8}$/),
    index: count(fields, "index"),
  };
  return { place: count(fields, "place"), value };
}

/** @throws Error */
export function decodeUuidMark(key: string, text: string): void {
  decode("uuid", text, []);
  if (!uuidPattern.test(key.slice(keyOf("uuid", "").length))) throw new Error("its key names no UUID");
}

/** @throws Error */
export function decodeSummary(text: string): StoreSummary {
  const fields = decode("store", text, ["records", "generation", "digest"]);
  return {
    records: count(fields, "records"),
    generation: count(fields, "generation"),
    digest: matching(fields, "digest", /^[0-9a-f]{64}$/),
  };
}

/** @throws Error it is of no kind that a host keeps */
export function kindOf(key: string): RecordKind {
  if (key === summaryKey) return "store";
  const kind = (["guest", "slice", "uuid"] as const).find((each) => key.startsWith(keyOf(each, "")));
  if (kind === undefined) throw new Error("a host keeps nothing under such a key");
  return kind;
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type Fields = Readonly<Record<string, unknown>>;

function encode(kind: RecordKind, fields: Fields): string {
  return JSON.stringify({ schema: `parhelion.${kind}/${version}`, ...fields });
}

/** @param names all of them, and no other, have to be there */
function decode(kind: RecordKind, text: string, names: readonly string[]): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("it is not JSON");
  }
  if (!isRecord(value)) throw new Error("it is no object");
  const { schema, ...fields } = value;
  const found = /^parhelion\.(\w+)\/(\d+)$/.exec(typeof schema === "string" ? schema : "");
  if (found?.[1] !== kind) throw new Error(`its schema is not a ${kind}'s`);
  if (Number(found[2]) !== version)
    throw new Error(`its schema has version ${found[2]}, this Parhelion knows version ${version}`);
  for (const name of names) if (!Object.hasOwn(fields, name)) throw new Error(`${name} is missing`);
  for (const name of Object.keys(fields))
    if (!names.includes(name))
      throw new Error(`it has an unknown field ${JSON.stringify(name.slice(0, 64))}`);
  return fields;
}

function named(key: string, expected: string): void {
  if (key !== expected) throw new Error(`it is the record of ${expected}`);
}

function matching(fields: Fields, name: string, pattern: RegExp): string {
  const value = fields[name];
  if (typeof value !== "string" || !pattern.test(value)) throw new Error(`${name} is malformed`);
  return value;
}

function count(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw new Error(`${name} is malformed`);
  return value;
}

function oneOf<T extends string | null>(fields: Fields, name: string, values: readonly T[]): T {
  const found = values.find((each) => each === fields[name]);
  if (found === undefined) throw new Error(`${name} is none of ${values.join(", ")}`);
  return found;
}
