/**
 * The generator's own model of WebGPU, as tests see it: from it come random valid values of any type, each with what
 * has to arrive at the other end.
 */
import fc from "fast-check";
import type { World } from "./world.test.fixture.js";

export interface Type {
  readonly form: string;
  readonly name?: string;
  readonly nullable?: boolean;
  readonly plain?: boolean;
  readonly created?: boolean;
  readonly clamp?: boolean;
  readonly element?: Type;
  readonly value?: Type;
  readonly members?: readonly Type[] | readonly string[];
}

export interface Argument {
  readonly name: string;
  readonly type: Type;
  readonly optional?: boolean;
  readonly default?: unknown;
  readonly required?: boolean;
}

export interface Command {
  readonly name: string;
  readonly method: string;
  readonly owner: string | undefined;
  readonly opcode: number;
  readonly creates: string | undefined;
  readonly reserves: string | undefined;
  readonly special: boolean;
  readonly wrapped: boolean;
  readonly byHand: boolean;
  readonly flat: boolean;
  readonly args: readonly Argument[];
}

export interface Dictionary {
  readonly name: string;
  readonly members: readonly Argument[];
  readonly onWire: boolean;
  readonly labelled: boolean;
}

export interface Model {
  readonly kinds: readonly { readonly name: string; readonly number: number }[];
  readonly commands: readonly Command[];
  readonly events: readonly {
    readonly name: string;
    readonly opcode: number;
    readonly args: readonly Argument[];
  }[];
  readonly enums: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly dictionaries: readonly Dictionary[];
}

interface Generator {
  generateAll(): { readonly path: string; readonly text: string }[];
  loadModel(): Model;
}

/** The generator is JavaScript outside of the compiled sources. */
export async function loadGenerator(): Promise<Generator> {
  return (await import(new URL("../../idl/generate.mjs", import.meta.url).href)) as Generator;
}

/** What a program passes, and what the engine has to get for it. */
export interface Sample {
  readonly given: unknown;
  readonly expected: unknown;
}

const same = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<Sample> =>
  arbitrary.map((value) => ({ given: value, expected: value }));

/** Any Unicode, lone surrogates too: they arrive as U+FFFD. */
const text = fc
  .oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("\ud800", "a\udc00b", "日本語 🂡"))
  .map((given) => ({ given, expected: Buffer.from(given, "utf8").toString("utf8") }));

/** The one string that is checked. */
const swizzle = same(fc.stringMatching(/^[rgba01]{4}$/));

const shapeMembers: Readonly<Record<string, readonly string[]>> = {
  GPUExtent3D: ["width", "height", "depthOrArrayLayers"],
  GPUOrigin3D: ["x", "y", "z"],
  GPUColor: ["r", "g", "b", "a"],
};

export class Samples {
  readonly #model: Model;
  readonly #world: World;

  constructor(model: Model, world: World) {
    this.#model = model;
    this.#world = world;
  }

  of(type: Type): fc.Arbitrary<Sample> {
    const value = this.#notNull(type);
    if (type.nullable !== true) return value;
    const nothing = fc.constantFrom(null, undefined).map((given) => ({ given, expected: null }));
    return fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: nothing });
  }

  /** Members that are not required are there or not; undefined is the same as not there. */
  dictionary(name: string): fc.Arbitrary<Sample> {
    const { members } = this.#model.dictionaries.find((each) => each.name === name) as Dictionary;
    const parts = members.map((member) =>
      member.required === true
        ? this.#member(name, member)
        : fc.option(this.#member(name, member), { nil: { given: undefined, expected: undefined } }),
    );
    return fc.tuple(...parts).map((samples) => {
      const given: Record<string, unknown> = {};
      const expected: Record<string, unknown> = {};
      members.forEach((member, index) => {
        const sample = samples[index] as Sample;
        given[member.name] = sample.given;
        // An undefined member is absent unless its type turns undefined into null, as a nullable required one does.
        if (sample.given !== undefined || member.required === true) expected[member.name] = sample.expected;
      });
      return { given, expected };
    });
  }

  #member(dictionary: string, { name, type }: Argument): fc.Arbitrary<Sample> {
    return `${dictionary}.${name}` === "GPUTextureViewDescriptor.swizzle" ? swizzle : this.of(type);
  }

  #notNull(type: Type): fc.Arbitrary<Sample> {
    switch (type.form) {
      case "bool":
        return same(fc.boolean());
      case "u32":
        return same(fc.integer({ min: 0, max: 0xffffffff }));
      case "u16":
        return same(fc.integer({ min: 0, max: 0xffff }));
      case "i32":
        return same(fc.integer({ min: -0x80000000, max: 0x7fffffff }));
      case "u64":
        return same(fc.maxSafeNat());
      case "f32":
        return same(fc.float({ noNaN: true, noDefaultInfinity: true }));
      case "f64":
        return same(fc.double({ noNaN: true, noDefaultInfinity: true }));
      case "string":
        return text;
      case "payload":
        return fc.uint8Array({ maxLength: 40 }).map((given) => ({ given, expected: given }));
      case "enum":
        return same(fc.constantFrom(...this.#values(type)));
      case "handle":
        return fc.constantFrom(...this.#world.samplesOf(type.name as string));
      case "dictionary":
        return this.dictionary(type.name as string);
      case "shape":
        return this.#shape(type.name as string);
      case "sequence":
        return this.#sequence(type.element as Type);
      case "record":
        return this.#record(type.value as Type);
      case "union":
        return fc.oneof(...(type.members as readonly Type[]).map((member) => this.of(member)));
    }
    throw new Error(`no samples for ${type.form}`);
  }

  #values(type: Type): readonly string[] {
    return this.#model.enums.find(({ name }) => name === type.name)?.values as readonly string[];
  }

  #sequence(element: Type): fc.Arbitrary<Sample> {
    const elements = fc.array(this.of(element), { maxLength: 4 });
    return fc.tuple(elements, fc.boolean()).map(([samples, asIterable]) => {
      const given = samples.map((sample) => sample.given);
      return {
        given: asIterable
          ? {
              *[Symbol.iterator]() {
                yield* given;
              },
            }
          : given,
        expected: samples.map((sample) => sample.expected),
      };
    });
  }

  #record(value: Type): fc.Arbitrary<Sample> {
    const keys = fc.string({ unit: "grapheme", maxLength: 6 });
    return fc.dictionary(keys, this.of(value), { maxKeys: 4, noNullPrototype: true }).map((entries) => ({
      given: Object.fromEntries(Object.entries(entries).map(([key, sample]) => [key, sample.given])),
      expected: Object.fromEntries(Object.entries(entries).map(([key, sample]) => [key, sample.expected])),
    }));
  }

  #shape(name: string): fc.Arbitrary<Sample> {
    const names = shapeMembers[name] as readonly string[];
    const number =
      name === "GPUColor"
        ? fc.double({ noNaN: true, noDefaultInfinity: true })
        : fc.integer({ min: 0, max: 0xffffffff });
    const missing = name === "GPUExtent3D" ? 1 : 0;
    const least = name === "GPUColor" ? 4 : missing;
    const numbers = fc.array(number, { minLength: least, maxLength: names.length });
    return fc.tuple(numbers, fc.boolean()).map(([values, asDictionary]) => ({
      given: asDictionary ? Object.fromEntries(values.map((value, index) => [names[index], value])) : values,
      expected: Object.fromEntries(names.map((each, index) => [each, values[index] ?? missing])),
    }));
  }
}
