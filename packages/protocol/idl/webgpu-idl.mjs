// Reads WebIDL and answers questions about it: interfaces with their mixins and partials, dictionaries with what they
// inherit, and every type as one of the few forms that travel.
import { parse } from "webidl2";
import { LEFT_OUT_INTERFACES, SHAPES } from "./webgpu-overlay.mjs";

export class Idl {
  interfaces = new Map();
  /** Interfaces of the additions: commands and events designed by hand. */
  added = new Map();
  dictionaries = new Map();
  enums = new Map();
  #typedefs = new Map();
  #mixins = new Map();

  constructor(specification, ...additions) {
    const ours = additions.flatMap((text) => parse(text));
    for (const each of ours.filter((each) => each.type === "interface"))
      add(this.added, each.name, each.members);
    const definitions = [...parse(specification), ...ours.filter((each) => each.type !== "interface")];
    for (const each of definitions) {
      if (each.type === "typedef") this.#typedefs.set(each.name, each.idlType);
      else if (each.type === "enum")
        this.enums.set(
          each.name,
          each.values.map((value) => value.value),
        );
      else if (each.type === "dictionary") this.dictionaries.set(each.name, each);
      else if (each.type === "interface") add(this.interfaces, each.name, each.members);
      else if (each.type === "interface mixin") add(this.#mixins, each.name, each.members);
    }
    for (const each of definitions) {
      if (each.type === "includes" && this.interfaces.has(each.target)) {
        add(this.interfaces, each.target, this.#mixins.get(each.includes) ?? []);
      }
    }
  }

  /** Arguments of an operation. */
  arguments(operation) {
    return operation.arguments.map((argument) => ({
      name: argument.name,
      optional: argument.optional,
      default: argument.default ? literal(argument.default) : undefined,
      type: this.type(argument.idlType),
    }));
  }

  /** Members as WebIDL reads them: least derived dictionary first, each one's in lexicographical order. */
  members(name) {
    const dictionary = this.dictionaries.get(name);
    const inherited = dictionary.inheritance ? this.members(dictionary.inheritance) : [];
    const own = dictionary.members.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return [...inherited, ...own.map((member) => this.#member(member))];
  }

  #member(member) {
    return {
      name: member.name,
      required: member.required,
      default: member.default ? literal(member.default) : undefined,
      type: this.type(member.idlType),
    };
  }

  /** @returns {{ form: string }} how a type travels; see the forms in `#named` */
  type(idlType) {
    if (idlType.union) return this.#union(idlType);
    if (idlType.generic === "sequence") return { form: "sequence", element: this.type(idlType.idlType[0]) };
    if (idlType.generic === "record") return { form: "record", value: this.type(idlType.idlType[1]) };
    if (idlType.generic) throw new Error(`no form for ${idlType.generic}<…>`);
    const type = this.#named(idlType.idlType, idlType);
    return idlType.nullable ? { ...type, nullable: true } : type;
  }

  #union(idlType) {
    const members = idlType.idlType
      .filter((each) => each.idlType !== "undefined")
      .map((each) => this.type(each));
    // GPUExternalTexture and the like are not there outside a page.
    const present = members.filter((each) => each.form !== "left out");
    return present.length === 1 ? present[0] : { form: "union", members: present };
  }

  #named(name, idlType) {
    const enforced = has(idlType, "EnforceRange");
    if (SHAPES[name]) return { form: "shape", name, ...SHAPES[name] };
    switch (name) {
      case "boolean":
        return { form: "bool" };
      case "float":
        return { form: "f32" };
      case "double":
        return { form: "f64" };
      case "unsigned long":
        return { form: "u32", enforced };
      case "long":
        return { form: "i32", enforced };
      case "unsigned long long":
        return { form: "u64", enforced };
      case "unsigned short":
        return { form: "u16", clamp: has(idlType, "Clamp") };
      case "DOMString":
      case "USVString":
        return { form: "string" };
      case "Number32":
        return { form: "u32", plain: true };
      case "Number64":
        return { form: "u64", plain: true };
      case "Request":
        return { form: "u32", plain: true, request: true };
      case "NewId":
        return { form: "u32", plain: true, created: true };
      case "Payload":
        return { form: "payload" };
      case "AllowSharedBufferSource":
      case "Uint32Array":
        return { form: "by hand" };
    }
    const typedef = this.#typedefs.get(name);
    if (typedef) {
      const type = this.type(typedef);
      return has(typedef, "EnforceRange") || enforced ? { ...type, enforced: true } : type;
    }
    if (this.enums.has(name)) return { form: "enum", name };
    if (this.dictionaries.has(name)) return { form: "dictionary", name };
    if (this.isKind(name)) return { form: "handle", name };
    if (this.interfaces.has(name)) return { form: "left out" };
    throw new Error(`no form for the type ${name}`);
  }

  /** Whether objects of the interface travel as handles: those that can have a label, unless the overlay leaves them out. */
  isKind(name) {
    const members = this.interfaces.get(name) ?? [];
    return members.some((member) => member.name === "label") && !LEFT_OUT_INTERFACES[name];
  }
}

function has(idlType, attribute) {
  return idlType.extAttrs.some((each) => each.name === attribute);
}

function add(map, key, members) {
  map.set(key, [...(map.get(key) ?? []), ...members]);
}

/** The value of a default, as JavaScript. */
function literal(value) {
  switch (value.type) {
    case "number":
      return Number(value.value);
    case "string":
    case "boolean":
      return value.value;
    case "sequence":
      return [];
    case "dictionary":
      return {};
  }
  throw new Error(`no literal for a default of type ${value.type}`);
}
