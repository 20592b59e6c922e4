// Events, both ends: the engine's encoders, and the switch that calls the client's handlers.

import { decode } from "./webgpu-emit-decode.mjs";
import { encodeLines } from "./webgpu-emit-encode.mjs";
import { file, importOf, indent, namesOf, numbersOf, typeOf, upper, used } from "./webgpu-text.mjs";

export function emitEvents(model) {
  const body = [
    emitHandlers(model),
    emitRead(model),
    ...model.events.map((event) => emitEncoder(model, event)),
  ].join("\n\n");
  const imports = [
    importOf(["ProtocolError"], "../../error.js"),
    importOf(["enumNumber"], "../convert.js"),
    importOf(["type Cursor"], "../cursor.js"),
    importOf(["type EventWriter"], "../event-writer.js"),
    importOf(["encodeCompilationMessage"], "./dictionary-encode.js"),
    importOf(["sequence", "decodeCompilationMessage"], "./dictionary-decode.js"),
    importOf(
      used(
        body,
        model.enums.flatMap(({ name }) => [namesOf(name), numbersOf(name), `type ${name}`]),
      ),
      "./enums.js",
    ),
    importOf(["type DecodedCompilationMessage"], "./types.js"),
  ];
  return file("What comes back from the engine.", imports, body);
}

const parameters = (event) => event.args.map((arg) => `${arg.name}: ${typeOf(arg.type)}`);

function emitHandlers(model) {
  const methods = model.events.map((event) => `  ${event.name}(${parameters(event).join(", ")}): void;`);
  return `/** One for each event. Data is a view of the ring, valid during the call only. */\nexport interface EventHandlers {\n${methods.join("\n")}\n}`;
}

function emitRead(model) {
  const cases = model.events.flatMap((event) => {
    const lines = event.args.map((arg) => `const ${arg.name} = ${decode(model, arg.type, event.name)};`);
    return [
      `case ${event.opcode}: {`,
      ...indent(lines),
      `  handlers.${event.name}(${event.args.map((arg) => arg.name).join(", ")});`,
      "  return;",
      "}",
    ];
  });
  return `/** @param c stands behind the header. @throws ProtocolError */
export function readEvent(handlers: EventHandlers, opcode: number, c: Cursor): void {
  switch (opcode) {
${indent(cases, 4).join("\n")}
    default:
      throw new ProtocolError("not-supported", \`no event has opcode \${opcode}\`);
  }
}`;
}

function emitEncoder(model, event) {
  const lines = event.args.flatMap((arg) => {
    if (arg.type.form === "payload") return [];
    if (arg.type.form === "string") return [`w.text(${arg.name});`];
    if (arg.type.form === "sequence") return [`w.list(${arg.name}, encode${arg.type.element.name});`];
    return encodeLines(model, arg.type, arg.name, `"${event.name}.${arg.name}"`).map((line) =>
      line.replace(/^s\./, "w.record."),
    );
  });
  const data = event.args.find((arg) => arg.type.form === "payload");
  return [
    "/** @returns false when the ring is full: nothing was written, try again later */",
    `export function encodeEvent${upper(event.name)}(${["w: EventWriter", ...parameters(event)].join(", ")}): boolean {`,
    `  w.record.start(${event.opcode});`,
    ...indent(lines),
    `  return ${data ? `w.sendWithData(${data.name})` : "w.send()"};`,
    "}",
  ].join("\n");
}
