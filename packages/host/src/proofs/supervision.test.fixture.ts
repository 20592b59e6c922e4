/** One slice's engine in every order: who needs it, what it does by itself, and the slice's end. */
import type { Program, World } from "parhelion-explorer";
import type { EngineProcess } from "../engines/engine-process.js";
import {
  type SupervisionOptions,
  type SupervisionRig,
  supervisionRig,
} from "../engines/supervision.test.fixture.js";
import { HostError } from "../host-error.js";

const request = { label: "", requiredFeatures: [], requiredLimits: {}, defaultQueueLabel: "" };

interface Supervised {
  readonly rig: SupervisionRig;
  engine: EngineProcess | null;
}

function supervised(world: World, options?: SupervisionOptions): Supervised {
  return { rig: supervisionRig(world.runtime, options), engine: null };
}

/** Whatever it ends with: what was asked of an engine ends, and with nothing but these. */
async function settles(run: () => Promise<unknown>, ...codes: readonly HostError["code"][]): Promise<string> {
  try {
    await run();
    return "done";
  } catch (error) {
    if (error instanceof HostError && codes.includes(error.code)) return error.code;
    throw error;
  }
}

const acquire = ({ rig }: Supervised): Promise<EngineProcess> =>
  rig.supervisor.acquire(Number.POSITIVE_INFINITY);

/** The slice goes: no engine lives on, there was never more than one, and each that was ready was lost once at most. */
async function retire({ rig }: Supervised, world: World): Promise<void> {
  await rig.supervisor.retire("the program is over");
  world.expect(rig.engines.living.length === 0, `${rig.engines.living.length} engines live on`);
  world.expect(rig.supervisor.status.state === "retired", `it is ${rig.supervisor.status.state}`);
  world.expect(rig.overlaps === 0, "an engine was started while the one before was there");
  const lost = rig.losses.map(({ engine }) => engine);
  world.expect(new Set(lost).size === lost.length, "the loss of one engine was told twice");
}

export const startMeetsDeath: Program<Supervised> = {
  name: "an engine dies while it starts for two who need it: both get one, or both are told",
  setup(world) {
    const shared = supervised(world);
    for (const name of ["first", "second"])
      world.task(name, async () => {
        await settles(() => acquire(shared), "engine-start-failed", "engine-silent");
      });
    world.task("death", async () => {
      await world.point("death");
      shared.rig.engines.started[0]?.exit(9);
    });
    return shared;
  },
  after: retire,
};

export const startMeetsStop: Program<Supervised> = {
  name: "a slice goes while its engine starts, and the engine dies",
  setup(world) {
    const shared = supervised(world);
    world.task("need", async () => {
      await settles(() => acquire(shared), "engine-start-failed", "engine-silent", "engine-stopped");
    });
    world.task("stop", () => shared.rig.supervisor.retire("its slice goes"));
    world.task("death", async () => {
      await world.point("death");
      shared.rig.engines.started[0]?.kill();
    });
    return shared;
  },
  after: retire,
};

async function ready(shared: Supervised): Promise<void> {
  shared.engine = await acquire(shared);
}

export const requestMeetsDeath: Program<Supervised> = {
  name: "an engine dies while it is asked for a device and a queue: both questions end, and the next engine works",
  setup(world) {
    const shared = supervised(world);
    world.task("device", async () => {
      await settles(() => (shared.engine as EngineProcess).createDevice(1, 1, request), "engine-gone");
    });
    world.task("statistics", async () => {
      await settles(() => (shared.engine as EngineProcess).statistics(), "engine-gone");
    });
    world.task("death", async () => shared.rig.engines.started[0]?.exit(9));
    return shared;
  },
  before: ready,
  async after(shared, world) {
    const next = await acquire(shared);
    world.expect(next !== shared.engine, "a dead engine is given out");
    await next.createDevice(1, 1, request);
    await retire(shared, world);
  },
};

export const backOffMeetsStop: Program<Supervised> = {
  name: "a slice goes while its engine may not be started yet and two wait for that",
  setup(world) {
    const shared = supervised(world);
    for (const name of ["first", "second"])
      world.task(name, async () => {
        await settles(() => acquire(shared), "engine-silent", "engine-stopped", "engine-start-failed");
      });
    world.task("stop", () => shared.rig.supervisor.retire("its slice goes"));
    return shared;
  },
  async before(shared) {
    shared.rig.obstacle = new Error("no engine today");
    await acquire(shared).catch(() => undefined);
    shared.rig.obstacle = null;
  },
  after: retire,
};

export const needMeetsDeath: Program<Supervised> = {
  name: "an engine dies while another request needs it: who gets one gets one that works",
  setup(world) {
    const shared = supervised(world);
    world.task("need", async () => {
      await settles(
        async () => (await acquire(shared)).statistics(),
        "engine-gone",
        "engine-silent",
        "engine-stopped",
        "engine-start-failed",
      );
    });
    world.task("death", async () => shared.rig.engines.started[0]?.exit(9));
    world.task("stop", () => shared.rig.supervisor.retire("its slice goes").then(() => undefined));
    return shared;
  },
  before: ready,
  after: retire,
};

export const suspectMeetsReply: Program<Supervised> = {
  name: "an engine answers late, at any moment: it is ready again, or replaced, and never both",
  setup(world) {
    const shared = supervised(world, { deadlines: { replyMs: 10, suspectMs: 20 } });
    for (const name of ["first", "second"])
      world.task(name, async () => {
        await settles(() => (shared.engine as EngineProcess).statistics(), "engine-silent", "engine-gone");
      });
    return shared;
  },
  before: ready,
  async after(shared, world) {
    await settles(() => acquire(shared), "engine-silent");
    await retire(shared, world);
  },
};

export const suspectMeetsStop: Program<Supervised> = {
  name: "a slice goes while its engine is asked whether it still lives",
  setup(world) {
    const shared = supervised(world, { deadlines: { replyMs: 10, suspectMs: 20, stopMs: 5 } });
    world.task("ask", async () => {
      await settles(() => (shared.engine as EngineProcess).statistics(), "engine-silent", "engine-gone");
    });
    world.task("stop", () => shared.rig.supervisor.retire("its slice goes"));
    return shared;
  },
  async before(shared) {
    await ready(shared);
    shared.rig.engines.fate = () => "stays silent";
  },
  after: retire,
};
