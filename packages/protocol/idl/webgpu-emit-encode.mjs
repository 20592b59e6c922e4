// Encoders of dictionaries: WebIDL's conversion and the bytes in one pass over a RecordBuilder.
import { CHECKED_ENUMS, CHECKED_TEXTS } from "./webgpu-overlay.mjs";
import { file, importOf, indent, numbersOf, used } from "./webgpu-text.mjs";

const CONVERSIONS = [
  "clampU16",
  "enforceI32",
  "enforceU32",
  "enforceU64",
  "enumNumber",
  "finiteDouble",
  "finiteFloat",
  "missingMember",
  "toElements",
  "toEntries",
  "toMembers",
  "toText",
  "typeError",
  "wrapU32",
];
const SHAPE_FUNCTIONS = [
  "toColor",
  "toExtent3D",
  "toOrigin3D",
  "type Color",
  "type Extent3D",
  "type Origin3D",
];

export function emitDictionaryEncoders(model) {
  const encoders = model.dictionaries
    .filter(({ onWire }) => onWire)
    .map((each) => emitDictionary(model, each));
  const body = [unionTags, emitShapes(), ...encoders].join("\n\n");
  const imports = [
    importOf(used(body, CONVERSIONS), "../convert.js"),
    importOf(["type RecordBuilder"], "../record-builder.js"),
    importOf(used(body, SHAPE_FUNCTIONS), "../shapes.js"),
    importOf(used(body, Object.values(CHECKED_TEXTS)), "../checks.js"),
    importOf(["type HandleSource"], "../handle.js"),
    importOf(
      used(
        body,
        model.enums.map(({ name }) => numbersOf(name)),
      ),
      "./enums.js",
    ),
  ];
  return file("Encoders of dictionaries: conversion and bytes in one pass.", imports, body);
}

const unionTags = `/** The tag of a union's member that is no object; an object's tag is its InterfaceKind. */
export const DICTIONARY_TAG = 0x10000;
export const ENUM_TAG = 0x10001;`;

function emitShapes() {
  const shape = (type, write, members) =>
    `export function write${type}(s: RecordBuilder, value: ${type}): void {\n${members
      .map((member) => `  s.${write}(value.${member});`)
      .join("\n")}\n}`;
  return [
    shape("Extent3D", "word", ["width", "height", "depthOrArrayLayers"]),
    shape("Origin3D", "word", ["x", "y", "z"]),
    shape("Color", "double", ["r", "g", "b", "a"]),
  ].join("\n\n");
}

function emitDictionary(model, { name, members, labelled }) {
  const lines = members.flatMap((member) => memberLines(model, name, member, labelled));
  const stream = lines.some((line) => /\bstream\b/.test(line)) ? "stream" : "_stream";
  const read = `toMembers(value, "${name}");`;
  return [
    `export function encode${name}(${stream}: HandleSource, s: RecordBuilder, value: unknown): void {`,
    `  ${members.length > 0 ? `const members = ${read}` : read}`,
    "  const start = s.beginMembers();",
    `  ${members.length > 0 ? "let" : "const"} present = 0;`,
    ...indent(lines),
    "  s.endMembers(start, present);",
    "}",
  ].join("\n");
}

function memberLines(model, dictionary, member, labelled) {
  const { name } = member;
  const what = `"${dictionary}.${name}"`;
  const isLabel = labelled && name === "label";
  const write = [
    ...(isLabel
      ? [`s.label = toText(label, ${what});`, "s.text(s.label);"]
      : encodeLines(model, member.type, name, what)),
    `present |= ${2 ** member.number};`,
  ];
  const read = `const ${name} = members["${name}"];`;
  if (!member.required) return [read, `if (${name} !== undefined) {`, ...indent(write), "}"];
  const check = `if (${name} === undefined) throw missingMember(${what});`;
  const declares = ["sequence", "record", "union"].includes(member.type.form);
  return declares ? [read, check, "{", ...indent(write), "}"] : [read, check, ...write];
}

/** The statements that convert `value` and write it into `s`. */
export function encodeLines(model, type, value, what, depth = 0) {
  switch (type.form) {
    case "bool":
      return [`s.word(${value} ? 1 : 0);`];
    case "u32":
      return [`s.word(${convertedNumber(type, value, what)});`];
    case "u16":
      return [`s.word(clampU16(${value}));`];
    case "i32":
      return [`s.signed(enforceI32(${value}, ${what}));`];
    case "f32":
      return [`s.float(finiteFloat(${value}, ${what}));`];
    case "u64":
      return [`s.u64(${convertedNumber(type, value, what)});`];
    case "f64":
      return [`s.double(finiteDouble(${value}, ${what}));`];
    case "string":
      return [`s.text(${CHECKED_TEXTS[JSON.parse(what)] ?? "toText"}(${value}, ${what}));`];
    case "enum": {
      const check = CHECKED_ENUMS[type.name];
      const number = check
        ? `stream.${check}(${value}, ${what})`
        : `enumNumber(${numbersOf(type.name)}, ${value}, "${type.name}", ${what})`;
      return [
        `s.word(${type.nullable ? `${value} === null || ${value} === undefined ? 0 : ` : ""}${number});`,
      ];
    }
    case "handle":
      return [
        `s.word(stream.${type.nullable ? "nullableHandle" : "handle"}(${value}, ${model.kindNumber(type.name)}, "${type.name}", ${what}));`,
      ];
    case "dictionary":
      if (!type.nullable) return [`encode${type.name}(stream, s, ${value});`];
      return [
        `if (${value} === null || ${value} === undefined) s.word(0);`,
        `else encode${type.name}(stream, s, ${value});`,
      ];
    case "shape":
      return [`write${type.type}(s, to${type.type}(${value}, ${what}));`];
    case "sequence":
      return sequenceLines(model, type, value, what, depth);
    case "record":
      return recordLines(model, type, value, what, depth);
    case "union":
      return unionLines(model, type, value, what);
  }
  throw new Error(`no encoder for ${type.form}`);
}

function convertedNumber(type, value, what) {
  if (type.plain) return value;
  if (type.form === "u64") return `enforceU64(${value}, ${what})`;
  return type.enforced ? `enforceU32(${value}, ${what})` : `wrapU32(${value})`;
}

/** The count is written when the walk is over: converting an element may change the array. */
function sequenceLines(model, type, value, what, depth) {
  const [elements, count, at] = ["elements", "count", "countAt"].map((name) => name + (depth || ""));
  const inner = encodeLines(model, type.element, `${elements}[${count}]`, what, depth + 1);
  return [
    `const ${elements} = toElements(${value}, ${what});`,
    `const ${at} = s.beginCount();`,
    `let ${count} = 0;`,
    `for (; ${count} < ${elements}.length; ${count} += 1) {`,
    ...indent(inner),
    "}",
    `s.endCount(${at}, ${count});`,
  ];
}

function recordLines(model, type, value, what, depth) {
  const inner = encodeLines(model, type.value, "entry", what, depth + 1);
  return [
    `const entries = toEntries(${value}, ${what});`,
    `const countAt = s.beginCount();`,
    "for (const [key, entry] of entries) {",
    `  s.text(toText(key, ${what}));`,
    ...indent(inner),
    "}",
    "s.endCount(countAt, entries.length);",
  ];
}

function unionLines(model, type, value, what) {
  const handles = type.members.filter((member) => member.form === "handle");
  const other = type.members.find((member) => member.form !== "handle");
  const test = handles.map((member) => `kind === ${model.kindNumber(member.name)}`).join(" || ");
  const names = handles.map((member) => member.name).join(" or ");
  const tag = other?.form === "enum" ? "ENUM_TAG" : "DICTIONARY_TAG";
  const otherwise = other
    ? [`s.word(${tag});`, ...encodeLines(model, other, value, what)]
    : [`throw typeError(${what}, "the value is not a ${names}");`];
  return [
    `const kind = stream.kindOf(${value});`,
    `if (${test}) {`,
    "  s.word(kind);",
    `  s.word(stream.handle(${value}, kind, "${names}", ${what}));`,
    "} else {",
    ...indent(otherwise),
    "}",
  ];
}
