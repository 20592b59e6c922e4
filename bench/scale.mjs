/**
 * Measures the device model with many devices: what one of them costs to register, bind, unbind and remove, in time and
 * memory, and how that grows with their number.
 *
 *   node bench/scale.mjs [--sizes 1000,10000,100000,1000000]      or: npm run bench -- scale [...]
 *
 * Build first (npm run build). Each size runs in a process of its own. The exponent is the slope of the total time over the
 * number of devices, both logarithmic: 1 says that a device costs the same however many there are. It is processor time, the
 * garbage collector's included, so that it means something on a busy machine too.
 */
import { spawnSync } from "node:child_process";
import { freemem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Device, System } from "../packages/core/dist/index.js";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "1000,10000,100000,1000000" },
    child: { type: "string" },
    drivers: { type: "string", default: "1" },
  },
});

/** More than a device needs, with room for the collector. */
const BYTES_PER_DEVICE = 6000;

const STEPS = ["register", "bind", "unbind", "driver comes", "driver goes", "remove"];

if (values.child === undefined) {
  for (const drivers of [1, 10]) compare(drivers);
} else {
  console.log(JSON.stringify(await measure(Number(values.child), Number(values.drivers))));
}

function compare(drivers) {
  const results = [];
  for (const size of values.sizes.split(",").map(Number)) {
    const needed = size * BYTES_PER_DEVICE;
    if (needed > freemem()) {
      console.error(`${size} devices need ${Math.ceil(needed / 2 ** 20)} MiB of free memory; skipped`);
      continue;
    }
    const heap = Math.max(512, Math.ceil(needed / 2 ** 20));
    const args = ["--expose-gc", `--max-old-space-size=${heap}`, fileURLToPath(import.meta.url)];
    const child = spawnSync(
      process.execPath,
      [...args, "--child", String(size), "--drivers", String(drivers)],
      { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
    );
    if (child.status !== 0) throw new Error(`measuring ${size} devices failed with status ${child.status}`);
    results.push({ size, ...JSON.parse(child.stdout) });
  }
  print(drivers, results);
}

function print(drivers, results) {
  console.log(`\nOne matching driver among ${drivers}; µs of processor time and bytes of heap per device\n`);
  console.log(`| devices | ${STEPS.join(" | ")} | bytes registered | bytes bound |`);
  console.log(`| ---: |${" ---: |".repeat(STEPS.length + 2)}`);
  for (const { size, times, registered, bound } of results) {
    const micros = STEPS.map((step) => times[step].toFixed(1));
    console.log(`| ${size} | ${micros.join(" | ")} | ${Math.round(registered)} | ${Math.round(bound)} |`);
  }
  // Small sizes are over before the compiler is done.
  const steady = results.filter(({ size }) => size >= 10_000);
  if (steady.length < 2) return;
  const exponents = STEPS.map((step) => slope(steady, step).toFixed(2));
  console.log(`| exponent | ${exponents.join(" | ")} | | |`);
}

/** Least squares of log(total time) over log(devices). */
function slope(results, step) {
  const points = results.map(({ size, times }) => [Math.log(size), Math.log(size * times[step])]);
  const mean = (index) => points.reduce((sum, point) => sum + point[index], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return over / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

async function measure(size, driverCount) {
  const system = new System();
  const bus = { name: "bench", match: (_device, driver) => driver.name === "mine" };
  system.registerBus(bus);
  system.setDriversAutoprobe(bus, "0");
  const driver = { name: "mine", bus, probe() {} };
  for (let i = 1; i < driverCount; i++) await system.registerDriver({ name: `other${i}`, bus, probe() {} });
  await system.registerDriver(driver);
  const times = {};
  const timed = async (step, run) => {
    const start = process.cpuUsage();
    await run();
    const { user, system: kernel } = process.cpuUsage(start);
    times[step] = (user + kernel) / size;
  };
  // Neither first come first served nor the reverse. 7919 is prime, and no size is a multiple of it.
  const eachName = async (use) => {
    for (let i = 0; i < size; i++) await use(`d${(i * 7919) % size}`);
  };
  const forEver = { deadline: Number.POSITIVE_INFINITY };
  const before = heap();
  await timed("register", async () => {
    for (let i = 0; i < size; i++) await system.addDevice(new Device(system.runtime, { name: `d${i}`, bus }));
  });
  const registered = (heap() - before) / size;
  await timed("bind", () => eachName((name) => system.driversProbe(bus, name)));
  const bound = (heap() - before) / size;
  await timed("unbind", () => eachName((name) => system.unbind(driver, name)));
  await system.unregisterDriver(driver);
  system.setDriversAutoprobe(bus, "1");
  await timed("driver comes", () => system.registerDriver(driver, forEver));
  await timed("driver goes", () => system.unregisterDriver(driver, forEver));
  await timed("remove", () => eachName((name) => system.unregisterDevice(system.findDevice(bus, name))));
  if (system.devicesOf(bus).length > 0) throw new Error("devices are left");
  return { times, registered, bound };
}

function heap() {
  global.gc();
  return process.memoryUsage().heapUsed;
}
