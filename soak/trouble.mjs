// What is done to the slices while their programs compute. Each kind is one function; which comes when is the seed's choice.
import { pause, root, start } from "./children.mjs";

const MiB = 2 ** 20;

/** Weights: what is cheap to recover from is done more often. */
export const TROUBLES = [
  [6, "resize", resize],
  [4, "remove", remove],
  [4, "create", create],
  [4, "move", move],
  [3, "rebind", rebind],
  [3, "kill engine", killEngine],
  [3, "kill program", killProgram],
  [2, "kill kernel", killKernel],
  [2, "endless shader", (world) => bully(world, "endless")],
  [1, "flood", (world) => bully(world, "flood")],
  [1, "hoard", (world) => bully(world, "hoard")],
  [0.5, "kill host", killHost],
];

const any = (world) => world.chance.pick(world.residents);

async function sliceOf(world, resident) {
  const slices = await world.house.request("sliceList");
  return world.chance.pick(slices.filter(({ guest }) => guest === resident.guest.id));
}

/** No resident stays without a slice: it could not show that it recovers. */
export async function ensureSlice(world, resident) {
  if ((await sliceOf(world, resident)) !== undefined) return;
  await world.house.request("sliceCreate", { guest: resident.guest.id, ...world.shape(resident) });
}

async function resize(world) {
  const resident = any(world);
  const slice = await sliceOf(world, resident);
  if (slice === undefined) return;
  const { chance } = world;
  const changes = chance.pick([
    { weight: chance.whole(1, 9) },
    { cap: chance.pick([0.25, 0.5, 1]) },
    { memory: { limitBytes: chance.whole(192, 640) * MiB } },
  ]);
  await world.house.request("sliceResize", { uuid: slice.uuid, changes });
}

async function remove(world) {
  const resident = any(world);
  const slice = await sliceOf(world, resident);
  if (slice === undefined) return;
  resident.disturb();
  await world.house.request("sliceRemove", { uuid: slice.uuid });
  await pause(world.chance.between(0, 1500));
  await ensureSlice(world, resident);
}

async function create(world) {
  const resident = any(world);
  const { uuid } = await world.house.request("sliceCreate", {
    guest: resident.guest.id,
    ...world.shape(resident),
  });
  await pause(world.chance.between(500, 4000));
  resident.disturb();
  await world.house.request("sliceRemove", { uuid });
}

async function move(world) {
  const [from, to] = [any(world), any(world)];
  const slice = await sliceOf(world, from);
  if (slice === undefined || from === to) return;
  from.disturb();
  to.disturb();
  await world.house.request("sliceMove", { uuid: slice.uuid, guest: to.guest.id });
  await ensureSlice(world, from);
  await pause(world.chance.between(500, 2000));
  // Back to one each: otherwise one guest ends with all of them.
  const slices = await world.house.request("sliceList");
  const extra = slices.filter(({ guest }) => guest === to.guest.id).slice(1);
  for (const { uuid } of extra) {
    to.disturb();
    await world.house.request("sliceRemove", { uuid });
  }
}

async function rebind(world) {
  const resident = any(world);
  const slice = await sliceOf(world, resident);
  if (slice === undefined) return;
  resident.disturb();
  const command = async (word) => {
    const args = [word, "--state", world.house.directory, slice.uuid, "projected"];
    const child = start([`${root}packages/parhelion/bin/parhelion.js`, ...args]);
    const how = await child.ended;
    if (how !== 0) throw new Error(`parhelion ${args.join(" ")}: ${child.errors.join(" ")}`);
  };
  await command("unbind");
  await pause(world.chance.between(0, 1000));
  await command("bind");
}

async function killEngine(world) {
  const { slices } = await world.house.status();
  const pids = slices.flatMap(({ engine, guest }) =>
    engine.pid === undefined ? [] : [{ pid: engine.pid, guest }],
  );
  const victim = world.chance.pick(pids);
  if (victim === undefined) return;
  world.residents.find(({ guest }) => guest.id === victim.guest)?.disturb();
  signal(victim.pid);
}

async function killProgram(world) {
  any(world).worker?.kill("SIGKILL");
}

async function killKernel(world) {
  const resident = any(world);
  resident.disturb();
  resident.kernel?.kill("SIGKILL");
}

async function bully(world, name) {
  const resident = any(world);
  resident.disturb();
  const child = start(["--import", "parhelion-client/register", "soak/bully.mjs", name], {
    environment: { PARHELION_DIR: resident.guest.directory },
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), 30_000);
  await child.ended;
  clearTimeout(timer);
  resident.disturb();
}

async function killHost(world) {
  for (const resident of world.residents) resident.disturb();
  await world.house.crash(world.chance.between(100, 1500));
  for (const resident of world.residents) resident.disturb();
}

/** A process that has ended meanwhile needs no signal. */
export function signal(pid, which = "SIGKILL") {
  try {
    process.kill(pid, which);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
