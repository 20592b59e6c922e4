import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { ControlConnection } from "./control-connection.js";
import { isControlError } from "./control-error.js";
import {
  codecOf,
  FIRST_ID,
  type FieldTypes,
  type GoldenMessages,
  REFUSAL,
  type RecordedBody,
  type RecordedMessage,
  revive,
  rewrite,
  type Schema,
  Wire,
} from "./golden.test.fixture.js";
import { ErrorDetail, type StructCodec } from "./index.js";

const directory = new URL("../../golden/", import.meta.url);
const recordings = readdirSync(directory)
  .filter((name) => /^messages-\d+\.golden\.json$/.test(name))
  .map((name) => ({
    name,
    golden: JSON.parse(readFileSync(new URL(name, directory), "utf8")) as GoldenMessages,
  }));
const schema = (await import(new URL("../../idl/messages.schema.mjs", import.meta.url).href)) as Schema;

const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

/** Every body of a recording with the codec of today. */
function* bodiesOf(golden: GoldenMessages): Generator<[string, RecordedBody, StructCodec<unknown>]> {
  yield ["ErrorDetail", golden.errorDetail, ErrorDetail];
  for (const { space, name, bodies } of golden.messages) {
    for (const [part, body] of Object.entries(bodies))
      yield [`${space}.${name} ${part}`, body, codecOf(space, name, part)];
  }
}

for (const { name, golden } of recordings) {
  describe(`the recorded messages of ${name}`, () => {
    test("have their numbers still", () => {
      for (const { space, name, type } of golden.messages) {
        const found = Object.values(schema.spaces).find(({ object }) => object === space)?.messages[name];
        assert.equal(found?.[0], type, `${space}.${name}`);
      }
    });

    test("still mean what they meant; fields that came later have their defaults", () => {
      for (const [where, { fields, samples }, codec] of bodiesOf(golden)) {
        for (const { value, bytes } of samples) {
          const meant = revive(golden, fields, value, codec.defaults() as object);
          assert.deepEqual(codec.decode(unhex(bytes)), meant, where);
        }
      }
    });

    test("of an older sender, cut after any field, leave the rest at its defaults", () => {
      for (const [where, body, codec] of bodiesOf(golden)) {
        for (const { value, bytes } of body.samples) {
          const whole = Buffer.from(rewrite(golden, body, value, {})).toString("hex");
          assert.equal(whole, bytes, `${where}: the recorded bytes are these fields in this order`);
          for (let known = 0; known < body.fields.length; known++) {
            const cut = rewrite(golden, body, value, { known });
            assert.ok(bytes.startsWith(Buffer.from(cut).toString("hex")), where);
            const meant = revive(golden, body.fields.slice(0, known), value, codec.defaults() as object);
            assert.deepEqual(codec.decode(cut), meant, `${where} up to field ${known}`);
          }
        }
      }
    });

    test("of a newer sender, with unknown fields at every level, are read as far as they are known", () => {
      const now: GoldenMessages = { ...golden, structs: currentStructs() };
      for (const [where, body, codec] of bodiesOf(golden)) {
        // A field that came since the recording is known by now: unknown ones stand behind it.
        const current: RecordedBody = { ...body, fields: currentFields(where) };
        for (const { value } of body.samples) {
          const meant = revive(golden, body.fields, value, codec.defaults() as object);
          const filled = fill(now, current.fields, value, codec);
          for (const length of [1, 3, 8, 1000]) {
            const unknown = new Uint8Array(length).fill(0xa5);
            assert.deepEqual(codec.decode(rewrite(now, current, filled, { unknown })), meant, where);
          }
        }
      }
    });

    test("in their frames reach whoever is asked, who asks, and who listens", async () => {
      for (const message of golden.messages) if (message.frames !== undefined) await throughFrames(message);
    });
  });
}

function currentStructs(): GoldenMessages["structs"] {
  return Object.fromEntries(
    Object.entries(schema.structs).map(([name, { fields }]) => [name, types(fields)]),
  );
}

const types = (fields: Readonly<Record<string, readonly [string, ...unknown[]]>>): FieldTypes =>
  Object.entries(fields).map(([name, [type]]) => [name, type] as const);

function currentFields(where: string): FieldTypes {
  const [message = "", part] = where.split(" ");
  if (part === undefined) return types(schema.structs[message]?.fields ?? {});
  const [space, name = ""] = message.split(".");
  const found = Object.values(schema.spaces).find(({ object }) => object === space)?.messages[name];
  return types((part === "reply" ? found?.[3] : found?.[2]) ?? {});
}

/** The recorded value with today's other fields at their defaults, in the recording's form. */
function fill(
  now: GoldenMessages,
  fields: FieldTypes,
  value: RecordedBody["samples"][number]["value"],
  codec: StructCodec<unknown>,
): RecordedBody["samples"][number]["value"] {
  const missing = fields.filter(([name]) => !(name in value));
  assert.deepEqual(
    missing.filter(([, type]) => now.structs[type.replace(/[[\]]/g, "")] !== undefined),
    [],
    "a later field of a struct type: extend this test",
  );
  const defaults = codec.defaults() as Record<string, unknown>;
  const added = missing.map(([name, type]) => {
    const plain = defaults[name];
    if (type === "u64") return [name, String(plain)] as const;
    return [name, plain instanceof Uint8Array ? "" : plain] as const;
  });
  return { ...value, ...Object.fromEntries(added) } as RecordedBody["samples"][number]["value"];
}

async function throughFrames({ space, name, type, bodies, frames }: RecordedMessage): Promise<void> {
  const where = `${space}.${name}`;
  const frame = (part: string): Uint8Array => unhex(frames?.[part] ?? "");
  const body = (part: string): Uint8Array => unhex(bodies[part]?.samples.at(-1)?.bytes ?? "");
  const wire = new Wire();
  const connection = new ControlConnection(wire);
  try {
    if (bodies["body"] !== undefined) {
      const heard = new Promise((resolve) => connection.onEvent((...event) => resolve(event)));
      wire.arrive(frame("body"));
      assert.deepEqual(await heard, [type, Buffer.from(body("body"))].map(plainBytes), where);
      return;
    }
    const served = new Promise<unknown[]>((resolve) =>
      connection.onRequest((...request) => {
        resolve(request);
        return body("reply");
      }),
    );
    wire.arrive(frame("request"));
    assert.deepEqual((await served).map(plainBytes), [type, body("request")], where);
    assert.deepEqual(Buffer.concat(wire.written), Buffer.from(frame("reply")), where);
  } finally {
    connection.close();
  }
  for (const outcome of ["reply", "refusal"]) {
    const wire = new Wire();
    const connection = new ControlConnection(wire);
    try {
      const answer = connection.request(type, body("request"));
      assert.deepEqual(Buffer.concat(wire.written), Buffer.from(frame("request")), `${where} ${FIRST_ID}`);
      wire.arrive(frame(outcome));
      if (outcome === "reply") assert.deepEqual(plainBytes(await answer), body("reply"), where);
      else
        await assert.rejects(answer, (error) => {
          assert.ok(isControlError(error, "EDQUOT"), where);
          assert.match(error.message, new RegExp(REFUSAL.text));
          assert.deepEqual(error.privateData, REFUSAL.privateData);
          return true;
        });
    } finally {
      connection.close();
    }
  }
}

const plainBytes = (value: unknown): unknown =>
  value instanceof Uint8Array ? Uint8Array.from(value) : value;

test("every message of the schema, with every field, is in a recording", () => {
  const recorded = new Map<string, Set<string>>();
  const note = (where: string, { fields }: { readonly fields: FieldTypes }): void => {
    const known = recorded.get(where) ?? new Set<string>();
    for (const [field, type] of fields) known.add(`${field}: ${type}`);
    recorded.set(where, known);
  };
  for (const { golden } of recordings) {
    for (const [where, body] of bodiesOf(golden)) note(where, body);
    for (const [name, fields] of Object.entries(golden.structs)) note(name, { fields });
  }
  const check = (where: string, fields: FieldTypes): void => {
    const known = recorded.get(where);
    assert.ok(known, `${where} is in no recording: node packages/protocol/golden/record.mjs messages-<next>`);
    for (const [field, type] of fields)
      assert.ok(known.has(`${field}: ${type}`), `${where}.${field}: ${type}`);
  };
  for (const [name, { fields }] of Object.entries(schema.structs)) check(name, types(fields));
  for (const { object, messages } of Object.values(schema.spaces)) {
    for (const [name, [, , request, reply]] of Object.entries(messages)) {
      check(`${object}.${name} ${reply === null ? "body" : "request"}`, types(request));
      if (reply !== null) check(`${object}.${name} reply`, types(reply));
    }
  }
});
