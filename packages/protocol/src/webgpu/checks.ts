/** Checks that WebGPU makes where WebIDL would: a value that fails is a TypeError, and no command. */
import { enumNumber, toText, typeError } from "./convert.js";
import { TEXTURE_FORMAT_NAMES, TEXTURE_FORMAT_NUMBERS } from "./generated/enums.js";

const families: readonly (readonly [formats: RegExp, feature: string])[] = [
  [/^bc\d/, "texture-compression-bc"],
  [/^(etc2|eac)-/, "texture-compression-etc2"],
  [/^astc-/, "texture-compression-astc"],
  [/^depth32float-stencil8$/, "depth32float-stencil8"],
  [/^(r|rg|rgba)16[us]norm$/, "texture-formats-tier1"],
];

const featureOfFormat: ReadonlyMap<number, string> = new Map(
  [...TEXTURE_FORMAT_NUMBERS].flatMap(([format, number]) => {
    const family = families.find(([formats]) => formats.test(format));
    return family === undefined ? [] : [[number, family[1]] as const];
  }),
);

/** @param features the device's. @returns the number of the GPUTextureFormat `value` */
export function textureFormatNumber(value: unknown, features: ReadonlySet<string>, what: string): number {
  const number = enumNumber(TEXTURE_FORMAT_NUMBERS, value, "GPUTextureFormat", what);
  const feature = featureOfFormat.get(number);
  if (feature === undefined || features.has(feature)) return number;
  throw typeError(
    what,
    `the format "${TEXTURE_FORMAT_NAMES[number]}" needs the feature "${feature}", which is not among the requiredFeatures of this device`,
  );
}

/** GPUTextureViewDescriptor.swizzle: where red, green, blue and alpha come from. */
export function toSwizzle(value: unknown, what: string): string {
  const text = toText(value, what);
  if (/^[rgba01]{4}$/.test(text)) return text;
  throw typeError(what, `"${text.slice(0, 80)}" is not four of the characters r, g, b, a, 0 and 1`);
}
