import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import type { Model } from "./model.test.fixture.js";

type Tables = Record<string, Record<string, number | string>>;
interface ModelModule {
  readonly Model: new (specification: string, numbers: object) => Model;
}
interface NumbersModule {
  readonly Numbers: new (tables: Tables) => object;
}
interface EmitModule {
  emitReplay(model: Model): string;
}

const generator = async <T>(name: string): Promise<T> =>
  (await import(new URL(`../../idl/${name}`, import.meta.url).href)) as T;
const { Model: GeneratorModel } = await generator<ModelModule>("webgpu-model.mjs");
const { Numbers } = await generator<NumbersModule>("webgpu-numbers.mjs");
const { emitReplay } = await generator<EmitModule>("webgpu-emit-replay.mjs");

const specification = readFileSync(createRequire(import.meta.url).resolve("@webref/idl/webgpu.idl"), "utf8");
const current = readFileSync(new URL("../../idl/numbers.json", import.meta.url), "utf8");

/** Generates from a specification that says something else. */
function regenerate(from: string, to: string): { model: Model; numbers: Tables } {
  assert.ok(specification.includes(from), from);
  const numbers = JSON.parse(current) as Tables;
  const model = new GeneratorModel(specification.replace(from, to), new Numbers(numbers));
  return { model, numbers };
}

const before = JSON.parse(current) as Tables;

function highest(table: string): number {
  return Math.max(...Object.values(before[table] as Record<string, number>));
}

/** All that had a number has it still. */
function assertGrown(numbers: Tables): void {
  for (const [table, entries] of Object.entries(before)) {
    for (const [name, number] of Object.entries(entries))
      assert.equal(numbers[table]?.[name], number, `${table}: ${name}`);
  }
}

describe("a newer specification", () => {
  test("that puts an enum value first appends its number", () => {
    const { numbers } = regenerate('    "r8unorm",', '    "r4unorm",\n    "r8unorm",');
    assertGrown(numbers);
    assert.equal(numbers["enum GPUTextureFormat"]?.["r4unorm"], highest("enum GPUTextureFormat") + 1);
  });

  test("that adds a member to a dictionary appends its number, whatever its name", () => {
    const { numbers } = regenerate(
      "    required GPUSize64 size;\n",
      "    required GPUSize64 size;\n    boolean aardvark = false;\n",
    );
    assertGrown(numbers);
    assert.equal(
      numbers["dictionary GPUBufferDescriptor"]?.["aardvark"],
      highest("dictionary GPUBufferDescriptor") + 1,
    );
  });

  test("that adds a method appends its opcode", () => {
    const { numbers } = regenerate(
      "    undefined end();\n};",
      "    undefined pause(GPUSize32 count);\n    undefined end();\n};",
    );
    assertGrown(numbers);
    assert.equal(numbers["commands"]?.["computePassEncoderPause"], highest("commands") + 1);
  });

  test("that adds an optional argument reads it only where it was sent", () => {
    const to = "GPUSize64 indirectOffset, optional GPUSize32 times = 1);";
    const { model } = regenerate("GPUSize64 indirectOffset);", to);
    const replay = emitReplay(model);
    const at = replay.indexOf("// computePassEncoderDispatchWorkgroupsIndirect");
    const code = replay.slice(at, replay.indexOf("return;", at));
    assert.match(code, /bytes < 24\)/);
    assert.match(code, /\(header & 65536\) !== 0 && bytes >= 28 \? u32\[i \+ 6\]! : undefined/);
  });

  const refused: Readonly<Record<string, readonly [from: string, to: string]>> = {
    "adds a required argument": ["GPUSize64 indirectOffset);", "GPUSize64 indirectOffset, GPUSize32 times);"],
    "changes an argument's type": ["setStencilReference(GPUStencilValue", "setStencilReference(float"],
    "changes a member's type": ["    DOMString swizzle", "    GPUTextureAspect swizzle"],
    "takes an argument away": [
      "GPUBuffer indirectBuffer, GPUSize64 indirectOffset",
      "GPUBuffer indirectBuffer",
    ],
    "takes a method away": ["    undefined setStencilReference(GPUStencilValue reference);\n", ""],
    "takes a member away": ['    GPUPrimitiveTopology topology = "triangle-list";\n', ""],
  };
  for (const [what, [from, to]] of Object.entries(refused)) {
    test(`that ${what} needs a decision in the overlay`, () => {
      assert.throws(() => regenerate(from, to), /overlay|must be optional/);
    });
  }
});
