import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isKernelError } from "parhelion-core";
import * as layout from "./index.js";
import type { Structure } from "./structure.js";

/** Bytes. */
const sizes: readonly (readonly [Structure<object>, number])[] = [
  [layout.pmcw, 28],
  [layout.scsw, 12],
  [layout.schib, 52],
  [layout.orb, 12],
  [layout.ccw0, 8],
  [layout.ccw1, 8],
  [layout.erw, 4],
  [layout.esw, 20],
  [layout.irb, 64],
  [layout.crw, 4],
];

/** Field, byte, first bit in it, bits. */
type Place = readonly [string, number, number, number];

const places: readonly (readonly [Structure<object>, readonly Place[]])[] = [
  [
    layout.pmcw,
    [
      ["intparm", 0, 0, 32],
      ["qf", 4, 0, 1],
      ["w", 4, 1, 1],
      ["isc", 4, 2, 3],
      ["ena", 5, 0, 1],
      ["lm", 5, 1, 2],
      ["mme", 5, 3, 2],
      ["mp", 5, 5, 1],
      ["tf", 5, 6, 1],
      ["dnv", 5, 7, 1],
      ["dev", 6, 0, 16],
      ["lpm", 8, 0, 8],
      ["pnom", 9, 0, 8],
      ["lpum", 10, 0, 8],
      ["pim", 11, 0, 8],
      ["mbi", 12, 0, 16],
      ["pom", 14, 0, 8],
      ["pam", 15, 0, 8],
      ["chpid", 16, 0, 64],
      ["st", 25, 0, 3],
      ["mbfc", 27, 5, 1],
      ["xmwme", 27, 6, 1],
      ["csense", 27, 7, 1],
    ],
  ],
  [
    layout.schib,
    [
      ["pmcw", 0, 0, 224],
      ["scsw", 28, 0, 96],
      ["mba", 40, 0, 64],
      ["mda", 48, 0, 32],
    ],
  ],
  [
    layout.scsw,
    [
      ["key", 0, 0, 4],
      ["sctl", 0, 4, 1],
      ["eswf", 0, 5, 1],
      ["cc", 0, 6, 2],
      ["fmt", 1, 0, 1],
      ["pfch", 1, 1, 1],
      ["isic", 1, 2, 1],
      ["alcc", 1, 3, 1],
      ["ssi", 1, 4, 1],
      ["zcc", 1, 5, 1],
      ["ectl", 1, 6, 1],
      ["pno", 1, 7, 1],
      ["fctl", 2, 1, 3],
      ["actl", 2, 4, 7],
      ["stctl", 3, 3, 5],
      ["cpa", 4, 0, 32],
      ["dstat", 8, 0, 8],
      ["cstat", 9, 0, 8],
      ["count", 10, 0, 16],
    ],
  ],
  [
    layout.orb,
    [
      ["intparm", 0, 0, 32],
      ["key", 4, 0, 4],
      ["spnd", 4, 4, 1],
      ["mod", 4, 6, 1],
      ["sync", 4, 7, 1],
      ["fmt", 5, 0, 1],
      ["pfch", 5, 1, 1],
      ["isic", 5, 2, 1],
      ["alcc", 5, 3, 1],
      ["ssic", 5, 4, 1],
      ["b", 5, 5, 1],
      ["c64", 5, 6, 1],
      ["i2k", 5, 7, 1],
      ["lpm", 6, 0, 8],
      ["ils", 7, 0, 1],
      ["zero", 7, 1, 6],
      ["orbx", 7, 7, 1],
      ["cpa", 8, 0, 32],
    ],
  ],
  [
    layout.ccw0,
    [
      ["cmd", 0, 0, 8],
      ["cda", 1, 0, 24],
      ["flags", 4, 0, 8],
      ["count", 6, 0, 16],
    ],
  ],
  [
    layout.ccw1,
    [
      ["cmd", 0, 0, 8],
      ["flags", 1, 0, 8],
      ["count", 2, 0, 16],
      ["cda", 4, 0, 32],
    ],
  ],
  [
    layout.irb,
    [
      ["scsw", 0, 0, 96],
      ["esw", 12, 0, 160],
      ["ecw", 32, 0, 256],
    ],
  ],
  [
    layout.esw,
    [
      ["lpum", 1, 0, 8],
      ["erw", 4, 0, 32],
      ["faddr", 8, 0, 64],
      ["saddr", 16, 0, 32],
    ],
  ],
  [
    layout.erw,
    [
      ["cons", 0, 7, 1],
      ["scnt", 1, 2, 6],
    ],
  ],
  [
    layout.crw,
    [
      ["slct", 0, 1, 1],
      ["oflw", 0, 2, 1],
      ["chn", 0, 3, 1],
      ["rsc", 0, 4, 4],
      ["anc", 1, 0, 1],
      ["erc", 1, 2, 6],
      ["rsid", 2, 0, 16],
    ],
  ],
];

for (const [structure, size] of sizes) {
  test(`${structure.name} has ${size} bytes, and reads what it wrote`, () => {
    assert.equal(structure.size, size);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: size, maxLength: size }), (bytes) => {
        const value = structure.decode(bytes);
        const written = structure.encode(value);
        assert.equal(written.length, size);
        // Reserved bits aside, which are dropped.
        assert.deepEqual(structure.decode(written), value);
      }),
    );
  });
}

for (const [structure, fields] of places) {
  test(`the fields of ${structure.name} are where the architecture has them`, () => {
    for (const [field, byte, bit, width] of fields) {
      const place = (structure as Structure<Record<string, unknown>>).place(field);
      assert.deepEqual(place, { at: 8 * byte + bit, width }, `${structure.name}.${field}`);
    }
  });
}

test("a word is written the most significant byte first", () => {
  const written = layout.orb.encode({ intparm: 0x0102_0304, fmt: 1, c64: 1, lpm: 0x80, cpa: 0x7fff_fff8 });
  assert.equal(Buffer.from(written).toString("hex"), "01020304008280007ffffff8");
  const scsw = layout.scsw.encode({
    fctl: layout.Fctl.START,
    actl: layout.Actl.SCHACT | layout.Actl.DEVACT,
    stctl: layout.Stctl.PEND | layout.Stctl.INTER,
    cpa: 0x1008,
    dstat: 0x0c,
    count: 0x0203,
  });
  assert.equal(Buffer.from(scsw).toString("hex"), "000040c9000010080c000203");
  assert.equal(
    Buffer.from(layout.crw.encode({ rsc: layout.Rsc.CPATH, erc: layout.Erc.PERRN, rsid: 0x42 })).toString(
      "hex",
    ),
    "04060042",
  );
});

test("a value that does not fit its field, and bytes that are too few, are refused", () => {
  assert.throws(
    () => layout.crw.encode({ rsc: 16 }),
    (error) => isKernelError(error, "EINVAL"),
  );
  assert.throws(
    () => layout.orb.decode(new Uint8Array(11)),
    (error) => isKernelError(error, "EINVAL"),
  );
  assert.throws(
    () => layout.orb.decode(new Uint8Array(20), 9),
    (error) => isKernelError(error, "EINVAL"),
  );
});
