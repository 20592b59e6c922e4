/** An adapter's health in every order: engines that fail, probes that end either way, a machine that slept, and the host's end. */
import { noDeadline } from "parhelion-core";
import type { Program, World } from "parhelion-explorer";
import { HealthRig } from "../adapters/health.test.fixture.js";
import type { HealthPolicy } from "../adapters/health-policy.js";

/** Every failure counts at once; a second is as good as a minute. */
const hasty: Partial<HealthPolicy> = {
  slices: 2,
  failedProbes: 1,
  passedProbes: 2,
  firstMs: 1,
  mostMs: 2,
  calmMs: 0,
};

function rigged(world: World): HealthRig {
  const rig = new HealthRig(world.runtime, hasty);
  rig.hold = async () => {
    world.expect(rig.running === 1, `${rig.running} probes at once`);
    await world.point("probe");
  };
  return rig;
}

/** Never unhealthy for ever: whatever is not healthy has its next probe planned or under way. */
function hasAWayBack({ health }: HealthRig, world: World): void {
  // Closed, it is nobody's any more.
  if (health.life === "closed") return;
  const { state, nextProbeMs } = health.status;
  world.expect((state === "healthy") === (nextProbeMs === null), `${state}, next probe: ${nextProbeMs}`);
}

function fail(rig: HealthRig, world: World, slice: string): void {
  world.task(`engine of ${slice}`, async () => {
    await world.point("death");
    rig.health.engineFailed(slice, "death", "SIGKILL");
    hasAWayBack(rig, world);
  });
}

/** It works by now, so it gets healthy; a wait that nobody ends would be a deadlock. Then it is closed and nothing is left. */
async function recovers(rig: HealthRig, world: World): Promise<void> {
  await rig.changed.wait(() => rig.health.state === "healthy", { deadline: noDeadline });
  await ends(rig, world);
}

async function ends(rig: HealthRig, world: World): Promise<void> {
  await rig.health.close();
  world.expect(rig.running === 0, "a probe is under way after the end");
}

export const failuresMeetProbe: Program<HealthRig> = {
  name: "engines of two slices fail while an adapter breaks and is probed: it ends up healthy",
  setup(world) {
    const rig = rigged(world);
    fail(rig, world, "a");
    fail(rig, world, "b");
    world.task("breakdown", async () => {
      await world.point("breakdown");
      rig.works = false;
      await world.point("repair");
      rig.works = true;
    });
    return rig;
  },
  after: recovers,
};

export const sleepMeetsProbe: Program<HealthRig> = {
  name: "the machine sleeps, twice, while an adapter that does not work is probed, until it works: it ends up healthy",
  setup(world) {
    const rig = rigged(world);
    rig.works = false;
    for (const name of ["first", "second"])
      world.task(`${name} sleep`, async () => {
        await world.point("sleep");
        rig.health.doubt("the machine slept");
        hasAWayBack(rig, world);
      });
    world.task("repair", async () => {
      await world.point("repair");
      rig.works = true;
    });
    return rig;
  },
  after: recovers,
};

export const closeMeetsProbe: Program<HealthRig> = {
  name: "the host stops while an adapter is suspected and probed: nothing is planned or under way afterwards",
  setup(world) {
    const rig = rigged(world);
    rig.works = false;
    fail(rig, world, "a");
    fail(rig, world, "b");
    world.task("stop", () => rig.health.close());
    return rig;
  },
  after: ends,
};
