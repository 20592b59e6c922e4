// The switch that decodes a record in place and calls the method. Opcodes are literals: V8 makes a jump table of them.
import { decode } from "./webgpu-emit-decode.mjs";
import { file, importOf, indent, namesOf, targetOf, used } from "./webgpu-text.mjs";

export function emitReplay(model) {
  const cases = model.commands.map((command) => emitCase(model, command));
  const variable = model.commands.filter((command) => command.owner && !command.byHand && !command.flat);
  const functions = variable.map((command) => emitFunction(model, command));
  const body = [emitSwitch(cases), ...functions, emitInfo(model)].join("\n\n");
  const shapes = ["readColor", "readExtent3D", "readOrigin3D", "sequence"];
  const imports = [
    importOf(["ProtocolError"], "../../error.js"),
    importOf(used(body, ["type Cursor", "enumName", "short", "wide"]), "../cursor.js"),
    importOf(["replayImport", "replayLabel", "replayRelease"], "../replay-stream.js"),
    importOf(["replaySetBindGroup", "replaySetImmediates"], "../replay-pass-state.js"),
    importOf(["type ObjectTable"], "../object-table.js"),
    importOf(["type RecordViews"], "../record-views.js"),
    importOf(
      used(body, [...model.dictionaries.map(({ name }) => `decode${name}`), ...shapes]),
      "./dictionary-decode.js",
    ),
    importOf(
      used(
        body,
        model.enums.map(({ name }) => namesOf(name)),
      ),
      "./enums.js",
    ),
    importOf(["type SpecialCommands"], "./special-commands.js"),
    importOf(
      used(
        body,
        model.kinds.map(({ name }) => `type ${targetOf(name)}`),
      ),
      "./target.js",
    ),
  ];
  return file("Decodes records in place and calls what they name.", imports, body);
}

function emitSwitch(cases) {
  return `/**
 * Carries out one record other than padding and fragments.
 * @param i its first word; @param bytes its size, checked against what was published
 * @throws ProtocolError when it breaks the protocol, and whatever Dawn throws
 */
export function replayRecord(
  objects: ObjectTable,
  special: SpecialCommands,
  cursor: Cursor,
  views: RecordViews,
  i: number,
  bytes: number,
): void {
  const { u32 } = views;
  const header = u32[i + 1]!;
  switch (header & 0xffff) {
${indent(cases.flat(), 4).join("\n")}
    default:
      throw new ProtocolError("not-supported", \`no command has opcode \${header & 0xffff}\`);
  }
}`;
}

function emitCase(model, command) {
  const title = `case ${command.opcode}: // ${command.name}`;
  const object = (owner) => `objects.get(u32[i + 2]!, ${model.kindNumber(owner)}) as ${targetOf(owner)}`;
  if (!command.owner) {
    const call = {
      release: "replayRelease(objects, special, u32, i, bytes);",
      importObject: "replayImport(objects, special, u32, i, bytes);",
      setLabel: "replayLabel(objects, cursor.start(views, i + 2, i + (bytes >> 2)));",
    }[command.name];
    return [title, `  ${call}`, "  return;"];
  }
  if (command.byHand) {
    const name = command.method === "setBindGroup" ? "replaySetBindGroup" : "replaySetImmediates";
    return [
      title,
      `  if (bytes < 24) throw short();`,
      `  ${name}(${object(command.owner)}, objects, views, i, bytes);`,
      "  return;",
    ];
  }
  if (!command.flat) {
    return [
      title,
      `  ${command.name}(objects, special, cursor.start(views, i + 2, i + (bytes >> 2)), header >>> 16);`,
      "  return;",
    ];
  }
  const args = command.args.map((arg) => flatArgument(model, arg));
  const lines = [title, `  if (bytes < ${command.required * 4}) throw short();`];
  const self = object(command.owner);
  const call = command.special
    ? `special.${command.name}(${[self, ...args].join(", ")})`
    : `(${self}).${command.method}(${args.join(", ")})`;
  if (command.creates) {
    lines.push(`  objects.put(u32[i + 3]!, ${model.kindNumber(command.creates)}, ${call});`);
  } else lines.push(`  ${call};`);
  return [...lines, "  return;"];
}

function flatArgument(model, arg) {
  const { type, word } = arg;
  const value = flatValue(model, type, word);
  if (!arg.bit) return value;
  const last = word + (type.form === "u64" ? 2 : 1);
  const there = `(header & ${arg.bit * 65536}) !== 0`;
  const checked = arg.appended ? `${there} && bytes >= ${last * 4}` : there;
  return `${checked} ? ${value} : undefined`;
}

function flatValue(model, type, word) {
  const at = `u32[i + ${word}]!`;
  switch (type.form) {
    case "u32":
    case "u16":
      return at;
    case "i32":
      return `${at} | 0`;
    case "f32":
      return `views.f32[i + ${word}]!`;
    case "u64":
      return `wide(${at}, u32[i + ${word + 1}]!)`;
    case "f64":
      return `views.f64[(i + ${word}) >> 1]!`;
    case "bool":
      return `${at} !== 0`;
    case "enum":
      return `enumName(${namesOf(type.name)}, ${at}, "${type.name}")`;
    case "handle": {
      const get = type.nullable ? "getNullable" : "get";
      return `objects.${get}(${at}, ${model.kindNumber(type.name)}) as ${targetOf(type.name)}${type.nullable ? " | null" : ""}`;
    }
  }
  throw new Error(`no fixed place for ${type.form}`);
}

function emitFunction(model, command) {
  const lines = [`const self = c.object(${model.kindNumber(command.owner)}) as ${targetOf(command.owner)};`];
  if (command.creates) lines.push("const id = c.word();");
  for (const arg of command.args) {
    const cast = castOf(arg.type);
    const value = `${decode(model, arg.type, `${command.name}.${arg.name}`)}${cast}`;
    lines.push(`const ${arg.name} = ${arg.bit ? `(aux & ${arg.bit}) !== 0 ? ${value} : undefined` : value};`);
  }
  const names = command.args.filter((arg) => !arg.type.created).map((arg) => arg.name);
  if (command.reserves)
    lines.push(`const reservation = objects.reserve(id, ${model.kindNumber(command.reserves)});`);
  const call = command.special
    ? `special.${command.name}(${["self", ...(command.reserves ? ["reservation"] : []), ...names].join(", ")})`
    : `self.${command.method}(${names.join(", ")})`;
  lines.push(
    command.creates ? `objects.put(id, ${model.kindNumber(command.creates)}, ${call});` : `${call};`,
  );
  const text = lines.join("\n");
  const parameter = (name, type) => `${new RegExp(`\\b${name}\\b`).test(text) ? "" : "_"}${name}: ${type}`;
  return [
    `function ${command.name}(`,
    `  ${parameter("objects", "ObjectTable")},`,
    `  ${parameter("special", "SpecialCommands")},`,
    "  c: Cursor,",
    `  ${parameter("aux", "number")},`,
    "): void {",
    ...indent(lines),
    "}",
  ].join("\n");
}

/** Objects come out of the table untyped: their kind was compared. */
function castOf(type) {
  if (type.form === "handle") return ` as ${targetOf(type.name)}${type.nullable ? " | null" : ""}`;
  if (type.form === "sequence" && type.element.form === "handle")
    return ` as ${targetOf(type.element.name)}[]`;
  return "";
}

/** What the replayer has to know about a command that threw. */
function emitInfo(model) {
  const entries = model.commands.map((command) => {
    const kind = command.creates ?? command.reserves;
    const created = kind ? `, created: ${model.kindNumber(kind)}` : "";
    const index = command.args.findIndex((arg) => arg.type.request);
    const request = index >= 0 ? `, requestWord: ${3 + (command.creates ? 1 : 0) + index}` : "";
    return `  [${command.opcode}, { name: "${command.name}"${created}${request} }],`;
  });
  return `export interface CommandInfo {
  readonly name: string;
  /** The InterfaceKind of what it creates: its handle is word 3 of the record. */
  readonly created?: number;
  /** The word of the record that has its request. */
  readonly requestWord?: number;
}

export const COMMAND_INFO: ReadonlyMap<number, CommandInfo> = new Map<number, CommandInfo>([
${entries.join("\n")}
]);`;
}
