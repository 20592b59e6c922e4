/**
 * An object as tasks on one event loop share it: what lies between two awaits is atomic there, so a use guards itself and
 * is no data race, but every use is seen, down through the plain objects, arrays, maps and sets that it holds.
 *
 * Methods run on the watched object. Fields whose names begin with # can't be seen, by the language's own rules.
 */
import type { Named } from "parhelion-core";

type Declare = (on: Named, mode: "read" | "write") => void;

/** Methods that change what they are called on; any other reads it. */
const changing: ReadonlySet<string | symbol> = new Set([
  "push",
  "pop",
  "shift",
  "unshift",
  "splice",
  "sort",
  "reverse",
  "fill",
  "copyWithin",
  "set",
  "add",
  "delete",
  "clear",
]);

export class Shared {
  readonly #declare: Declare;
  readonly #watched = new Map<object, object>();
  readonly #originals = new Map<object, object>();
  readonly #left = new Set<object>();

  /** @param left what declares its uses itself */
  constructor(declare: Declare, left: readonly object[] = []) {
    this.#declare = declare;
    for (const value of left) this.#left.add(value);
  }

  watch<T extends object>(name: string, target: T): T {
    const known = this.#watched.get(target);
    if (known !== undefined) return known as T;
    const proxy =
      target instanceof Map || target instanceof Set ? this.#whole(name, target) : this.#fields(name, target);
    this.#watched.set(target, proxy);
    this.#originals.set(proxy, target);
    return proxy as T;
  }

  /** Each field by itself; an array counts as one. */
  #fields(name: string, target: object): object {
    const whole = { name };
    const objects = new Map<string | symbol, Named>();
    const on = (field: string | symbol): Named => {
      if (Array.isArray(target)) return whole;
      let object = objects.get(field);
      if (object === undefined) {
        object = { name: `${name}.${String(field)}` };
        objects.set(field, object);
      }
      return object;
    };
    return new Proxy(target, {
      get: (object, field, receiver) => {
        const value = Reflect.get(object, field, receiver) as unknown;
        if (typeof value === "function") {
          if (Array.isArray(object)) this.#declare(whole, changing.has(field) ? "write" : "read");
          return value;
        }
        this.#declare(on(field), "read");
        return this.#inside(`${name}.${String(field)}`, value);
      },
      set: (object, field, value, receiver) => {
        this.#declare(on(field), "write");
        return Reflect.set(object, field, this.#original(value), receiver);
      },
      has: (object, field) => {
        this.#declare(on(field), "read");
        return Reflect.has(object, field);
      },
      deleteProperty: (object, field) => {
        this.#declare(on(field), "write");
        return Reflect.deleteProperty(object, field);
      },
    });
  }

  /** A map or a set, whose methods work on nothing else: as one object. */
  #whole(name: string, target: Map<unknown, unknown> | Set<unknown>): object {
    const whole = { name };
    return new Proxy(target, {
      get: (object, field) => {
        this.#declare(whole, changing.has(field) ? "write" : "read");
        const value = Reflect.get(object, field, object) as unknown;
        if (typeof value !== "function") return value;
        return (...given: unknown[]): unknown => {
          const result = (value as (...given: unknown[]) => unknown).apply(
            object,
            given.map((argument) => this.#argument(name, argument)),
          );
          if (result === object) return this.#watched.get(object);
          return isIterator(result) ? this.#iterate(name, result) : this.#inside(`${name}[…]`, result);
        };
      },
    });
  }

  /** A callback, as of forEach, gets watched values. */
  #argument(name: string, argument: unknown): unknown {
    if (typeof argument !== "function") return this.#original(argument);
    return (...given: unknown[]): unknown =>
      (argument as (...given: unknown[]) => unknown)(
        ...given.map((value) => this.#inside(`${name}[…]`, value)),
      );
  }

  *#iterate(name: string, values: Iterable<unknown>): Generator<unknown> {
    for (const value of values) {
      yield Array.isArray(value)
        ? value.map((part) => this.#inside(`${name}[…]`, part))
        : this.#inside(`${name}[…]`, value);
    }
  }

  #inside(name: string, value: unknown): unknown {
    if (typeof value !== "object" || value === null || this.#originals.has(value)) return value;
    return watchable(value) && !this.#left.has(value) ? this.watch(name, value) : value;
  }

  #original(value: unknown): unknown {
    return typeof value === "object" && value !== null ? (this.#originals.get(value) ?? value) : value;
  }
}

/** Promises belong to the language, and core's primitives declare what they do themselves. */
function watchable(value: object): boolean {
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return true;
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === Object.prototype || prototype === null;
}

function isIterator(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && "next" in value && Symbol.iterator in value;
}
