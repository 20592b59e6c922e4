/**
 * How much of an adapter's memory each of its slices may use now: what it has reserved, and of what nobody has reserved a part by
 * weight. Who uses more than that part keeps it until it is freed, and the others get less meanwhile: the grants together are never
 * more than the adapter has.
 */
import type { Claim } from "./admission.js";

interface Candidate {
  readonly slice: string;
  readonly weight: bigint;
  /** Of the pool, in bytes: what can't be taken back, and what it may have. */
  readonly least: bigint;
  readonly most: bigint;
}

/**
 * Precondition: the reservations together fit into the adapter.
 * @returns bytes by slice; for each reservedBytes <= grant <= limitBytes
 */
export function memoryGrants(capacityBytes: number, claims: readonly Claim[]): ReadonlyMap<string, number> {
  let pool = BigInt(capacityBytes);
  for (const { descriptor } of claims) pool -= BigInt(descriptor.memory.reservedBytes);
  const candidates = claims.map(candidate);
  let kept = 0n;
  for (const { least } of candidates) kept += least;
  // Where what is in use is more than there is, none of it can be kept for anybody.
  const parts = divide(pool > 0n ? pool : 0n, kept <= pool ? candidates : candidates.map(forgetUse));
  return new Map(
    claims.map(({ slice, descriptor }) => [
      slice,
      descriptor.memory.reservedBytes + Number(parts.get(slice) ?? 0n),
    ]),
  );
}

function candidate({ slice, descriptor, usedBytes }: Claim): Candidate {
  const { reservedBytes, limitBytes } = descriptor.memory;
  const most = limitBytes - reservedBytes;
  const least = Math.min(Math.max(0, usedBytes - reservedBytes), most);
  const weight = BigInt(Math.max(1, Math.round(descriptor.weight * 1e6)));
  return { slice, weight, least: BigInt(least), most: BigInt(most) };
}

function forgetUse(candidate: Candidate): Candidate {
  return { ...candidate, least: 0n };
}

/**
 * Each gets its part by weight, but not less than its least nor more than its most; what some can't take and what some can't give
 * back is settled among the others. In each round those who are held back on the side that outweighs are settled for good, as
 * boxes are sized in a flexible line.
 */
function divide(pool: bigint, candidates: readonly Candidate[]): ReadonlyMap<string, bigint> {
  const parts = new Map<string, bigint>();
  let open = [...candidates];
  let left = pool;
  while (open.length > 0) {
    let weights = 0n;
    for (const { weight } of open) weights += weight;
    let surplus = 0n;
    const rounds = open.map((one) => {
      const wished = (left * one.weight) / weights;
      const part = wished < one.least ? one.least : wished > one.most ? one.most : wished;
      surplus += part - wished;
      return { one, part, side: part - wished };
    });
    const settled = rounds.filter(({ side }) => surplus === 0n || (surplus > 0n ? side > 0n : side < 0n));
    for (const { one, part } of settled) {
      parts.set(one.slice, part);
      left -= part;
    }
    open = rounds.filter(({ one }) => !parts.has(one.slice)).map(({ one }) => one);
  }
  return parts;
}
