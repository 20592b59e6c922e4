/**
 * Generates the codecs of all control messages from messages.schema.mjs into src/messages/generated/.
 * Run by generate.mjs, or alone: `node packages/protocol/idl/messages.mjs`.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { spaces, structs } from "./messages.schema.mjs";

const scalars = {
  u8: ["number", "0"],
  u16: ["number", "0"],
  u32: ["number", "0"],
  i32: ["number", "0"],
  u64: ["bigint", "0n"],
  guid: ["string", "zeroGuid"],
  hex16: ["string", "zeroHex16"],
  string: ["string", '""'],
  bytes: ["Uint8Array", "new Uint8Array(0)"],
};
const limited = new Set(["string", "bytes"]);
const capital = (word) => word[0].toUpperCase() + word.slice(1);

function typeOf(type) {
  if (type.startsWith("[")) return `readonly ${typeOf(type.slice(1, -1))}[]`;
  return scalars[type]?.[0] ?? type;
}

function defaultOf(type) {
  if (type.startsWith("[")) return "[]";
  return scalars[type]?.[1] ?? `${type}.defaults()`;
}

function writeCall(type, value, max) {
  if (type.startsWith("[")) {
    const element = type.slice(1, -1);
    return `w.list(${value}, ${max}, (element) => ${writeCall(element, "element", 4096)})`;
  }
  if (limited.has(type)) return `w.${type}(${value}, ${max})`;
  return scalars[type] ? `w.${type}(${value})` : `w.struct(() => ${type}.write(w, ${value}))`;
}

function readCall(type, field, max) {
  if (type.startsWith("[")) {
    const element = type.slice(1, -1);
    return `r.list("${field}", ${max}, (r) => ${readCall(element, field, 4096)})`;
  }
  if (limited.has(type)) return `r.${type}("${field}", ${max})`;
  return scalars[type] ? `r.${type}("${field}")` : `r.struct("${field}", (r) => ${type}.read(r))`;
}

function maxOf(name, [type, , max]) {
  if ((limited.has(type) || type.startsWith("[")) && max === undefined)
    throw new Error(`${name}: ${type} needs a limit`);
  return max;
}

function struct(name, { doc, fields }) {
  const entries = Object.entries(fields);
  const lines = [`/** ${doc} */`, `export interface ${name} {`];
  for (const [field, [type, fieldDoc]] of entries)
    lines.push(`  /** ${fieldDoc} */`, `  readonly ${field}: ${typeOf(type)};`);
  lines.push("}");
  lines.push(`export const ${name}: StructCodec<${name}> = structCodec<${name}>({`, `  name: "${name}",`);
  lines.push(
    `  defaults: () => ({ ${entries.map(([field, [type]]) => `${field}: ${defaultOf(type)}`).join(", ")} }),`,
  );
  if (entries.length === 0) {
    lines.push("  write() {},", "  read: () => ({}),");
  } else {
    lines.push("  write(w, v) {");
    for (const [field, spec] of entries) {
      const [type] = spec;
      lines.push(
        `    ${writeCall(type, `v.${field} ?? ${defaultOf(type)}`, maxOf(`${name}.${field}`, spec))};`,
      );
    }
    lines.push("  },", "  read: (r) => ({");
    for (const [field, spec] of entries) {
      const [type] = spec;
      lines.push(
        `    ${field}: r.has() ? ${readCall(type, field, maxOf(`${name}.${field}`, spec))} : ${defaultOf(type)},`,
      );
    }
    lines.push("  }),");
  }
  lines.push("});", "");
  return lines.join("\n");
}

function referenced(spec, into) {
  for (const [type] of Object.values(spec)) {
    const bare = type.replace(/[[\]]/g, "");
    if (structs[bare]) into.add(bare);
  }
}

function space({ object, constant, prefix, doc, messages }, used) {
  const out = [];
  const table = [];
  for (const [name, [number, messageDoc, request, reply]] of Object.entries(messages)) {
    const base = prefix + capital(name);
    const requestName = reply === null ? base : `${base}Request`;
    out.push(struct(requestName, { doc: messageDoc, fields: request }));
    referenced(request, used);
    if (reply === null) {
      table.push(
        `  /** ${messageDoc} */`,
        `  ${name}: { type: ${number}, name: "${name}", body: ${requestName} },`,
      );
      continue;
    }
    out.push(struct(`${base}Reply`, { doc: `Reply: ${messageDoc}`, fields: reply }));
    referenced(reply, used);
    table.push(
      `  /** ${messageDoc} */`,
      `  ${name}: { type: ${number}, name: "${name}", request: ${requestName}, reply: ${base}Reply },`,
    );
  }
  const numbers = Object.entries(messages).map(([name, [number]]) => `  ${name.toUpperCase()}: ${number},`);
  out.push(`/** Numbers. ${doc} */`, `export const ${constant} = {`, ...numbers, "} as const;", "");
  out.push(`/** ${doc} */`, `export const ${object} = {`, ...table, "} as const;", "");
  return out.join("\n");
}

function checkNumbers() {
  for (const [spaceName, { messages }] of Object.entries(spaces)) {
    const seen = new Map();
    for (const [name, [number]] of Object.entries(messages)) {
      if (seen.has(number))
        throw new Error(`${spaceName}: ${name} and ${seen.get(number)} share number ${number}`);
      seen.set(number, name);
    }
  }
}

const banner = "// Generated from idl/messages.schema.mjs by idl/messages.mjs; do not edit.\n";

function imports(text, modules) {
  return modules
    .map(([module, names]) => {
      const used = names.filter(([name]) => new RegExp(`\\b${name}\\b`).test(text));
      if (used.length === 0) return "";
      const list = used.map(([name, isType]) => (isType ? `type ${name}` : name)).join(", ");
      return `import { ${list} } from "${module}";\n`;
    })
    .join("");
}

const support = [
  [
    "../codec.js",
    [
      ["StructCodec", true],
      ["structCodec", false],
      ["zeroGuid", false],
      ["zeroHex16", false],
    ],
  ],
];

/** The generated files: name → text. */
export function files() {
  checkNumbers();
  const common = Object.entries(structs)
    .map(([name, spec]) => struct(name, spec))
    .join("\n");
  const result = { "structs.ts": `${banner}${imports(common, support)}\n${common}` };
  for (const [file, members] of groupByFile(Object.values(spaces))) {
    const used = new Set();
    const text = members.map((member) => space(member, used)).join("\n");
    const modules = [...support, ["./structs.js", [...used].map((name) => [name, false])]];
    result[`${file}.ts`] = `${banner}${imports(text, modules)}\n${text}`;
  }
  return result;
}

function groupByFile(members) {
  const byFile = new Map();
  for (const member of members) byFile.set(member.file, [...(byFile.get(member.file) ?? []), member]);
  return byFile;
}

export const directory = fileURLToPath(new URL("../src/messages/generated/", import.meta.url));

export async function generate() {
  await mkdir(directory, { recursive: true });
  for (const [name, text] of Object.entries(files())) await writeFile(`${directory}${name}`, text);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await generate();
