// The dictionaries as they come out of a decoder, or out of a conversion with all defaults filled in.
import { file, importOf, typeOf, used } from "./webgpu-text.mjs";

export function emitTypes(model) {
  const decoded = model.dictionaries.filter(({ onWire }) => onWire).map(emitDecoded);
  const converted = model.dictionaries
    .filter((each) => each.converted || each.name === "GPUQueueDescriptor")
    .map(emitConverted);
  const body = [...decoded, ...converted].join("\n\n");
  const enums = used(
    body,
    model.enums.map(({ name }) => `type ${name}`),
  );
  const shapes = used(body, ["type Color", "type Extent3D", "type Origin3D"]);
  const imports = [importOf(shapes, "../shapes.js"), importOf(enums, "./enums.js")];
  return file(
    "Dictionaries as values: decoded (what was sent), or converted (defaults filled in).",
    imports,
    body,
  );
}

function emitDecoded({ name, members }) {
  const lines = members.map(
    (member) => `  ${member.name}${member.required ? "" : "?"}: ${typeOf(member.type)};`,
  );
  return `export interface Decoded${name} {\n${lines.join("\n")}\n}`;
}

function emitConverted({ name, members }) {
  const lines = members.map((member) => {
    const there = member.required || member.default !== undefined;
    return `  readonly ${member.name}${there ? "" : "?"}: ${convertedType(member.type)};`;
  });
  return `export interface Converted${name} {\n${lines.join("\n")}\n}`;
}

export function convertedType(type) {
  return typeOf(type, { dictionary: (name) => `Converted${name}` });
}
