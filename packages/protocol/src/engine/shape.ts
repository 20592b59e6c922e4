/**
 * Checks for JSON that came from another process. Each takes what arrived and where it stood, returns it typed and
 * rebuilt from known fields alone, and throws a ProtocolError `bad-engine-message` that names the place.
 */
import { ProtocolError } from "../error.js";

export type Check<T> = (value: unknown, at: string) => T;
type Checked<C> = C extends Check<infer T> ? T : never;

function refuse(at: string, wanted: string, value: unknown): never {
  const found = value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
  throw new ProtocolError("bad-engine-message", `${at} must be ${wanted}, found ${found}`);
}

/** @param limit the longest string in UTF-16 code units */
export const text =
  (limit: number): Check<string> =>
  (value, at) =>
    typeof value === "string" && value.length <= limit
      ? value
      : refuse(at, `a string of at most ${limit} code units`, value);

export const flag: Check<boolean> = (value, at) =>
  typeof value === "boolean" ? value : refuse(at, "a boolean", value);

export const whole =
  (most: number): Check<number> =>
  (value, at) =>
    typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most
      ? value
      : refuse(at, `an integer in [0, ${most}]`, value);

export const finite: Check<number> = (value, at) =>
  typeof value === "number" && Number.isFinite(value) ? value : refuse(at, "a finite number", value);

export const between =
  (least: number, most: number): Check<number> =>
  (value, at) =>
    typeof value === "number" && value >= least && value <= most
      ? value
      : refuse(at, `a number in [${least}, ${most}]`, value);

export const nullable =
  <T>(of: Check<T>): Check<T | null> =>
  (value, at) =>
    value === null ? null : of(value, at);

export const oneOf =
  <T extends string>(...allowed: readonly T[]): Check<T> =>
  (value, at) =>
    allowed.find((each) => each === value) ?? refuse(at, `one of ${allowed.join(", ")}`, value);

export const pattern =
  (expression: RegExp, what: string): Check<string> =>
  (value, at) =>
    typeof value === "string" && expression.test(value) ? value : refuse(at, what, value);

/** @param most the longest list */
export const list =
  <T>(of: Check<T>, most: number): Check<readonly T[]> =>
  (value, at) => {
    if (!Array.isArray(value) || value.length > most) return refuse(at, `a list of at most ${most}`, value);
    return value.map((each, index) => of(each, `${at}[${index}]`));
  };

/** @param most the most entries */
export const record =
  <T>(of: Check<T>, most: number): Check<Readonly<Record<string, T>>> =>
  (value, at) => {
    const entries = Object.entries(object(value, at));
    if (entries.length > most) return refuse(at, `an object of at most ${most} members`, value);
    return Object.fromEntries(entries.map(([name, each]) => [name, of(each, `${at}.${name}`)]));
  };

export const optional =
  <T>(of: Check<T>): Check<T | undefined> =>
  (value, at) =>
    value === undefined ? undefined : of(value, at);

type Fields = Readonly<Record<string, Check<unknown>>>;
type OptionalKeys<F extends Fields> = {
  [K in keyof F]: undefined extends Checked<F[K]> ? K : never;
}[keyof F];
export type Shape<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Checked<F[K]>;
} & { readonly [K in OptionalKeys<F>]?: Exclude<Checked<F[K]>, undefined> };

/** Members that the shape does not name are dropped: a newer peer may send more. */
export const shape =
  <F extends Fields>(fields: F): Check<Shape<F>> =>
  (value, at) => {
    const source = object(value, at);
    const result: Record<string, unknown> = {};
    for (const [name, check] of Object.entries(fields)) {
      const checked = check(source[name], `${at}.${name}`);
      if (checked !== undefined) result[name] = checked;
    }
    return result as Shape<F>;
  };

export function object(value: unknown, at: string): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : refuse(at, "an object", value);
}
