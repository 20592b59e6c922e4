/** The package's own `prove`, for its own tests. */
import { test } from "node:test";
import type { CheckOptions } from "../check.js";
import type { Program } from "../program.js";
import { prove as declare } from "../prove.js";

export function prove(program: Program, options: CheckOptions = {}): void {
  declare(test, program, options);
}
