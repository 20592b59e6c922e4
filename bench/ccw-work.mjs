/** What `ccw.mjs` has devices do, in its own process or another, and what that took. */
import { performance } from "node:perf_hooks";

const WRITTEN_BLOCKS = 120;
const written = new Uint8Array(WRITTEN_BLOCKS * 4096).fill(7);

/** The same places for everybody. */
export const place = (step, blocks) => (step * 7919) % blocks;

/** Each does one piece and says how many blocks it had. @param step counts up */
const pieces = {
  read: async (device, step) => {
    const count = 240;
    await device.read((step * count) % (device.blocks - count), count);
    return count;
  },
  random: async (device, step) => {
    await device.read(place(step, device.blocks), 1);
    return 1;
  },
  write: async (device) => {
    await device.write(0, written);
    return WRITTEN_BLOCKS;
  },
};

/** How often it is looked at whether there was enough. */
const LOOK = 16;

/**
 * All of them at once, over and over, until that took so much processor time; what mostly waits ends after five times that.
 * @param piece does one piece of work with one of them and gives its blocks
 * @returns blocks, seconds by the clock, and of processor time
 */
export async function measured(devices, ms, piece) {
  const start = performance.now();
  const before = process.cpuUsage();
  const processor = () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  let blocks = 0;
  let steps = 0;
  let enough = false;
  await Promise.all(
    devices.map(async (device) => {
      for (let step = 0; !enough; step += 1) {
        // Not in one: the others add to it while this waits.
        const done = await piece(device, step);
        blocks += done;
        steps += 1;
        if (steps % LOOK === 0) enough = processor() * 1000 >= ms || performance.now() - start >= 5 * ms;
      }
    }),
  );
  return { blocks, clock: (performance.now() - start) / 1000, processor: processor() };
}

export const work = (devices, what, ms) => measured(devices, ms, pieces[what]);
