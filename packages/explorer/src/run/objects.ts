/** Numbers for names, the same in every run of one search. */
import type { Named } from "parhelion-core";

/** A part of something else is known by its name; core names the parts of a device so. */
const partOf =
  /^(?:lock|registration|binding|devres|driver|driver data|driver override|children|state|parts) of (.+)$/;

export class Names {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #wholes: (string | null | undefined)[] = [];
  readonly #lives: (number | undefined)[] = [];

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

  /** What the object is a part of. */
  whole(number: number): string | null {
    let whole = this.#wholes[number];
    if (whole === undefined) {
      whole = partOf.exec(this.name(number))?.[1] ?? null;
      this.#wholes[number] = whole;
    }
    return whole;
  }

  /** Stands for being there: of the whole for a part, else of the object itself. Written when that is freed. */
  life(number: number): number {
    let life = this.#lives[number];
    if (life === undefined) {
      life = this.number(`life of ${this.whole(number) ?? this.name(number)}`);
      this.#lives[number] = life;
    }
    return life;
  }
}

/** One run's objects. An object is looked up by its name once; after that it is known by itself. */
export class Objects {
  readonly #names: Names;
  readonly #numbers = new Map<Named, number>();
  /** One step mostly uses one object several times. */
  #last: Named | null = null;
  #lastNumber = -1;

  constructor(names: Names) {
    this.#names = names;
  }

  number(on: Named): number {
    if (on === this.#last) return this.#lastNumber;
    let number = this.#numbers.get(on);
    if (number === undefined) {
      number = this.#names.number(on.name);
      this.#numbers.set(on, number);
    }
    this.#last = on;
    this.#lastNumber = number;
    return number;
  }
}
