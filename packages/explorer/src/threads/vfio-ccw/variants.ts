/** How this thread's programs become variants: one design each, and what is expected of it. */
import type { FailureKind } from "../../failure.js";
import type { Program } from "../../program.js";
import type { Variant } from "../dispute.js";
import type { Design } from "./parts/designs.js";

type Make = (design: Design) => Program;

/**
 * Except under the rule the state machine's fields are shared without a lock. That is a question of its own; in the
 * others it would hide what becomes of it.
 */
const racesAside: NonNullable<Variant["options"]> = { ignore: ["data-race"] };

export function safe(make: Make, ...designs: readonly Design[]): readonly Variant[] {
  return designs.map((design) => ({
    name: design.name,
    program: make(design),
    expected: "safe",
    options: design.events === "free" ? racesAside : {},
  }));
}

export function unsafe(make: Make, finds: FailureKind, ...designs: readonly Design[]): readonly Variant[] {
  return designs.map((design) => ({
    name: design.name,
    program: make(design),
    expected: "unsafe",
    finds,
    options: racesAside,
  }));
}

/** The same variants with something added to their names. */
export function where(what: string, variants: readonly Variant[]): readonly Variant[] {
  return variants.map((variant) => ({ ...variant, name: `${variant.name}; ${what}` }));
}
