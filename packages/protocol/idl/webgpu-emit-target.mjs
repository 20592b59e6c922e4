// What commands are replayed on, as interfaces: Dawn's objects have these methods, and tests' objects can.
import { file, importOf, targetOf, typeOf, upper, used } from "./webgpu-text.mjs";

export function emitTarget(model) {
  const body = model.kinds.map((kind) => emitInterface(model, kind)).join("\n\n");
  const names = model.dictionaries.map(({ name }) => `type Decoded${name}`);
  const imports = [
    importOf(used(body, ["type Color", "type Extent3D", "type Origin3D"]), "../shapes.js"),
    importOf(
      used(
        body,
        model.enums.map(({ name }) => `type ${name}`),
      ),
      "./enums.js",
    ),
    importOf(used(body, names), "./types.js"),
  ];
  return file("The methods that the replayer calls on WebGPU objects itself.", imports, body);
}

function emitInterface(model, { name }) {
  const methods = model.commands
    .filter((command) => command.owner === name && !command.special)
    .map((command) => {
      const result = command.creates ? targetOf(command.creates) : "void";
      return `  ${command.method}(${parameters(command).join(", ")}): ${result};`;
    });
  return [`export interface ${targetOf(name)} {`, "  label: string;", ...methods, "}"].join("\n");
}

function parameters(command) {
  if (command.method === "setBindGroup") {
    return ["index: number", `bindGroup: ${targetOf("GPUBindGroup")} | null`, "dynamicOffsets?: number[]"];
  }
  if (command.method === "setImmediates") return ["rangeOffset: number", "data: Uint8Array"];
  return command.args.map((arg) => {
    const open = arg.bit ? " | undefined" : "";
    return `${arg.name}: ${typeOf(arg.type, { handle: targetOf })}${open}`;
  });
}

/** The interface that the engine implements. */
export function emitSpecial(model) {
  const commands = model.commands.filter(
    (command) => command.special && command.name !== "release" && command.name !== "importObject",
  );
  const methods = commands.map((command) => {
    const result = command.creates ? targetOf(command.creates) : "void";
    const list = [`${selfName(command)}: ${targetOf(command.owner)}`];
    if (command.reserves) list.push("reservation: Reservation");
    for (const arg of command.args) {
      if (arg.type.created) continue;
      list.push(`${arg.name}: ${typeOf(arg.type, { handle: targetOf })}${arg.bit ? " | undefined" : ""}`);
    }
    return `  ${command.name}(${list.join(", ")}): ${result};`;
  });
  const body = `/**
 * Commands that the engine carries out itself. Payloads and their views are the ring's memory: use them during the
 * call, and copy before handing them to Dawn when the ring is shared. What is thrown becomes \`commandFailed\`, but for
 * a ProtocolError, which ends the queue.
 */
export interface SpecialCommands {
${methods.join("\n")}
  /** The client gives the handle up; \`object\` is undefined when it could not be created. */
  release(id: number, kind: number, object: object | undefined): void;
  /** The object of another queue of the same process; undefined when there is none. */
  importObject(kind: number, queue: number, other: number): object | undefined;
  /** A command threw. Answer its \`request\`, if it has one; raise an error in the device's scope otherwise. */
  commandFailed(failure: CommandFailure): void;
}

export interface CommandFailure {
  /** e.g. "deviceCreateTexture" */
  readonly command: string;
  readonly opcode: number;
  /** The request that waits for an answer, undefined when nothing does. */
  readonly request: number | undefined;
  /** What Dawn threw; an UnavailableObjectError when an earlier command had failed to create an argument. */
  readonly error: unknown;
}`;
  const imports = [
    importOf(["type Reservation"], "../object-table.js"),
    importOf(used(body, ["type Color", "type Extent3D", "type Origin3D"]), "../shapes.js"),
    importOf(
      used(
        body,
        model.kinds.map(({ name }) => `type ${targetOf(name)}`),
      ),
      "./target.js",
    ),
    importOf(
      used(
        body,
        model.dictionaries.map(({ name }) => `type Decoded${name}`),
      ),
      "./types.js",
    ),
  ];
  return file("The commands that are no plain call of a method of Dawn's.", imports, body);
}

export function selfName(command) {
  const name = command.owner.replace(/^GPU/, "");
  return name[0].toLowerCase() + upper(name).slice(1);
}
