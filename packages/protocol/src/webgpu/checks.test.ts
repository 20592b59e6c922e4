import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { textureFormatNumber, toSwizzle } from "./checks.js";
import { TEXTURE_FORMAT_NAMES } from "./generated/enums.js";
import { allFeatures } from "./world.test.fixture.js";

const formats = TEXTURE_FORMAT_NAMES.filter((format) => format !== undefined);
const of = (format: unknown, ...features: string[]): number =>
  textureFormatNumber(format, new Set(features), "here");

describe("texture formats", () => {
  test("those of the core need no feature, the others exactly one", () => {
    // Counts of the specification: 14 BC, 10 ETC2 and EAC, 28 ASTC, 6 of tier 1, 1 depth format.
    const optional = formats.filter((format) => {
      try {
        of(format);
        return false;
      } catch {
        return true;
      }
    });
    assert.equal(optional.length, 14 + 10 + 28 + 6 + 1);
    for (const format of optional) {
      const enough = [...allFeatures].filter((feature) => {
        try {
          return TEXTURE_FORMAT_NAMES[of(format, feature)] === format;
        } catch {
          return false;
        }
      });
      assert.equal(enough.length, 1, format);
    }
  });

  test("the error names place, format and feature", () => {
    assert.throws(() => of("bc1-rgba-unorm", "texture-compression-astc"), {
      name: "TypeError",
      message: /^here: .*"bc1-rgba-unorm".*"texture-compression-bc"/,
    });
    assert.throws(() => of("rgba9"), {
      name: "TypeError",
      message: /^here: "rgba9" is not a GPUTextureFormat/,
    });
  });
});

describe("swizzles", () => {
  test("are four of six characters, as WebIDL makes strings of values", () => {
    assert.equal(toSwizzle("bgr1", "here"), "bgr1");
    assert.equal(toSwizzle(1111, "here"), "1111");
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom("rgbA", "rgb", "rgba0", "rgba\n", "\nrgba")),
        (text) => {
          fc.pre(!(text.length === 4 && [...text].every((each) => "rgba01".includes(each))));
          assert.throws(() => toSwizzle(text, "here"), TypeError);
        },
      ),
    );
  });
});
