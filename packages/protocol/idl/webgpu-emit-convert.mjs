// Conversions without bytes, of the dictionaries whose values the client needs itself.
import { file, importOf, indent, numbersOf, used } from "./webgpu-text.mjs";

const CONVERSIONS = [
  "enforceU32",
  "enforceU64",
  "enumValue",
  "missingMember",
  "toElements",
  "toEntries",
  "toMembers",
  "toText",
];

export function emitConvert(model) {
  const wanted = model.dictionaries.filter((each) => each.converted || each.name === "GPUQueueDescriptor");
  const body = [...wanted.map((each) => emitDictionary(model, each)), HANDLE].join("\n\n");
  const imports = [
    importOf(used(body, CONVERSIONS), "../convert.js"),
    importOf(["type Handled", "HANDLE", "KIND"], "../handle.js"),
    importOf(used(body, ["toExtent3D", "toOrigin3D"]), "../shapes.js"),
    importOf(
      used(
        body,
        model.enums.flatMap(({ name }) => [numbersOf(name), `type ${name}`]),
      ),
      "./enums.js",
    ),
    importOf(
      used(
        body,
        wanted.map(({ name }) => `type Converted${name}`),
      ),
      "./types.js",
    ),
  ];
  return file(
    "Conversions of dictionaries that the client reads itself: members are read once, defaults filled in.",
    imports,
    body,
  );
}

const HANDLE = `function toObject(value: unknown, kind: number, name: string, what: string): object {
  if (typeof value === "object" && value !== null) {
    const object = value as Partial<Handled>;
    if (object[KIND] === kind && object[HANDLE] !== undefined) return value;
  }
  throw new TypeError(\`\${what}: the value is not a \${name}\`);
}`;

function emitDictionary(model, { name, members }) {
  const lines = members.flatMap((member) => memberLines(model, name, member));
  const conditional = members.filter((member) => !member.required && member.default === undefined);
  const always = members.filter((member) => !conditional.includes(member));
  return [
    `export function convert${name}(value: unknown): Converted${name} {`,
    `  const members = toMembers(value, "${name}");`,
    ...indent(lines),
    "  return {",
    ...always.map((member) => `    ${member.name},`),
    ...conditional.map(({ name: key }) => `    ...(${key} !== undefined && { ${key} }),`),
    "  };",
    "}",
  ].join("\n");
}

function memberLines(model, dictionary, member) {
  const { name, type } = member;
  const what = `"${dictionary}.${name}"`;
  const given = `given${name[0].toUpperCase()}${name.slice(1)}`;
  const lines = [`const ${given} = members["${name}"];`];
  if (member.required) lines.push(`if (${given} === undefined) throw missingMember(${what});`);
  const converted = conversion(model, type, given, what);
  if (member.required) return [...lines, `const ${name} = ${converted};`];
  const otherwise =
    member.default === undefined
      ? "undefined"
      : conversion(model, type, JSON.stringify(member.default), what, true);
  const one = `const ${name} = ${given} === undefined ? ${otherwise} : ${converted};`;
  const split = [`const ${name} =`, `  ${given} === undefined`, `    ? ${otherwise}`, `    : ${converted};`];
  return [...lines, ...(one.length <= 100 ? [one] : split)];
}

function conversion(model, type, value, what, isDefault = false) {
  switch (type.form) {
    case "bool":
      return isDefault ? value : `Boolean(${value})`;
    case "u32":
      return isDefault ? value : `enforceU32(${value}, ${what})`;
    case "u64":
      return isDefault ? value : `enforceU64(${value}, ${what})`;
    case "string":
      return isDefault ? value : `toText(${value}, ${what})`;
    case "enum":
      return isDefault
        ? value
        : `enumValue<${type.name}>(${numbersOf(type.name)}, ${value}, "${type.name}", ${what})`;
    case "handle":
      return `toObject(${value}, ${model.kindNumber(type.name)}, "${type.name}", ${what})`;
    case "dictionary":
      return `convert${type.name}(${value})`;
    case "shape":
      return `to${type.type}(${value}, ${what})`;
    case "sequence":
      if (isDefault) return value;
      return `Array.from(toElements(${value}, ${what}), (each) => ${conversion(model, type.element, "each", what)})`;
    case "record":
      if (isDefault) return value;
      return `Object.fromEntries(
      toEntries(${value}, ${what}).flatMap(([key, each]) =>
        each === undefined ? [] : [[toText(key, ${what}), ${conversion(model, type.value, "each", what)}]],
      ),
    )`;
  }
  throw new Error(`no conversion for ${type.form}`);
}
