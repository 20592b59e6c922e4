/** Numbers that look random and are the same for the same seed everywhere (sfc32). */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  /** @param seed any whole number; its low 32 bits count */
  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.imul(seed | 0, 0x9e3779b1) ^ 0x243f6a88;
    this.#c = 0x85a308d3;
    for (let i = 0; i < 12; i++) this.next();
  }

  /** @returns a whole number from 0 to 2³² - 1 */
  next(): number {
    const result = (((this.#a + this.#b) | 0) + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** @returns a whole number from 0 to `below` - 1, each as likely as the other to within 2⁻²¹ for `below` up to 2¹¹ */
  below(below: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * below);
  }
}
