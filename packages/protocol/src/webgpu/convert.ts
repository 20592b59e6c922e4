/**
 * WebIDL's conversions of an argument or member to the type that the specification gives it. Each takes the place it
 * stands at (`what`, e.g. "GPUBufferDescriptor.size") for its TypeError. Values of the right type take a branch that
 * allocates nothing: these run for every draw call.
 */

const TWO_32 = 4294967296;

export function typeError(what: string, problem: string): TypeError {
  return new TypeError(`${what}: ${problem}`);
}

export function missingMember(what: string): TypeError {
  return typeError(what, "required member is missing");
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" || typeof value === "function"
    ? `an object`
    : `${typeof value} ${String(value)}`;
}

/** ToNumber, which throws a TypeError of its own for BigInts and Symbols; then the [EnforceRange] checks. */
function enforceRange(value: unknown, least: number, most: number, what: string): number {
  const number = +(value as number);
  const whole = Math.trunc(number);
  // The comparison is false for NaN as well.
  if (!(whole >= least && whole <= most)) {
    throw typeError(what, `${describe(value)} is not an integer from ${least} to ${most}`);
  }
  return whole + 0;
}

/** [EnforceRange] unsigned long */
export function enforceU32(value: unknown, what: string): number {
  if (typeof value === "number" && value >>> 0 === value) return value;
  return enforceRange(value, 0, TWO_32 - 1, what);
}

/** [EnforceRange] long */
export function enforceI32(value: unknown, what: string): number {
  if (typeof value === "number" && (value | 0) === value) return value;
  return enforceRange(value, -TWO_32 / 2, TWO_32 / 2 - 1, what);
}

/** [EnforceRange] unsigned long long: up to 2^53 - 1, as WebIDL has it. */
export function enforceU64(value: unknown, what: string): number {
  if (typeof value === "number" && value >>> 0 === value) return value;
  return enforceRange(value, 0, Number.MAX_SAFE_INTEGER, what);
}

/** unsigned long without extended attribute: modulo 2^32. Undefined is a missing argument. */
export function wrapU32(value: unknown, what: string): number {
  if (value === undefined) throw typeError(what, "required argument is missing");
  return +(value as number) >>> 0;
}

/** [Clamp] unsigned short: to the nearest integer, ties to even. */
export function clampU16(value: unknown): number {
  const number = +(value as number);
  if (!(number > 0)) return 0;
  if (number >= 65535) return 65535;
  const below = Math.floor(number);
  const rest = number - below;
  return rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
}

/** float: TypeError when it isn't finite as a float. */
export function finiteFloat(value: unknown, what: string): number {
  const number = Math.fround(+(value as number));
  if (!Number.isFinite(number)) throw typeError(what, `${describe(value)} is not a finite float`);
  return number;
}

/** double: TypeError when it isn't finite. */
export function finiteDouble(value: unknown, what: string): number {
  const number = +(value as number);
  if (!Number.isFinite(number)) throw typeError(what, `${describe(value)} is not a finite number`);
  return number;
}

const loneSurrogate = /\p{Surrogate}/u;

/** USVString: lone surrogates become U+FFFD. DOMStrings travel as UTF-8 as well, so both use this. */
export function toText(value: unknown, what: string): string {
  if (typeof value === "symbol") throw typeError(what, "a symbol can't become a string");
  const text = typeof value === "string" ? value : String(value);
  return loneSurrogate.test(text) ? text.replace(/\p{Surrogate}/gu, "\ufffd") : text;
}

/** @returns the value's number in `numbers` */
export function enumNumber(
  numbers: ReadonlyMap<string, number>,
  value: unknown,
  name: string,
  what: string,
): number {
  const number = numbers.get(value as string);
  if (number !== undefined) return number;
  return slowEnumNumber(numbers, value, name, what);
}

function slowEnumNumber(
  numbers: ReadonlyMap<string, number>,
  value: unknown,
  name: string,
  what: string,
): number {
  const text = toText(value, what);
  const number = numbers.get(text);
  if (number === undefined) throw typeError(what, `"${text.slice(0, 80)}" is not a ${name}`);
  return number;
}

export type Members = Readonly<Record<string, unknown>>;

const noMembers: Members = Object.freeze(Object.create(null) as Members);

/** A dictionary's object: undefined and null are the empty dictionary, other primitives a TypeError. */
export function toMembers(value: unknown, what: string): Members {
  if (value === undefined || value === null) return noMembers;
  if (typeof value !== "object" && typeof value !== "function") {
    throw typeError(what, `${describe(value)} is not an object`);
  }
  return value as Members;
}

/**
 * sequence<…>: the elements, unconverted. An ordinary array is returned itself: walk it by index and look at `length`
 * at every step, as its iterator would.
 */
export function toElements(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value) && value[Symbol.iterator] === Array.prototype[Symbol.iterator]) return value;
  if ((typeof value !== "object" && typeof value !== "function") || value === null) {
    throw typeError(what, `${describe(value)} is not iterable`);
  }
  return spread(value, (value as { [Symbol.iterator]?: unknown })[Symbol.iterator], what);
}

/** The elements that the method `iterator` of `value` yields; it was read once, as WebIDL reads it. */
export function spread(value: object, iterator: unknown, what: string): readonly unknown[] {
  if (typeof iterator !== "function") throw typeError(what, `${describe(value)} is not iterable`);
  return [...{ [Symbol.iterator]: () => Reflect.apply(iterator, value, []) as Iterator<unknown> }];
}

/** record<…, …>: own enumerable string-keyed members, in order. */
export function toEntries(value: unknown, what: string): readonly (readonly [string, unknown])[] {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) {
    throw typeError(what, `${describe(value)} is not an object`);
  }
  return Object.entries(value);
}

/** As `enumNumber`, for the value itself. @typeParam T the values that `numbers` has */
export function enumValue<T extends string>(
  numbers: ReadonlyMap<string, number>,
  value: unknown,
  name: string,
  what: string,
): T {
  const text = toText(value, what);
  enumNumber(numbers, text, name, what);
  return text as T;
}
