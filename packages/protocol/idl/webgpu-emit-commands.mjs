// Encoders of commands. Those of fixed size convert all arguments and then write the record where `begin` says.
import { encodeLines } from "./webgpu-emit-encode.mjs";
import { file, importOf, indent, numbersOf, upper, used } from "./webgpu-text.mjs";

const CONVERSIONS = [
  "clampU16",
  "enforceI32",
  "enforceU32",
  "enforceU64",
  "enumNumber",
  "finiteDouble",
  "finiteFloat",
  "toElements",
  "toText",
  "typeError",
  "wrapU32",
];

export function emitCommandEncoders(model) {
  const body = model.commands.map((command) => emitCommand(model, command)).join("\n\n");
  const dictionaries = model.dictionaries.map(({ name }) => `encode${name}`);
  const shapes = ["Color", "Extent3D", "Origin3D"];
  const imports = [
    importOf(used(body, CONVERSIONS), "../convert.js"),
    importOf(["encodeSetBindGroup", "encodeSetImmediates"], "../pass-state.js"),
    importOf(
      used(
        body,
        shapes.map((name) => `to${name}`),
      ),
      "../shapes.js",
    ),
    importOf(["type CommandStream"], "../stream.js"),
    importOf(
      used(body, [...dictionaries, ...shapes.map((name) => `write${name}`)]),
      "./dictionary-encode.js",
    ),
    importOf(
      used(
        body,
        model.enums.map(({ name }) => numbersOf(name)),
      ),
      "./enums.js",
    ),
  ];
  return file(
    "Encoders of commands. `self` is the object's handle, `id` the one that the created object gets.",
    imports,
    body,
  );
}

function emitCommand(model, command) {
  if (command.byHand) return emitByHand(command);
  return command.flat ? emitFlat(model, command) : emitVariable(model, command);
}

function parameters(command) {
  return [
    "stream: CommandStream",
    ...(command.owner ? ["self: number"] : []),
    ...(command.creates ? ["id: number"] : []),
    ...command.args.map((arg) => {
      if (arg.type.form === "payload") return `${arg.name}: Uint8Array`;
      return `${arg.name}${arg.type.plain ? ": number" : ": unknown"}`;
    }),
  ];
}

function functionName(command) {
  return command.wrapped ? `${command.name}Record` : command.name;
}

function place(command, arg) {
  return `"${command.owner}.${command.method}(${arg.name})"`;
}

/** Arguments that WebGPU lets out at the end may be left out here as well. */
function optionalTail(command, list) {
  let tail = command.args.length;
  while (tail > 0 && command.args[tail - 1].optional) tail -= 1;
  const names = command.args.slice(tail).map((arg) => arg.name);
  return list.map((each) => {
    const name = each.split(":")[0];
    return names.includes(name) ? each.replace(":", "?:") : each;
  });
}

function emitFlat(model, command) {
  const bytes = command.words * 4;
  const convert = [];
  const write = [`u32[i] = ${bytes};`];
  let header = String(command.opcode);
  const body = [];
  for (const arg of command.args) {
    const value = `${arg.name}Value`;
    const expression = flatConversion(model, command, arg);
    if (arg.bit) {
      convert.push(`const ${value} = ${arg.name} === undefined ? 0 : ${expression};`);
      header += ` | (${arg.name} === undefined ? 0 : ${arg.bit * 65536})`;
    } else if (arg.default !== undefined) {
      convert.push(
        `const ${value} = ${arg.name} === undefined ? ${defaultWord(model, arg)} : ${expression};`,
      );
    } else if (!arg.type.plain) convert.push(`const ${value} = ${expression};`);
    body.push(...store(arg, arg.type.plain ? arg.name : value));
  }
  write.push(`u32[i + 1] = ${header};`);
  if (command.owner) write.push("u32[i + 2] = self;");
  if (command.creates) write.push(`u32[i + ${command.owner ? 3 : 2}] = id;`);
  const filled = new Set([0, 1, ...(command.owner ? [2] : []), ...(command.creates ? [3] : [])]);
  for (const arg of command.args) {
    filled.add(arg.word);
    if (["u64", "f64"].includes(arg.type.form)) filled.add(arg.word + 1);
  }
  const padding = [];
  for (let word = 2; word < command.words; word += 1)
    if (!filled.has(word)) padding.push(`u32[i + ${word}] = 0;`);
  const views = ["u32", "i32", "f32", "f64"].filter(
    (view) => view === "u32" || body.some((line) => line.startsWith(`${view}[`)),
  );
  return [
    `export function ${functionName(command)}(${optionalTail(command, parameters(command)).join(", ")}): void {`,
    ...indent(convert),
    "  const { tx } = stream;",
    `  const i = tx.begin(${bytes});`,
    views.length === 1 ? "  const { u32 } = tx;" : `  const { ${views.join(", ")} } = tx;`,
    ...indent([...write, ...body, ...padding]),
    "}",
  ].join("\n");
}

function store(arg, value) {
  const at = `i + ${arg.word}`;
  switch (arg.type.form) {
    case "u64":
      return [`u32[${at}] = ${value};`, `u32[i + ${arg.word + 1}] = ${value} / 4294967296;`];
    case "f64":
      return [`f64[(${at}) >> 1] = ${value};`];
    case "f32":
      return [`f32[${at}] = ${value};`];
    case "i32":
      return [`i32[${at}] = ${value};`];
    default:
      return [`u32[${at}] = ${value};`];
  }
}

function flatConversion(model, command, { name, type }) {
  const what = place(command, { name });
  switch (type.form) {
    case "u32":
      if (type.plain) return name;
      return type.enforced ? `enforceU32(${name}, ${what})` : `wrapU32(${name}, ${what})`;
    case "u64":
      return type.plain ? name : `enforceU64(${name}, ${what})`;
    case "i32":
      return `enforceI32(${name}, ${what})`;
    case "f32":
      return `finiteFloat(${name}, ${what})`;
    case "f64":
      return `finiteDouble(${name}, ${what})`;
    case "bool":
      return `${name} ? 1 : 0`;
    case "enum":
      return `enumNumber(${numbersOf(type.name)}, ${name}, "${type.name}", ${what})`;
    case "handle": {
      const find = type.nullable ? "nullableHandle" : "handle";
      return `stream.${find}(${name}, ${model.kindNumber(type.name)}, "${type.name}", ${what})`;
    }
  }
  throw new Error(`${command.name}: no fixed place for ${type.form}`);
}

function defaultWord(model, { type, default: value }) {
  if (type.form === "bool") return value ? 1 : 0;
  if (type.form === "enum") return model.enums.find(({ name }) => name === type.name).numbers[value];
  return value;
}

/** Records of variable size are put together in a builder and copied. Encoders of descriptors return the label. */
function emitVariable(model, command) {
  const lines = [];
  let header = "";
  for (const arg of command.args) {
    if (arg.type.form === "payload") continue;
    if (arg.bit) {
      header += `${header ? " | " : ", "}(${arg.name} === undefined ? 0 : ${arg.bit})`;
      lines.push(
        `if (${arg.name} !== undefined) {`,
        ...indent(encodeLines(model, arg.type, arg.name, place(command, arg))),
        "}",
      );
    } else lines.push(...encodeLines(model, arg.type, arg.name, place(command, arg)));
  }
  const data = command.args.find((arg) => arg.type.form === "payload");
  const labelled = command.args.some(
    (arg) =>
      arg.type.form === "dictionary" &&
      model.dictionaries.find(({ name }) => name === arg.type.name).labelled,
  );
  return [
    `export function ${functionName(command)}(${optionalTail(command, parameters(command)).join(", ")}): ${labelled ? "string" : "void"} {`,
    `  const s = stream.open(${command.opcode}${header});`,
    "  try {",
    ...(command.owner ? ["    s.word(self);"] : []),
    ...(command.creates ? ["    s.word(id);"] : []),
    ...indent(lines, 4),
    data ? `    stream.commitWithData(s, ${data.name});` : "    stream.commit(s);",
    ...(labelled ? ["    return s.label;"] : []),
    "  } finally {",
    "    stream.close(s);",
    "  }",
    "}",
  ].join("\n");
}

const BY_HAND_PARAMETERS = {
  setBindGroup: [
    "index: unknown",
    "bindGroup: unknown",
    "dynamicOffsets?: unknown",
    "start?: unknown",
    "length?: unknown",
  ],
  setImmediates: ["rangeOffset: unknown", "data: unknown", "dataOffset?: unknown", "dataSize?: unknown"],
};

function emitByHand(command) {
  const extra = BY_HAND_PARAMETERS[command.method];
  const names = extra.map((each) => each.split(/[?:]/)[0]);
  const what = `"${command.owner}.${command.method}"`;
  const call = ["stream", command.opcode, "self", ...names, what].join(", ");
  return [
    `export function ${command.name}(${["stream: CommandStream", "self: number", ...extra].join(", ")}): void {`,
    `  encode${upper(command.method)}(${call});`,
    "}",
  ].join("\n");
}
