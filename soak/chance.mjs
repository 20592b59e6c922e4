// The one source of chance: the same seed makes the same choices in the same order.

/** mulberry32. */
export function createChance(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** From `low` up to, not including, `high`. */
    between: (low, high) => low + next() * (high - low),
    whole: (low, high) => Math.floor(low + next() * (high - low)),
    pick: (list) => list[Math.floor(next() * list.length)],
    /** @param entries [weight, value] */
    weighted: (entries) => {
      let at = next() * entries.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, value] of entries) {
        at -= weight;
        if (at < 0) return value;
      }
      return entries.at(-1)[1];
    },
  };
}
