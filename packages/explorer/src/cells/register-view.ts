import type { Registers } from "./program.js";

/** Shows the registers of one task in one state under their names. */
export class RegisterView implements Registers {
  state: Int32Array = new Int32Array(0);
  base = 0;
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  get a(): number {
    return this.#get(0);
  }
  get b(): number {
    return this.#get(1);
  }
  get c(): number {
    return this.#get(2);
  }
  get d(): number {
    return this.#get(3);
  }
  get e(): number {
    return this.#get(4);
  }
  get f(): number {
    return this.#get(5);
  }
  get g(): number {
    return this.#get(6);
  }
  get h(): number {
    return this.#get(7);
  }

  #get(register: number): number {
    return register < this.#count ? this.state[this.base + register]! : 0;
  }
}
