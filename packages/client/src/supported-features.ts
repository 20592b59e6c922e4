/** GPUSupportedFeatures and WGSLLanguageFeatures: WebIDL's read-only setlike over names. */
import { defineInterface, type INTERNAL, MIXIN, requireInternal } from "./interface/define.js";

abstract class ReadonlySetlike {
  readonly #names: ReadonlySet<string>;

  constructor(key: typeof INTERNAL, names: Iterable<string>) {
    requireInternal(key);
    this.#names = new Set(names);
  }

  get size(): number {
    return this.#names.size;
  }

  has(name: unknown): boolean {
    return this.#names.has(String(name));
  }

  forEach(callback: (value: string, key: string, set: this) => void, thisArgument?: unknown): void {
    if (typeof callback !== "function")
      throw new TypeError("Failed to execute forEach: the callback is not a function.");
    for (const name of this.#names) callback.call(thisArgument, name, name, this);
  }

  entries(): IterableIterator<[string, string]> {
    return this.#names.entries();
  }

  keys(): IterableIterator<string> {
    return this.#names.keys();
  }

  values(): IterableIterator<string> {
    return this.#names.values();
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.#names.values();
  }
}
Object.defineProperty(ReadonlySetlike.prototype, MIXIN, { value: true });

export class GPUSupportedFeatures extends ReadonlySetlike {}
defineInterface(GPUSupportedFeatures, "GPUSupportedFeatures", { lengths: { forEach: 1 } });

export class WGSLLanguageFeatures extends ReadonlySetlike {}
defineInterface(WGSLLanguageFeatures, "WGSLLanguageFeatures", { lengths: { forEach: 1 } });
