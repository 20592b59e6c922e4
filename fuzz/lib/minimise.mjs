/** Makes a failing input smaller while it fails in the same way: first whole units, then pieces, then bytes to zero. */
const mostRuns = 3000;

/** @param fails (input) → whether it fails as the first one did */
export async function minimise(input, target, fails) {
  let best = input;
  let runs = 0;
  const attempt = async (candidate) => {
    if (runs >= mostRuns || candidate.length === 0) return false;
    runs += 1;
    if (!(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let at = 0; at < target.split(best).length; ) {
    const units = target.split(best);
    const without = Uint8Array.from(Buffer.concat(units.filter((_, index) => index !== at)));
    if (!(await attempt(without))) at += 1;
  }
  for (let piece = best.length >> 1; piece > 0; piece >>= 1) {
    for (let at = 0; at + piece <= best.length; ) {
      const without = Uint8Array.from(Buffer.concat([best.subarray(0, at), best.subarray(at + piece)]));
      if (!(await attempt(without))) at += piece;
    }
  }
  for (let at = 0; at < best.length; at++) {
    if (best[at] === 0) continue;
    const simpler = best.slice();
    simpler[at] = 0;
    await attempt(simpler);
  }
  return best;
}
