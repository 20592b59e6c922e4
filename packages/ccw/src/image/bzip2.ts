/**
 * Unpacks bzip2, as tracks of compressed images may be packed. In JavaScript, because what there is in WebAssembly takes hold of the
 * process's handlers for uncaught exceptions. A total function: whatever the bytes, it ends with the content or a RangeError,
 * and takes no more memory than a few times the limit.
 */
import { BitReader } from "./bit-reader.js";

const blockMagic = [0x3141_59, 0x2653_59] as const;
const endMagic = [0x1772_45, 0x3850_90] as const;
const groupSize = 50;
const longestCode = 20;
const mostSelectors = 18_002;

const wrong = (what: string) => new RangeError(`bzip2: ${what}`);

/** @throws RangeError where the bytes are no bzip2 stream, its sums do not fit, or it holds more than `limit` bytes */
export function unpackBzip2(packed: Uint8Array, limit: number): Uint8Array {
  const bits = new BitReader(packed);
  const level = bits.read(24) === 0x425a68 ? bits.read(8) - 0x30 : 0;
  if (level < 1 || level > 9) throw wrong("it does not begin like a stream");
  const output = new Output(limit);
  let sum = 0;
  for (;;) {
    const magic = [bits.read(24), bits.read(24)] as const;
    const expected = bits.read(32);
    if (magic[0] === endMagic[0] && magic[1] === endMagic[1]) {
      if (expected !== sum) throw wrong("the stream's sum does not fit");
      return output.bytes();
    }
    if (magic[0] !== blockMagic[0] || magic[1] !== blockMagic[1])
      throw wrong("a block does not begin like one");
    output.beginBlock();
    // Four equal bytes take five before they are packed; a block holds no more than the limit has use for.
    unpackBlock(bits, Math.min(level * 100_000, Math.ceil((limit * 5) / 4) + 8), output);
    const found = output.sum();
    if (found !== expected) throw wrong("a block's sum does not fit");
    sum = (((sum << 1) | (sum >>> 31)) ^ found) >>> 0;
  }
}

function unpackBlock(bits: BitReader, most: number, output: Output): void {
  if (bits.read(1) !== 0) throw wrong("a randomized block");
  const origin = bits.read(24);
  const symbols = readSymbols(bits);
  const codes = readCodes(bits, symbols.length + 2);
  const block = new Uint8Array(most);
  const length = readRuns(bits, symbols, codes, block);
  if (origin >= length) throw wrong("a block begins outside of itself");
  output.add(untransformed(block.subarray(0, length), origin));
}

/** The bytes that occur, ascending: the list that moving to the front begins with. */
function readSymbols(bits: BitReader): Uint8Array {
  const groups = bits.read(16);
  const symbols: number[] = [];
  for (let group = 0; group < 16; group += 1) {
    if ((groups & (0x8000 >> group)) === 0) continue;
    const used = bits.read(16);
    for (let bit = 0; bit < 16; bit += 1) if ((used & (0x8000 >> bit)) !== 0) symbols.push(group * 16 + bit);
  }
  if (symbols.length === 0) throw wrong("a block without symbols");
  return Uint8Array.from(symbols);
}

interface Codes {
  readonly tables: readonly CodeTable[];
  readonly selectors: Uint8Array;
}

function readCodes(bits: BitReader, alphabet: number): Codes {
  const count = bits.read(3);
  const selectorCount = bits.read(15);
  if (count < 2 || count > 6 || selectorCount < 1) throw wrong("an impossible number of codes");
  const order = Array.from({ length: count }, (_, index) => index);
  const selectors = new Uint8Array(Math.min(selectorCount, mostSelectors));
  for (let at = 0; at < selectorCount; at += 1) {
    let place = 0;
    while (bits.read(1) === 1) {
      place += 1;
      if (place >= count) throw wrong("a selector of no code");
    }
    const [chosen] = order.splice(place, 1) as [number];
    order.unshift(chosen);
    // More of them than a block can use are allowed, and unused.
    if (at < selectors.length) selectors[at] = chosen;
  }
  const tables = Array.from({ length: count }, () => readCodeTable(bits, alphabet));
  return { tables, selectors };
}

/** A canonical Huffman code: for each length the first code, how many there are, and their symbols. */
interface CodeTable {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

function readCodeTable(bits: BitReader, alphabet: number): CodeTable {
  const lengths = new Uint8Array(alphabet);
  let length = bits.read(5);
  for (let symbol = 0; symbol < alphabet; symbol += 1) {
    while (bits.read(1) === 1) length += bits.read(1) === 0 ? 1 : -1;
    if (length < 1 || length > longestCode) throw wrong("a code of an impossible length");
    lengths[symbol] = length;
  }
  const counts = new Uint16Array(longestCode + 1);
  for (const each of lengths) counts[each] = (counts[each] as number) + 1;
  const symbols = new Uint16Array(alphabet);
  let at = 0;
  for (let each = 1; each <= longestCode; each += 1)
    for (let symbol = 0; symbol < alphabet; symbol += 1)
      if (lengths[symbol] === each) {
        symbols[at] = symbol;
        at += 1;
      }
  return { counts, symbols };
}

function readSymbol(bits: BitReader, { counts, symbols }: CodeTable): number {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let length = 1; length <= longestCode; length += 1) {
    code |= bits.read(1);
    const count = counts[length] as number;
    if (code - first < count) return symbols[index + code - first] as number;
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  throw wrong("a code that is not in its table");
}

/** Runs and places in the list of symbols, back to bytes. @returns how many */
function readRuns(
  bits: BitReader,
  symbols: Uint8Array,
  { tables, selectors }: Codes,
  block: Uint8Array,
): number {
  const list = [...symbols];
  const end = symbols.length + 1;
  let length = 0;
  let run = 0;
  let weight = 1;
  for (let count = 0; ; count += 1) {
    const table = tables[selectors[Math.floor(count / groupSize)] ?? -1];
    if (table === undefined) throw wrong("more symbols than selectors");
    const symbol = readSymbol(bits, table);
    if (symbol <= 1) {
      run += weight << symbol;
      weight <<= 1;
      if (run > block.length) throw wrong("a run longer than its block");
      continue;
    }
    if (length + run > block.length) throw wrong("a block with too many bytes");
    block.fill(list[0] as number, length, length + run);
    length += run;
    run = 0;
    weight = 1;
    if (symbol === end) return length;
    if (length >= block.length) throw wrong("a block with too many bytes");
    const [value] = list.splice(symbol - 1, 1) as [number];
    list.unshift(value);
    block[length] = value;
    length += 1;
  }
}

/** Turns the Burrows-Wheeler transform around. */
function untransformed(block: Uint8Array, origin: number): Uint8Array {
  const starts = new Int32Array(257);
  for (const byte of block) starts[byte + 1] = (starts[byte + 1] as number) + 1;
  for (let byte = 0; byte < 256; byte += 1)
    starts[byte + 1] = (starts[byte + 1] as number) + (starts[byte] as number);
  const next = new Int32Array(block.length);
  for (const [at, byte] of block.entries()) {
    const place = starts[byte] as number;
    next[place] = at;
    starts[byte] = place + 1;
  }
  const bytes = new Uint8Array(block.length);
  let at = next[origin] as number;
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = block[at] as number;
    at = next[at] as number;
  }
  return bytes;
}

/** Takes the outermost packing off, four equal bytes and a count, and sums up. */
class Output {
  readonly #bytes: Uint8Array;
  #length = 0;
  #sum = 0xffff_ffff;

  constructor(limit: number) {
    this.#bytes = new Uint8Array(limit);
  }

  beginBlock(): void {
    this.#sum = 0xffff_ffff;
  }

  add(block: Uint8Array): void {
    let equal = 0;
    let before = -1;
    for (const byte of block) {
      if (equal === 4) {
        for (let count = 0; count < byte; count += 1) this.#put(before);
        equal = 0;
        before = -1;
        continue;
      }
      equal = byte === before ? equal + 1 : 1;
      before = byte;
      this.#put(byte);
    }
  }

  #put(byte: number): void {
    if (this.#length >= this.#bytes.length) throw wrong(`more than ${this.#bytes.length} bytes`);
    this.#bytes[this.#length] = byte;
    this.#length += 1;
    this.#sum = (this.#sum << 8) ^ (sums[((this.#sum >>> 24) ^ byte) & 0xff] as number);
  }

  sum(): number {
    return ~this.#sum >>> 0;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Of the CRC with polynomial 04c11db7, high bit first. */
const sums: readonly number[] = Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) sum = sum < 0 ? (sum << 1) ^ 0x04c1_1db7 : sum << 1;
  return sum;
});
