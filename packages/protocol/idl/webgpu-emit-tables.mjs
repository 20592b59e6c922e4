// Numbers, enums, and the two tables for people and for fuzzing.
import { FUZZ_WORDS } from "./webgpu-overlay.mjs";
import { file, namesOf, numbersOf } from "./webgpu-text.mjs";

export function emitNumbers(model) {
  const entry = ({ name, number }) => `  ${name}: ${number},`;
  const opcode = ({ name, opcode }) => `  ${name}: ${opcode},`;
  const kinds = `/** What a handle stands for. 0 is none. */\nexport const InterfaceKind = {\n${model.kinds.map(entry).join("\n")}\n} as const;`;
  const names = `const interfaceNames: readonly (string | undefined)[] = [\n  undefined,\n${byNumber(
    model.kinds.map(({ name, number }) => [number, name]),
  )
    .slice(1)
    .map((name) => `  ${name === undefined ? "undefined" : `"${name}"`},`)
    .join("\n")}\n];`;
  const lookup = `/** The name of an InterfaceKind, for messages. */\nexport function interfaceName(kind: number): string {\n  return interfaceNames[kind] ?? \`interface \${kind}\`;\n}`;
  const commands = `/** Application → engine. */\nexport const Opcode = {\n  padding: 0,\n  fragment: 1,\n${model.commands.map(opcode).join("\n")}\n} as const;`;
  const events = `/** Engine → application. */\nexport const EventOpcode = {\n  padding: 0,\n${model.events.map(opcode).join("\n")}\n} as const;`;
  return file("Numbers of interfaces, commands and events.", [], kinds, names, lookup, commands, events);
}

function byNumber(pairs) {
  const list = [];
  for (const [number, name] of pairs) list[number] = name;
  return Array.from(list);
}

export function emitEnums(model) {
  const parts = model.enums.map(({ name, values, numbers }) => {
    const type = `export type ${name} =\n${values.map((value) => `  | "${value}"`).join("\n")};`;
    const entries = values.map((value) => `  ["${value}", ${numbers[value]}],`);
    const to = `export const ${numbersOf(name)}: ReadonlyMap<string, number> = new Map([\n${entries.join("\n")}\n]);`;
    const list = byNumber(Object.entries(numbers).map(([value, number]) => [number, value]));
    const from = `export const ${namesOf(name)}: readonly (${name} | undefined)[] = [\n${list
      .map((value) => `  ${value === undefined ? "undefined" : `"${value}"`},`)
      .join("\n")}\n];`;
    return `${type}\n${to}\n${from}`;
  });
  return file("Enums: the values' numbers on the wire, both ways. 0 is none.", [], ...parts);
}

export function emitCoverage(model) {
  const commands = Object.fromEntries(
    model.commands.map(({ name, opcode, owner, method }) => [
      name,
      { opcode, interface: owner ?? "", method },
    ]),
  );
  return `${JSON.stringify({ members: model.coverage, commands }, null, 2)}\n`;
}

/** What a fuzzer should try beside random bytes. */
export function emitFuzz(model) {
  const dictionary = {
    words: FUZZ_WORDS,
    kinds: model.kinds.map(({ number }) => number),
    opcodes: model.commands.map(({ opcode }) => opcode),
    sizes: Object.fromEntries(
      model.commands.filter(({ flat }) => flat).map(({ opcode, words }) => [opcode, words * 4]),
    ),
    events: model.events.map(({ opcode }) => opcode),
    enums: Object.fromEntries(model.enums.map(({ name, values }) => [name, values.length])),
    texts: [...new Set(model.enums.flatMap(({ values }) => values))].sort(),
  };
  return `${JSON.stringify(dictionary, null, 2)}\n`;
}
