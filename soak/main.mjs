// `npm run soak`: eight slices of one adapter run eight programs while slices are created, resized, moved, killed and removed at
// random. Ends with 0 when every result was right, no promise hung, everybody recovered and nothing was left.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createChance } from "./chance.mjs";
import { killAll, pause, until } from "./children.mjs";
import { House } from "./house.mjs";
import { descriptorsOf, processesOn, residentMiB } from "./leaks.mjs";
import { referenceOf } from "./reference.mjs";
import { PROGRAMS, Resident } from "./resident.mjs";
import { markdown, text } from "./summary.mjs";
import { ensureSlice, TROUBLES } from "./trouble.mjs";

const HELP = `npm run soak -- [options]
  --minutes N     how long there is trouble (default 10)
  --seed N        the same seed makes the same choices (default: from the clock, printed)
  --adapter NAME  as parhelion host has it (default software)
  --pace MS       mean time between two disturbances (default 2000)
  --only KIND     only this kind of disturbance; may be repeated
  --programs A,B  only these programs
  --json          the result as one JSON document
  --markdown      the tables as the documentation has them`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    adapter: { type: "string", default: "software" },
    pace: { type: "string", default: "2000" },
    only: { type: "string", multiple: true, default: [] },
    programs: { type: "string", default: PROGRAMS.join() },
    json: { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const [minutes, seed, pace] = [values.minutes, values.seed, values.pace].map(Number);
const troubles = TROUBLES.filter(([, name]) => values.only.length === 0 || values.only.includes(name));
const programs = values.programs.split(",");
if (
  ![minutes, seed, pace].every((n) => Number.isFinite(n) && n >= 0) ||
  troubles.length === 0 ||
  programs.some((name) => !PROGRAMS.includes(name))
) {
  console.error(
    `${HELP}\nKinds: ${TROUBLES.map(([, name]) => name).join(", ")}\nPrograms: ${PROGRAMS.join(", ")}`,
  );
  process.exit(2);
}
const say = (line) => console.error(line);
const chance = createChance(seed);
const kinds = new Map(troubles.map(([, name]) => [name, { name, times: 0, errors: 0 }]));
const complaints = [];

process.on("exit", killAll);
for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => process.exit(1));

say(`seed ${seed}: what ${programs.length} programs compute undisturbed …`);
const expected = new Map();
for (const program of programs) expected.set(program, await referenceOf(program, values.adapter));

const directory = await mkdtemp(join(tmpdir(), "ph-soak-"));
const house = new House(directory, values.adapter);
await house.open();
const before = { descriptors: descriptorsOf(house.pid), MiB: residentMiB(house.pid) };
const residents = [];
const MiB = 2 ** 20;
/** Eight reservations fit; what is over is there for who comes. */
const shape = () => ({
  type: "custom",
  descriptor: {
    memory: { reservedBytes: 64 * MiB, limitBytes: 512 * MiB },
    share: 0.05,
    submissionMs: 3000,
  },
});
const world = { house, residents, chance, shape };
const lives = [];
for (const program of programs) {
  const guest = await house.request("guestCreate", { name: program, slices: 0, lifetime: "kept" });
  const resident = new Resident(program, expected.get(program), guest);
  residents.push(resident);
  await ensureSlice(world, resident);
  lives.push(resident.live());
}
try {
  await until("every program has computed once", () => residents.every(({ rounds }) => rounds > 0), 180_000);
} catch (error) {
  say(error.message);
  for (const resident of residents) say(JSON.stringify(resident.told()));
  for (const slice of (await house.status()).slices) say(JSON.stringify(slice));
  process.exit(1);
}

say(`${minutes} minutes of trouble …`);
const begun = Date.now();
const underWay = new Set();
let told = 0;
while (Date.now() - begun < minutes * 60_000) {
  const kind = chance.weighted(troubles.map(([weight, ...rest]) => [weight, rest]));
  const wait = chance.between(0, 2 * pace);
  // The host can't be asked for anything while it is down, and two at once would hide whose fault it was.
  if (house.state === "up") {
    const [name, act] = kind;
    const counts = kinds.get(name);
    counts.times += 1;
    const { starts } = house;
    const doing = act(world)
      .catch((error) => {
        counts.errors += 1;
        if (!expectedError(error, starts)) complaints.push(`${name}: ${error.stack ?? error.message}`);
      })
      .finally(() => underWay.delete(doing));
    underWay.add(doing);
    if (name === "kill host") await doing;
  }
  await pause(wait);
  if (Date.now() - told > 30_000) {
    told = Date.now();
    const rounds = residents.reduce((sum, resident) => sum + resident.rounds, 0);
    const faults = residents.reduce((sum, resident) => sum + resident.faults.length, 0);
    say(
      `  ${Math.round((Date.now() - begun) / 1000)} s: ${rounds} rounds, ${faults} faults, host ${residentMiB(house.pid)} MiB, ${descriptorsOf(house.pid)} descriptors`,
    );
  }
}

/** Two disturbances may want the same slice; who comes second is told so. */
function expectedError(error, starts) {
  const code = error.code ?? "";
  return (
    // The host was killed meanwhile.
    house.state !== "up" ||
    house.starts !== starts ||
    ["slice-unknown", "slice-stale", "slice-busy", "guest-unknown", "limit-reached", "host-gone"].includes(
      code,
    ) ||
    /no such|not bound|unknown|stale|ENODEV|EBUSY/i.test(error.message)
  );
}

say("peace: everybody is to recover …");
await Promise.all(underWay);
for (const resident of residents) await ensureSlice(world, resident);
const leaks = [];
const counted = residents.map(({ rounds }) => rounds);
try {
  await until(
    "every program computes again",
    () => residents.every(({ rounds }, i) => rounds > counted[i] + 1),
    180_000,
  );
} catch (error) {
  complaints.push(
    `${error.message}: ${residents
      .filter(({ rounds }, i) => rounds <= counted[i] + 1)
      .map(({ program }) => program)
      .join(", ")}`,
  );
}
for (const resident of residents) await resident.rest();
try {
  await until(
    "nothing is left on the slices",
    async () => {
      leaks.length = 0;
      for (const { uuid, devices, queues, statistics, memory } of (await house.status()).slices) {
        const left = { devices, queues, objects: statistics?.objects ?? 0, memory: memory?.used ?? 0 };
        if (Object.values(left).some((count) => count !== 0))
          leaks.push(`slice ${uuid} still has ${JSON.stringify(left)}`);
      }
      return leaks.length === 0;
    },
    30_000,
  );
} catch {
  // They are in the list.
}
for (const resident of residents) await resident.leave();
await Promise.all(lives);
const slices = await house.request("sliceList");
for (const { uuid } of slices) await house.request("sliceRemove", { uuid });
for (const { guest } of residents) await house.request("guestRemove", { id: guest.id });
await pause(2000);
const after = { descriptors: descriptorsOf(house.pid), MiB: residentMiB(house.pid) };
if (after.descriptors > before.descriptors + 4)
  leaks.push(`the host has ${after.descriptors} open files, ${before.descriptors} before`);
const status = await house.status();
if (status.slices.length > 0 || status.guests.length > 0)
  leaks.push(`the host still knows ${status.slices.length} slices and ${status.guests.length} guests`);
const how = await house.close();
if (how !== 0) complaints.push(`the host ended with ${how}: ${house.process.errors.join(" ")}`);
for (const process of processesOn(directory)) leaks.push(`process ${process}`);
const left = (await readdir(directory, { recursive: true })).filter((name) => !name.startsWith("store"));
if (left.length > 0) leaks.push(`files ${left.join(", ")}`);
await rm(directory, { recursive: true, force: true });

const faults = residents.flatMap(({ program, faults }) => faults.map((fault) => ({ program, ...fault })));
const result = {
  seed,
  minutes,
  adapter: values.adapter,
  machine: `${cpus().length} cores, Node ${process.versions.node}`,
  rounds: residents.reduce((sum, { rounds }) => sum + rounds, 0),
  lost: residents.reduce((sum, { lost }) => sum + lost, 0),
  wrong: faults.filter(({ stuck }) => stuck === undefined).length,
  stuck: faults.filter(({ stuck }) => stuck !== undefined).length,
  troubles: [...kinds.values()].reduce((sum, { times }) => sum + times, 0),
  kinds: [...kinds.values()],
  hostStarts: house.starts,
  host: { before, after },
  programs: residents.map(({ program, rounds, lost, refused, longestGapMs, faults }) => ({
    program,
    rounds,
    lost,
    refused,
    longestGapMs,
    faults,
  })),
  leaks,
  complaints,
};
console.log(values.json ? JSON.stringify(result) : values.markdown ? markdown(result) : text(result));
for (const line of [...faults.map((fault) => JSON.stringify(fault)), ...leaks, ...complaints].slice(0, 40))
  say(line);
const good = faults.length === 0 && leaks.length === 0 && complaints.length === 0;
say(good ? "no wrong result, nothing stuck, nothing left" : `NOT in order; again with --seed ${seed}`);
process.exit(good ? 0 : 1);
