/**
 * What makes a TypeScript class look like a WebIDL interface object: members enumerable on the prototype, a
 * `toStringTag`, argument counts as the IDL gives them, no public constructor unless the IDL has one.
 */
import { inspect } from "node:util";
import { KIND } from "parhelion-protocol";

/** Passed by the library to constructors that WebIDL calls illegal. */
export const INTERNAL: unique symbol = Symbol("parhelion.internal");

/** Throws TypeError unless `key` is the library's own. */
export function requireInternal(key: unknown): void {
  if (key !== INTERNAL) throw new TypeError("Illegal constructor");
}

export interface InterfaceShape {
  /** For objects that the engine knows: what encoders check when one is passed as an argument. */
  readonly kind?: number;
  /** Arguments the constructor needs; 0 for interfaces without one. */
  readonly constructorLength?: number;
  /** Methods whose number of required arguments is not what the function's own `length` says. */
  readonly lengths?: Readonly<Record<string, number>>;
}

interface InterfaceObject {
  readonly prototype: object;
}

/** Gives `target` the outward shape of the WebIDL interface `name`. Call once, right after the class. */
export function defineInterface(target: InterfaceObject, name: string, shape: InterfaceShape = {}): void {
  const prototype = target.prototype;
  if (shape.kind !== undefined) Object.defineProperty(prototype, KIND, { value: shape.kind });
  copyInherited(prototype);
  for (const key of Object.getOwnPropertyNames(prototype)) {
    if (key !== "constructor") Object.defineProperty(prototype, key, { enumerable: true });
  }
  for (const [method, length] of Object.entries(shape.lengths ?? {})) {
    const value: unknown = Object.getOwnPropertyDescriptor(prototype, method)?.value;
    if (typeof value === "function") Object.defineProperty(value, "length", { value: length });
  }
  Object.defineProperty(target, "length", { value: shape.constructorLength ?? 0 });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  Object.defineProperty(prototype, inspect.custom, { value: inspectAttributes, configurable: true });
}

/** Marks a class whose members WebIDL would have mixed in: each interface below it gets them as its own. */
export const MIXIN: unique symbol = Symbol("parhelion.mixin");

function copyInherited(prototype: object): void {
  const parent: unknown = Object.getPrototypeOf(prototype);
  if (typeof parent !== "object" || parent === null || !Object.hasOwn(parent, MIXIN)) return;
  for (const key of Object.getOwnPropertyNames(parent)) {
    if (key === "constructor" || Object.hasOwn(prototype, key)) continue;
    const descriptor = Object.getOwnPropertyDescriptor(parent, key);
    if (descriptor !== undefined) Object.defineProperty(prototype, key, descriptor);
  }
}

/** What `console.log` shows: the attributes, not the machinery behind them. */
function inspectAttributes(this: object, depth: number, options: object): string {
  const name = this.constructor.name;
  if (depth < 0) return `[${name}]`;
  const shown: Record<string, unknown> = {};
  for (const key in this) {
    const value: unknown = Reflect.get(this, key);
    if (typeof value !== "function") shown[key] = value;
  }
  return `${name} ${inspect(shown, options)}`;
}

/** WebIDL's answer to a call with too few arguments. */
export function requireArguments(method: string, given: number, required: number): void {
  if (given >= required) return;
  const plural = required === 1 ? "argument" : "arguments";
  throw new TypeError(
    `Failed to execute ${method}: ${required} ${plural} required, but only ${given} present.`,
  );
}
