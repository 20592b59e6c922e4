// Decoders of dictionaries.
import { file, importOf, indent, namesOf, used } from "./webgpu-text.mjs";

export function emitDictionaryDecoders(model) {
  const wire = model.dictionaries.filter(({ onWire }) => onWire);
  const body = [SEQUENCE, emitShapes(), ...wire.map((each) => emitDictionary(model, each))].join("\n\n");
  const imports = [
    importOf(["ProtocolError"], "../../error.js"),
    importOf(["type Cursor"], "../cursor.js"),
    importOf(["type Color", "type Extent3D", "type Origin3D"], "../shapes.js"),
    importOf(used(body, ["DICTIONARY_TAG", "ENUM_TAG"]), "./dictionary-encode.js"),
    importOf(
      used(
        body,
        model.enums.map(({ name }) => namesOf(name)),
      ),
      "./enums.js",
    ),
    importOf(
      wire.map(({ name }) => `type Decoded${name}`),
      "./types.js",
    ),
  ];
  return file(
    "Decoders of dictionaries: total, they throw nothing but ProtocolError and UnavailableObjectError.",
    imports,
    body,
  );
}

const SEQUENCE = `export function sequence<T>(c: Cursor, least: number, element: (c: Cursor) => T): T[] {
  const count = c.count(least);
  const elements: T[] = [];
  for (let n = 0; n < count; n += 1) elements.push(element(c));
  return elements;
}

function record<T>(c: Cursor, least: number, value: (c: Cursor) => T): Record<string, T> {
  const count = c.count(least);
  const entries: [string, T][] = [];
  for (let n = 0; n < count; n += 1) entries.push([c.text(), value(c)]);
  return Object.fromEntries(entries);
}

function unionObject(c: Cursor, tag: number, kinds: readonly number[], name: string): object {
  if (!kinds.includes(tag)) throw new ProtocolError("wrong-kind", \`\${name} has a member of kind \${tag}\`);
  return c.object(tag);
}

function union<T>(c: Cursor, otherTag: number, kinds: readonly number[], name: string, other: (c: Cursor) => T): object | T {
  const tag = c.word();
  return tag === otherTag ? other(c) : unionObject(c, tag, kinds, name);
}`;

function emitShapes() {
  const shape = (type, read, members) =>
    `export function read${type}(c: Cursor): ${type} {\n  return { ${members.map((member) => `${member}: c.${read}()`).join(", ")} };\n}`;
  return [
    shape("Extent3D", "word", ["width", "height", "depthOrArrayLayers"]),
    shape("Origin3D", "word", ["x", "y", "z"]),
    shape("Color", "double", ["r", "g", "b", "a"]),
  ].join("\n\n");
}

function emitDictionary(model, { name, members }) {
  const required = members
    .filter((member) => member.required)
    .reduce((bits, member) => bits + 2 ** member.number, 0);
  const ordered = members.toSorted((a, b) => a.number - b.number);
  const lines = ordered.map((member) => {
    const read = `d.${member.name} = ${decode(model, member.type, `${name}.${member.name}`)};`;
    return member.required ? read : `if ((present & ${2 ** member.number}) !== 0) ${read}`;
  });
  const start = ordered.some((member) => !member.required) ? "const present = " : "";
  return [
    `export function decode${name}(c: Cursor): Decoded${name} {`,
    `  const outer = c.enter("${name}");`,
    `  ${start}c.presence(${required}, "${name}");`,
    `  const d = {} as Decoded${name};`,
    ...indent(lines),
    "  c.leave(outer);",
    "  return d;",
    "}",
    ...(needsNullable(model, name)
      ? [
          "",
          `function decodeNullable${name}(c: Cursor): Decoded${name} | null {`,
          `  return c.atNull() ? null : decode${name}(c);`,
          "}",
        ]
      : []),
  ].join("\n");
}

function needsNullable(model, name) {
  const isNullable = (type) =>
    (type.form === "dictionary" && type.name === name && type.nullable) ||
    (type.element !== undefined && isNullable(type.element));
  return model.dictionaries.some(
    ({ members, onWire }) => onWire && members.some(({ type }) => isNullable(type)),
  );
}

/** The expression that reads a value of `type` from the cursor `c`. */
export function decode(model, type, what) {
  switch (type.form) {
    case "bool":
      return "c.boolean()";
    case "u32":
    case "u16":
      return "c.word()";
    case "i32":
      return "c.signed()";
    case "f32":
      return "c.float()";
    case "u64":
      return "c.u64()";
    case "f64":
      return "c.double()";
    case "string":
      return "c.text()";
    case "payload":
      return "c.data()";
    case "enum":
      return `c.${type.nullable ? "nullableEnum" : "enum"}(${namesOf(type.name)}, "${type.name}")`;
    case "handle":
      return `c.${type.nullable ? "nullableObject" : "object"}(${model.kindNumber(type.name)})`;
    case "dictionary":
      return `decode${type.nullable ? "Nullable" : ""}${type.name}(c)`;
    case "shape":
      return `read${type.type}(c)`;
    case "sequence": {
      const { form, name, nullable } = type.element;
      const element =
        form === "dictionary"
          ? `decode${nullable ? "Nullable" : ""}${name}`
          : `(c) => ${decode(model, type.element, what)}`;
      return `sequence(c, ${leastWords(type.element)}, ${element})`;
    }
    case "record":
      return `record(c, ${1 + leastWords(type.value)}, (c) => ${decode(model, type.value, what)})`;
    case "union":
      return decodeUnion(model, type, what);
  }
  throw new Error(`no decoder for ${type.form}`);
}

function decodeUnion(model, type, what) {
  const kinds = type.members
    .filter((member) => member.form === "handle")
    .map((member) => model.kindNumber(member.name));
  const other = type.members.find((member) => member.form !== "handle");
  const object = `[${kinds.join(", ")}], "${what}"`;
  if (!other) return `unionObject(c, c.word(), ${object})`;
  const tag = other.form === "enum" ? "ENUM_TAG" : "DICTIONARY_TAG";
  return `union(c, ${tag}, ${object}, (c) => ${decode(model, other, what)})`;
}

/** The fewest words a value takes: bounds a count by the bytes that are left. */
function leastWords(type) {
  switch (type.form) {
    case "u64":
    case "f64":
    case "union":
      return 2;
    case "dictionary":
      return type.nullable ? 1 : 2;
    case "shape":
      return type.wire === "f64" ? 8 : 3;
    default:
      return 1;
  }
}
