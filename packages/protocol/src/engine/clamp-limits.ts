/**
 * Limits of an adapter as a slice of it has them: what no single object of the slice could ever be as large as is not promised.
 * Never below what WebGPU guarantees for every adapter, although a smaller slice can't hold that much: there, the attempt is an
 * out-of-memory error. Dimensions and counts of textures stay, because a texture that is long in one direction can be thin.
 */

/** WebGPU's default for each limit that is an amount of memory, in bytes. */
const guaranteed: Readonly<Record<string, number>> = {
  maxBufferSize: 268_435_456,
  maxStorageBufferBindingSize: 134_217_728,
};

/**
 * @param limits of the adapter, by name
 * @param memoryBytes the most that the slice may ever use
 */
export function clampLimits(
  limits: Readonly<Record<string, number>>,
  memoryBytes: number,
): Readonly<Record<string, number>> {
  const result: Record<string, number> = { ...limits };
  for (const [name, least] of Object.entries(guaranteed)) {
    const limit = limits[name];
    // A multiple of 4, as both have to be.
    if (limit !== undefined) result[name] = Math.min(limit, Math.max(least, memoryBytes - (memoryBytes % 4)));
  }
  return result;
}
