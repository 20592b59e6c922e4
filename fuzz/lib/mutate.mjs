/**
 * Mutations. An input is a list of units (records, frames, lines) as its target cuts it; what is done to whole units keeps the rest
 * of an input meaningful, and what is done inside of one prefers numbers that mean something in the protocol. Sizes are mended
 * afterwards most of the time: an input that fails at its first length field finds nothing behind it.
 */
const interesting = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 63, 64, 127, 128, 255, 256, 4095, 4096, 65535, 65536];
const large = [0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff, 0x00100000, 0x000fffff, 0x00040000, 0x1fffff];

/** What is longer is cut: long inputs are slow and say no more. */
const mostBytes = 4096;
const mostUnits = 48;
const mostInput = 8192;

export class Mutator {
  #random;
  #target;
  #words;
  #bytes;

  constructor(random, target) {
    this.#random = random;
    this.#target = target;
    const { words = [], bytes = [] } = target.dictionary ?? {};
    this.#words = [...interesting, ...large, ...words, ...words];
    this.#bytes = bytes;
  }

  /** @param corpus at least one input. @returns a new input */
  next(corpus) {
    const random = this.#random;
    // Young inputs are those that found something last.
    const base = random.chance(3)
      ? corpus[corpus.length - 1 - random.below(Math.min(16, corpus.length))]
      : random.pick(corpus);
    const units = this.#target.split(base).map((unit) => unit.slice());
    if (units.length === 0) units.push(new Uint8Array(8));
    for (let rounds = 1 + random.below(4); rounds > 0; rounds--) this.#mutate(units, corpus);
    const mended = units.slice(0, mostUnits).map((unit) => this.#mended(unit));
    for (let total = 0, i = 0; i < mended.length; i++) {
      total += mended[i].length;
      if (total > mostInput && i > 0) return join(mended.slice(0, i));
    }
    return join(mended);
  }

  #mutate(units, corpus) {
    const random = this.#random;
    const at = random.below(units.length);
    switch (random.below(16)) {
      case 0:
        if (units.length > 1) units.splice(at, 1);
        return;
      case 1:
        units.splice(at, 0, units[random.below(units.length)].slice());
        return;
      case 2: {
        const other = random.below(units.length);
        [units[at], units[other]] = [units[other], units[at]];
        return;
      }
      case 3:
      case 4: {
        // Units of another input behind, or in place of, ours.
        const others = this.#target.split(random.pick(corpus));
        if (others.length === 0) return;
        const from = random.below(others.length);
        units.splice(at, random.below(2), ...others.slice(from, from + 1 + random.below(4)));
        return;
      }
      case 5: {
        const unit = units[at];
        const length = random.below(unit.length + 1);
        units[at] = random.chance(2) ? unit.slice(0, length) : unit.slice(length);
        return;
      }
      case 6: {
        const unit = units[at];
        const where = random.below(unit.length + 1);
        const more = this.#bytes.length > 0 && random.chance(2) ? random.pick(this.#bytes) : this.#some();
        units[at] = join([unit.subarray(0, where), more, unit.subarray(where)]).slice(0, mostBytes);
        return;
      }
      default:
        this.#change(units[at]);
    }
  }

  #some() {
    const bytes = new Uint8Array(1 + this.#random.below(16));
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.#random.below(256);
    return bytes;
  }

  #change(unit) {
    const random = this.#random;
    if (unit.length === 0) return;
    const at = random.below(unit.length);
    switch (random.below(8)) {
      case 0:
        unit[at] ^= 1 << random.below(8);
        return;
      case 1:
        unit[at] = random.below(256);
        return;
      case 2: {
        if (this.#bytes.length === 0) return;
        const word = random.pick(this.#bytes);
        unit.set(word.subarray(0, unit.length - at), at);
        return;
      }
      case 3: {
        // Another place of the same unit: counts that repeat elsewhere, handles used twice.
        const from = random.below(unit.length);
        unit.copyWithin(at & ~3, from & ~3, (from & ~3) + 4);
        return;
      }
      default: {
        const width = random.pick([1, 2, 4, 4, 4, 8]);
        const start = at - (at % width);
        let value = random.chance(6) ? random.uint32() : random.pick(this.#words);
        if (random.chance(8)) value += random.below(3) - 1;
        for (let i = 0; i < width && start + i < unit.length; i++)
          unit[start + i] = i < 4 ? (value >>> (8 * i)) & 255 : 0;
      }
    }
  }

  #mended(unit) {
    const cut = unit.length > mostBytes ? unit.slice(0, mostBytes) : unit;
    return this.#target.mend === undefined || this.#random.chance(12) ? cut : this.#target.mend(cut);
  }
}

export function join(parts) {
  let total = 0;
  for (const part of parts) total += part.length;
  const all = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
