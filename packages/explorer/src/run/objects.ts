/** Numbers for names, the same in every run of one search. */
import type { Named } from "parhelion-core";

export class Names {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];

  get size(): number {
    return this.#names.length;
  }

  number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#names.length;
    this.#numbers.set(name, number);
    this.#names.push(name);
    return number;
  }

  name(number: number): string {
    return this.#names[number] ?? `#${number}`;
  }
}

/** One run's objects. An object is looked up by its name once; after that it is known by itself. */
export class Objects {
  readonly #names: Names;
  readonly #numbers = new Map<Named, number>();

  constructor(names: Names) {
    this.#names = names;
  }

  number(on: Named): number {
    const known = this.#numbers.get(on);
    if (known !== undefined) return known;
    const number = this.#names.number(on.name);
    this.#numbers.set(on, number);
    return number;
  }
}
