/**
 * Searches one program of asynchronous code and prints what it took as JSON, in a process of its own: see explorer-shipped.mjs.
 *
 *   node --no-allocation-site-pretenuring bench/explorer-shipped-measure.mjs PROGRAM METHOD MAX-RUNS
 */
const dist = "../packages/explorer/dist";
const { check } = await import(`${dist}/index.js`);
const { Mutex } = await import("../packages/core/dist/index.js");
const [, , name, method, maxRuns] = process.argv;
const { program, options } = await named(name);

async function named(name) {
  const turns = /^turns\((\d+)\)$/.exec(name);
  if (turns !== null) return { program: takingTurns(Number(turns[1])), options: {} };
  const [file, key, rules] = name.split(".");
  const proofs = await import(`${dist}/proofs/${file}.js`);
  const { anyDeadline } = await import(`${dist}/proofs/primitives.js`);
  return { program: proofs[key], options: rules === "anyDeadline" ? anyDeadline : {} };
}

/** Two tasks that take a lock `times` times each: as many traces as there are orders of taking it. */
function takingTurns(times) {
  return {
    name: `two tasks take a mutex ${times} times each`,
    setup(world) {
      const mutex = new Mutex(world.runtime, "mutex");
      const shared = world.track("shared", { count: 0 });
      for (const name of ["a", "b"]) {
        world.task(name, async () => {
          for (let time = 0; time < times; time += 1) {
            const guard = await mutex.lock();
            shared.count += 1;
            guard.release();
          }
        });
      }
    },
  };
}

const processorSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const memory = process.resourceUsage().maxRSS;
const start = processorSeconds();
const first = await check(program, { ...options, method, maxRuns: Number(maxRuns) });
const cold = processorSeconds() - start;
const { runs, abandoned, steps, verdict } = first;
if (first.failure !== null) throw new Error(`${program.name}: ${first.failure.message}`);
let seconds = cold;
// Small programs are over before they are compiled: those that take no time are searched again and again, and the second half counts.
if (cold < 3) {
  const half = processorSeconds();
  while (processorSeconds() - half < 0.5)
    await check(program, { ...options, method, maxRuns: Number(maxRuns) });
  const begun = processorSeconds();
  let searches = 0;
  do {
    await check(program, { ...options, method, maxRuns: Number(maxRuns) });
    searches += 1;
  } while (processorSeconds() - begun < 1);
  seconds = (processorSeconds() - begun) / searches;
}
const mebibytes = (process.resourceUsage().maxRSS - memory) / 1024;
console.log(
  JSON.stringify({ program: program.name, verdict, runs, abandoned, steps, cold, seconds, mebibytes }),
);
