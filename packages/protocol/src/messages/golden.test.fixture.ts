/**
 * Recorded control messages: what a released protocol sent and meant. `golden/record.mjs` writes a file once for a
 * protocol; the tests decode it for ever. A recording knows the fields that there were, so that bodies from its past (cut
 * after any field) and its future (with fields that nobody knows yet, at every level) can be made of it.
 */
import { Duplex } from "node:stream";
import fc from "fast-check";
import { encodeFrame, FrameFlags } from "./frame.js";
import * as messages from "./index.js";
import { ErrorDetail, type StructCodec, StructWriter } from "./index.js";

type FieldSpec = readonly [type: string, doc: string, max?: number];
type Fields = Readonly<Record<string, FieldSpec>>;

/** What idl/messages.schema.mjs exports. */
export interface Schema {
  readonly structs: Readonly<Record<string, { readonly fields: Fields }>>;
  readonly spaces: Readonly<
    Record<
      string,
      {
        readonly object: string;
        readonly messages: Readonly<
          Record<string, readonly [type: number, doc: string, request: Fields, reply: Fields | null]>
        >;
      }
    >
  >;
}

/** u64 as decimal digits, bytes as hexadecimal, all else as JSON has it. */
type Plain = string | number | readonly Plain[] | PlainStruct;
export interface PlainStruct {
  readonly [field: string]: Plain;
}
/** Names and types, in the order of the bytes. */
export type FieldTypes = readonly (readonly [name: string, type: string])[];

export interface RecordedBody {
  readonly fields: FieldTypes;
  readonly samples: readonly { readonly value: PlainStruct; readonly bytes: string }[];
}

export interface RecordedMessage {
  /** Of the generated table of its space: ioctl, vmCommand, … */
  readonly space: string;
  readonly name: string;
  readonly type: number;
  /** request and reply, or body alone. */
  readonly bodies: Readonly<Record<string, RecordedBody>>;
  /** Of control connections: whole frames around the last samples, and a refusal in the reply's place. */
  readonly frames?: Readonly<Record<string, string>>;
}

export interface GoldenMessages {
  readonly structs: Readonly<Record<string, FieldTypes>>;
  readonly errorDetail: RecordedBody;
  readonly messages: readonly RecordedMessage[];
}

/** Spaces whose messages travel in control frames. */
const controlSpaces: ReadonlySet<string> = new Set(["nodeMessage", "ioctl", "queueMessage"]);
const samplesOfEach = 3;
/** A connection's first request has this id. */
export const FIRST_ID = 1;
export const REFUSAL = { errno: 122, text: "3 of 3 are in use", privateData: Uint8Array.of(0x7b, 0x7d) };

const listed = (type: string): string | undefined => (type.startsWith("[") ? type.slice(1, -1) : undefined);
const typesOf = (fields: Fields): FieldTypes =>
  Object.entries(fields).map(([name, [type]]) => [name, type] as const);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export function codecOf(space: string, name: string, body: string): StructCodec<unknown> {
  const table = (messages as unknown as Record<string, Record<string, Record<string, unknown>>>)[space];
  const codec = table?.[name]?.[body];
  if (codec === undefined) throw new Error(`${space}.${name} has no ${body} any more`);
  return codec as StructCodec<unknown>;
}

const structCodecOf = (name: string): StructCodec<unknown> =>
  (messages as unknown as Record<string, StructCodec<unknown>>)[name] as StructCodec<unknown>;

/** A recorded value as a decoder gives it, with what was not recorded (fields that came later) at its defaults. */
export function revive(
  golden: GoldenMessages,
  fields: FieldTypes,
  value: PlainStruct,
  defaults: object,
): object {
  const known = fields.flatMap(([name, type]) => {
    const plain = value[name];
    return plain === undefined ? [] : [[name, reviveField(golden, type, plain)] as const];
  });
  return { ...defaults, ...Object.fromEntries(known) };
}

function reviveField(golden: GoldenMessages, type: string, plain: Plain): unknown {
  const element = listed(type);
  if (element !== undefined) return (plain as Plain[]).map((each) => reviveField(golden, element, each));
  if (type === "u64") return BigInt(plain as string);
  if (type === "bytes") return Uint8Array.from(Buffer.from(plain as string, "hex"));
  const fields = golden.structs[type];
  if (fields === undefined) return plain;
  return revive(golden, fields, plain as PlainStruct, structCodecOf(type).defaults() as object);
}

/** A body as an older sender (only the first `known` fields) or a newer one (unknown fields at every level) writes it. */
export function rewrite(
  golden: GoldenMessages,
  { fields }: RecordedBody,
  value: PlainStruct,
  how: { readonly known?: number; readonly unknown?: Uint8Array },
): Uint8Array {
  const writer = new StructWriter();
  writeStruct(golden, writer, fields.slice(0, how.known), value, how.unknown ?? new Uint8Array(0));
  return writer.finish();
}

function writeStruct(
  golden: GoldenMessages,
  writer: StructWriter,
  fields: FieldTypes,
  value: PlainStruct,
  unknown: Uint8Array,
): void {
  for (const [name, type] of fields) writeField(golden, writer, type, value[name] as Plain, unknown);
  for (const byte of unknown) writer.u8(byte);
}

function writeField(
  golden: GoldenMessages,
  writer: StructWriter,
  type: string,
  plain: Plain,
  unknown: Uint8Array,
): void {
  const element = listed(type);
  const fields = golden.structs[type];
  if (element !== undefined)
    writer.list(plain as Plain[], Infinity, (each) => writeField(golden, writer, element, each, unknown));
  else if (fields !== undefined)
    writer.struct(() => writeStruct(golden, writer, fields, plain as PlainStruct, unknown));
  else if (type === "u64") writer.u64(BigInt(plain as string));
  else if (type === "bytes") writer.bytes(Buffer.from(plain as string, "hex"), Infinity);
  else if (type === "string") writer.string(plain as string, Infinity);
  else if (type === "guid" || type === "hex16") writer[type](plain as string);
  else writer[type as "u8" | "u16" | "u32" | "i32"](plain as number);
}

/** A few samples of each message, from a fixed seed. */
export function recordMessages({ structs, spaces }: Schema): GoldenMessages {
  const body = (fields: Fields, codec: StructCodec<unknown>, seed: number): RecordedBody => {
    const values = fc.sample(structOf(structs, fields), { seed, numRuns: samplesOfEach });
    const samples = values.map((value) => ({ value, bytes: "" }));
    const skeleton = { structs: types, errorDetail: { fields: [], samples: [] }, messages: [] };
    return {
      fields: typesOf(fields),
      samples: samples.map(({ value }) => {
        const revived = revive(skeleton, typesOf(fields), value, {});
        return { value, bytes: hex(codec.encode(revived)) };
      }),
    };
  };
  const types = Object.fromEntries(
    Object.entries(structs).map(([name, { fields }]) => [name, typesOf(fields)]),
  );
  let seed = 20261121;
  const recorded = Object.values(spaces).flatMap(({ object, messages: table }) =>
    Object.entries(table).map(([name, [type, , request, reply]]): RecordedMessage => {
      const parts = reply === null ? { body: request } : { request, reply };
      const bodies = Object.fromEntries(
        Object.entries(parts).map(([part, fields]) => [
          part,
          body(fields, codecOf(object, name, part), seed++),
        ]),
      );
      const whole = { space: object, name, type, bodies };
      return controlSpaces.has(object) ? { ...whole, frames: framesOf(type, bodies) } : whole;
    }),
  );
  const detail = structs["ErrorDetail"] as { fields: Fields };
  return { structs: types, errorDetail: body(detail.fields, ErrorDetail, seed), messages: recorded };
}

function framesOf(type: number, bodies: Readonly<Record<string, RecordedBody>>): Record<string, string> {
  const last = (part: string): Uint8Array => Buffer.from(bodies[part]?.samples.at(-1)?.bytes ?? "", "hex");
  if (bodies["body"] !== undefined) return { body: hex(encodeFrame(type, 0, 0, last("body"))) };
  const answer = (status: number, body: Uint8Array): string => {
    const whole = Buffer.concat([new Uint8Array(4), body]);
    whole.writeInt32LE(status);
    return hex(encodeFrame(type, FrameFlags.REPLY, FIRST_ID, whole));
  };
  return {
    request: hex(encodeFrame(type, 0, FIRST_ID, last("request"))),
    reply: answer(0, last("reply")),
    refusal: answer(-REFUSAL.errno, ErrorDetail.encode(REFUSAL)),
  };
}

function structOf(structs: Schema["structs"], fields: Fields): fc.Arbitrary<PlainStruct> {
  return fc.record(
    Object.fromEntries(Object.entries(fields).map(([name, spec]) => [name, fieldOf(structs, spec)])),
    { noNullPrototype: true },
  );
}

function fieldOf(structs: Schema["structs"], [type, doc, max]: FieldSpec): fc.Arbitrary<Plain> {
  const element = listed(type);
  if (element !== undefined)
    return fc.array(fieldOf(structs, [element, doc]), { maxLength: Math.min(3, max ?? 3) });
  const digits = (count: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${count}}$`));
  switch (type) {
    case "u8":
      return fc.nat(0xff);
    case "u16":
      return fc.nat(0xffff);
    case "u32":
      return fc.nat(0xffff_ffff);
    case "i32":
      return fc.integer();
    case "u64":
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
    case "guid":
      return fc.tuple(...[8, 4, 4, 4, 12].map(digits)).map((parts) => parts.join("-"));
    case "hex16":
      return digits(32);
    case "string":
      return fc.string({ unit: "grapheme", maxLength: 8 });
    case "bytes":
      return fc.uint8Array({ maxLength: 12 }).map(hex);
    default: {
      const known = structs[type];
      if (known === undefined) throw new Error(`what is a ${type}?`);
      return structOf(structs, known.fields);
    }
  }
}

/** A stream that hears what it is told, and keeps what is written to it. */
export class Wire extends Duplex {
  readonly written: Uint8Array[] = [];

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.written.push(Uint8Array.from(chunk));
    done();
  }

  /** One byte at a time: no reader may rely on pieces. */
  arrive(bytes: Uint8Array): void {
    for (const byte of bytes) this.push(Uint8Array.of(byte));
  }
}
