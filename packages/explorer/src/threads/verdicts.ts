/** Decides the questions: runs every variant of every dispute, and says where a verdict is not the expected one. */
import { type CheckResult, check } from "../check.js";
import type { Dispute, Variant } from "./dispute.js";

export interface Decided {
  readonly dispute: Dispute;
  readonly variant: Variant;
  readonly result: CheckResult;
  /** Null: as expected. */
  readonly surprise: string | null;
}

/** Runs the variants one after the other. */
export async function decide(disputes: readonly Dispute[]): Promise<readonly Decided[]> {
  const decided: Decided[] = [];
  for (const dispute of disputes) {
    for (const variant of dispute.variants) {
      const result = await check(variant.program, { ...variant.options });
      decided.push({ dispute, variant, result, surprise: surpriseOf(variant, result) });
    }
  }
  return decided;
}

function surpriseOf(variant: Variant, { verdict, failure }: CheckResult): string | null {
  const said = failure === null ? verdict : `${verdict}, ${failure.kind}: ${failure.message}`;
  if (verdict !== variant.expected) return `expected ${variant.expected}, found ${said}`;
  if (failure !== null && variant.finds !== undefined && failure.kind !== variant.finds) {
    return `expected ${variant.finds}, found ${said}`;
  }
  return null;
}
