/** `requiredLimits` of a device against what its slice can ever hold. */
import { clampLimits, type EngineQuota } from "parhelion-protocol";
import { refusalCodes } from "../error-codes.js";
import { Refusal } from "../refusal.js";

/** @throws Refusal limit-exceeded */
export function checkRequiredLimits(required: Readonly<Record<string, number>>, quota: EngineQuota): void {
  const possible = clampLimits(required, quota.limitBytes);
  for (const [name, wanted] of Object.entries(required)) {
    const limit = possible[name] ?? wanted;
    if (wanted > limit)
      throw new Refusal(
        "limit-exceeded",
        `requestDevice: requiredLimits.${name} is ${wanted}, the adapter's is ${limit}; require no more than adapter.limits.${name}, or have the host resize the slice`,
        "OperationError",
        {
          rule: `requiredLimits.${name}`,
          limit,
          used: 0,
          wanted,
          remedy: refusalCodes["limit-exceeded"].remedy,
        },
      );
  }
}
