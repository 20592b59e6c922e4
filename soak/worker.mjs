// One of the soak's programs at work until it is told to end: round after round, each judged by its digest; through lost devices,
// refused ones and hours without any. Prints one JSON line an event:
//   {round, seed, digest}   {lost, reason, message}   {refused, message}   {wrong, message}   {stuck, what}
//
//   node … worker.mjs NAME [--rounds N]      N: that many rounds, with seeds from 0, then the end
import { SEEDS } from "./seeds.mjs";

const [name, option, count] = process.argv.slice(2);
const program = await import(`./programs/${name}.mjs`);
const rounds = option === "--rounds" ? Number(count) : Infinity;

/** No promise of WebGPU may take longer: the machine has two cores and nine programs. */
const STUCK_MS = 90_000;
const RETRY_MS = 100;

const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
let state = "working";
process.once("SIGTERM", () => {
  state = "ending";
});

async function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      say({ stuck: what });
      reject(new Error(`${what} took longer than ${STUCK_MS} ms`));
    }, STUCK_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function open() {
  const adapter = await within("requestAdapter", navigator.gpu.requestAdapter());
  if (adapter === null) return null;
  try {
    return await within("requestDevice", adapter.requestDevice());
  } catch (error) {
    say({ refused: error.name, message: error.message });
    return null;
  }
}

let done = 0;
while (state === "working" && done < rounds) {
  const device = await open();
  if (device === null) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    continue;
  }
  let loss;
  const lost = device.lost.then((info) => {
    loss = info;
  });
  // An error is the program's or somebody's fault unless the device is going.
  device.addEventListener("uncapturederror", ({ error }) => {
    const kind = error.constructor.name;
    setTimeout(() => {
      if (loss === undefined)
        say({ [kind === "GPUOutOfMemoryError" ? "refused" : "wrong"]: kind, message: error.message });
    }, 0);
  });
  while (state === "working" && done < rounds && loss === undefined) {
    const seed = done % SEEDS;
    try {
      const digest = await within("round", program.round(device, seed));
      // What a lost device's buffers read as is nobody's result.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (loss !== undefined) break;
      say({ round: done, seed, digest });
      done += 1;
    } catch (error) {
      // Whatever fails because the device is lost fails a moment before `lost` says so.
      await Promise.race([lost, new Promise((resolve) => setTimeout(resolve, 2000))]);
      if (loss === undefined) {
        say({ wrong: error.name, message: error.message });
        break;
      }
    }
  }
  if (loss !== undefined) say({ lost: loss.reason, message: loss.message });
  device.destroy();
}
process.exit(0);
