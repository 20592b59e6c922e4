// From the specification and the overlay to what the emitters print: kinds, commands with their layout, dictionaries
// with their members' numbers, enums with their values' numbers, and what became of every method.
import { Idl } from "./webgpu-idl.mjs";
import {
  BY_HAND,
  CLIENT_DICTIONARIES,
  COMMANDS,
  CONVERTED,
  EVENTS,
  LEFT_OUT_DICTIONARIES,
  LEFT_OUT_ENUMS,
  LEFT_OUT_INTERFACES,
  LEFT_OUT_MEMBERS,
  LOCAL,
  REPLACED,
  RESERVES,
  SHAPES,
  SPECIAL,
  WRAPPED,
} from "./webgpu-overlay.mjs";

/** A presence word holds this many members. Nothing has more yet: extend the emitters when something has. */
const MEMBERS_PER_WORD = 31;
/** Opcode 0 is padding, 1 a fragment. */
const FIRST_OPCODE = 2;
/** Words of the forms that have a fixed size. */
const WORDS = { u32: 1, u16: 1, i32: 1, f32: 1, bool: 1, enum: 1, handle: 1, u64: 2, f64: 2 };

export class Model {
  /** @type {{ name: string, number: number }[]} */
  kinds = [];
  commands = [];
  events = [];
  enums = [];
  dictionaries = [];
  /** Interface → member → "generated" | "special: …" | "local: …" | "left out: …" */
  coverage = {};
  #idl;
  #numbers;

  constructor(specification, numbers) {
    this.#numbers = numbers;
    this.#idl = new Idl(specification, COMMANDS, EVENTS);
    const { interfaces, added, enums, dictionaries } = this.#idl;
    for (const name of interfaces.keys()) {
      if (this.#idl.isKind(name)) this.kinds.push({ name, number: numbers.of("interfaces", name) });
    }
    for (const name of enums.keys()) if (!LEFT_OUT_ENUMS[name]) this.enums.push(this.#enum(name));
    for (const [name, members] of interfaces) {
      this.coverage[name] = this.#interface(name, members);
    }
    for (const [name, members] of added) {
      if (name === "Events") this.events = members.map((member) => this.#event(member));
      else for (const member of members) this.#command(name === "Stream" ? undefined : name, member);
    }
    this.commands.sort((a, b) => a.opcode - b.opcode);
    const sent = this.#sentDictionaries();
    for (const name of dictionaries.keys()) {
      if (sent.has(name) || CLIENT_DICTIONARIES.includes(name))
        this.dictionaries.push(this.#dictionary(name, sent.has(name)));
      else if (!isBaseOrShape(name, dictionaries) && !LEFT_OUT_DICTIONARIES[name]) {
        throw new Error(`no command has the dictionary ${name}: say in the overlay what becomes of it`);
      }
    }
    this.#checkOverlay();
  }

  kindNumber(name) {
    return this.kinds.find((kind) => kind.name === name).number;
  }

  #enum(name) {
    const table = `enum ${name}`;
    const values = this.#idl.enums.get(name);
    for (const value of values) this.#numbers.of(table, value);
    return { name, values, numbers: this.#numbers.table(table) };
  }

  /** The dictionaries that are an argument's, or a member's of one that is. */
  #sentDictionaries() {
    const sent = new Set();
    const visit = (type) => {
      if (type.form === "dictionary" && !sent.has(type.name)) {
        sent.add(type.name);
        for (const member of this.#idl.members(type.name)) visit(member.type);
      }
      for (const inner of [type.element, type.value, ...(type.form === "union" ? type.members : [])])
        if (inner) visit(inner);
    };
    for (const { args } of [...this.commands, ...this.events]) for (const arg of args) visit(arg.type);
    return sent;
  }

  #dictionary(name, onWire) {
    const members = this.#idl.members(name);
    if (members.length > MEMBERS_PER_WORD)
      throw new Error(`${name} has more than ${MEMBERS_PER_WORD} members`);
    if (onWire) {
      for (const member of members) {
        member.number = this.#numbers.of(`dictionary ${name}`, member.name, 0);
        this.#numbers.fixed("types", `${name}.${member.name}`, signature(member.type));
      }
      this.#numbers.checkKept(
        `dictionary ${name}`,
        members.map((member) => member.name),
      );
    }
    const labelled = this.#inherits(name, "GPUObjectDescriptorBase");
    return { name, members, onWire, labelled, converted: CONVERTED.includes(name) };
  }

  #inherits(name, base) {
    const parent = this.#idl.dictionaries.get(name).inheritance;
    return parent === base || (parent !== null && this.#inherits(parent, base));
  }

  /** Makes commands of the methods that travel as they stand. @returns what became of each member */
  #interface(name, members) {
    const fate = {};
    const leftOut = LEFT_OUT_INTERFACES[name];
    for (const member of members) {
      const key = member.name || member.type;
      if (leftOut) fate[key] = `left out: ${leftOut}`;
      else if (LEFT_OUT_MEMBERS[name]?.[key]) fate[key] = `left out: ${LEFT_OUT_MEMBERS[name][key]}`;
      else if (LOCAL[name]?.[key]) fate[key] = `local: ${LOCAL[name][key]}`;
      else if (member.type !== "operation")
        fate[key] = key === "label" ? "special: setLabel" : "local: the client's own state";
      else if (!this.#idl.isKind(name))
        throw new Error(`the overlay does not say what becomes of ${name}.${key}`);
      else if (REPLACED[name]?.includes(key)) fate[key] = "special: a command of another shape";
      else if (fate[key] === undefined) fate[key] = this.#command(name, member);
    }
    return fate;
  }

  /** @returns its entry of the coverage table */
  #command(owner, operation) {
    const method = operation.name;
    const name = commandName(owner, method);
    const args = this.#idl.arguments(operation);
    const result = operation.idlType.idlType;
    const command = {
      name,
      method,
      owner,
      opcode: this.#numbers.of("commands", name, FIRST_OPCODE),
      creates: this.#idl.isKind(result) ? result : undefined,
      reserves: RESERVES[name],
      special: SPECIAL[name] !== undefined,
      wrapped: WRAPPED.includes(name),
      byHand: BY_HAND.includes(method),
      args,
    };
    if (!command.byHand) this.#layOut(command);
    this.commands.push(command);
    return command.special ? `special: ${SPECIAL[name]}` : "generated";
  }

  #event(operation) {
    const name = operation.name;
    const opcode = this.#numbers.of("events", name, FIRST_OPCODE);
    const event = { name, opcode, args: this.#idl.arguments(operation) };
    this.#fix(`event ${name}`, event.args);
    return event;
  }

  /** Places arguments: all at fixed words where each has a fixed size, one behind the other otherwise. */
  #layOut(command) {
    const locked = this.#fix(command.name, command.args);
    let bit = 1;
    let word = 2 + (command.owner ? 1 : 0) + (command.creates ? 1 : 0);
    command.flat = command.args.every((arg) => WORDS[arg.type.form] !== undefined);
    command.args.forEach((arg, index) => {
      // What a method got after its number was given may be missing in an old peer's record.
      arg.appended = index >= locked;
      const open =
        arg.optional && (arg.default === undefined || arg.appended) && arg.type.form !== "dictionary";
      if (arg.appended && !open) throw new Error(`${command.name}: an argument added later must be optional`);
      if (open) {
        arg.bit = bit;
        bit *= 2;
      }
      if (!command.flat) return;
      const words = WORDS[arg.type.form];
      if (words === 2) word += word % 2;
      arg.word = word;
      word += words;
      if (!arg.appended) command.required = word;
    });
    command.words = word + (word % 2);
    command.required ??= command.flat ? word : 2;
  }

  /** Locks the order and forms of arguments. @returns how many there were when they were locked */
  #fix(name, args) {
    const now = args.map((arg) => `${arg.name}:${signature(arg.type)}`);
    const locked = this.#numbers.fixed("arguments", name, now.join(" "), (before) =>
      now.join(" ").startsWith(`${before} `),
    );
    return locked === "" ? 0 : locked.split(" ").length;
  }

  #checkOverlay() {
    const names = new Set(this.commands.map((command) => command.name));
    for (const name of [...Object.keys(SPECIAL), ...WRAPPED, ...Object.keys(RESERVES)]) {
      if (!names.has(name)) throw new Error(`the overlay names ${name}, which is no command`);
    }
    this.#numbers.checkKept("commands", [...names]);
  }
}

function isBaseOrShape(name, dictionaries) {
  const base = [...dictionaries.values()].some(({ inheritance }) => inheritance === name);
  return base || Object.keys(SHAPES).some((each) => name === `${each}Dict`);
}

/** `deviceCreateBuffer` of GPUDevice and createBuffer. */
export function commandName(owner, method) {
  if (owner === undefined) return method;
  const short = owner.replace(/^GPU/, "");
  return short[0].toLowerCase() + short.slice(1) + method[0].toUpperCase() + method.slice(1);
}

/** What may never change about a type that travels. */
export function signature(type) {
  const mark = type.nullable ? "?" : "";
  switch (type.form) {
    case "sequence":
      return `sequence<${signature(type.element)}>${mark}`;
    case "record":
      return `record<${signature(type.value)}>`;
    case "union":
      return "union";
    case "enum":
    case "dictionary":
    case "handle":
    case "shape":
      return type.name + mark;
    default:
      return type.form + mark;
  }
}
