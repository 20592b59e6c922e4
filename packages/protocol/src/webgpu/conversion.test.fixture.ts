/** How tests of conversions say what is refused, with which exception, and what is accepted as what. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { InterfaceKind } from "./generated/numbers.js";
import type { CommandStream } from "./stream.js";
import { World } from "./world.test.fixture.js";

/** The handle of an engine object of a kind. */
export const id = (name: keyof typeof InterfaceKind): number => 10 * InterfaceKind[name];
export const DEVICE = id("GPUDevice");

export type Use = (stream: CommandStream, world: World) => void;
export type Failure = "TypeError" | "RangeError" | "OperationError";

/** Wrong arguments: the exception is of the class that Dawn's own binding throws, and nothing is in the ring. */
export function refuses(name: string, use: Use, failure: Failure = "TypeError"): void {
  void test(`${name}: ${failure}`, () => {
    const world = new World();
    const before = world.client.tx.unpublished;
    assert.throws(() => use(world.stream, world), { name: failure });
    assert.equal(world.client.tx.unpublished, before);
    assert.deepEqual(world.replay(), []);
    world.close();
  });
}

/** What WebIDL accepts. @param args what the engine's method gets, the object and new handle aside */
export function accepts(name: string, use: Use, args: readonly unknown[]): void {
  void test(name, () => {
    const world = new World();
    use(world.stream, world);
    const [call] = world.replay();
    assert.deepEqual(call?.args.slice(call.on === "special" ? 1 : 0), args);
    world.close();
  });
}
