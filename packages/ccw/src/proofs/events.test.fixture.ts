/** What happens to an open device: starts, ends, resets, path events and the end of it all, in every order. */
import { Actl, Fctl, type Irb, irb as irbLayout, Stctl } from "parhelion-buses";
import type { Program } from "parhelion-explorer";
import type { Eventfd } from "parhelion-vfio";
import { IoRegion } from "../vfio-ccw/io-region.js";
import { VfioCcwPrivate } from "../vfio-ccw/private.js";
import * as devicePlants from "./device-plants.test.fixture.js";
import * as lifetimePlants from "./lifetime-plants.test.fixture.js";
import { CcwStage, named } from "./stage.test.fixture.js";
import { stageId } from "./stage-machine.test.fixture.js";

const end = (stage: CcwStage): Promise<void> => stage.end();

async function running(stage: CcwStage): Promise<void> {
  await stage.begin();
  await stage.start();
}

/** It can be used on: nobody has asked for its removal, and the state is one of an open device. */
async function usable(stage: CcwStage): Promise<void> {
  const state = await stage.owned.io.state();
  stage.world.expect(state === "idle" || state === "cp-pending", `the state is ${state}`);
  stage.world.expect(stage.subchannel.todo === "nothing", "the subchannel is to be removed");
  await stage.end();
}

export const closeAndEnd = (plant?: "decided late"): Program<CcwStage> => ({
  name: named(
    "H5, D5.9: a channel program ends while the device is closed, and then it is opened again",
    plant,
  ),
  setup(world) {
    const stage = new CcwStage(world, plant ? devicePlants.decidedLate(world) : {});
    world.task("device", async () => stage.machine.finish());
    world.task("user", () => stage.owned.closeDevice());
    return stage;
  },
  before: running,
  async after(stage, world) {
    const closed = await stage.owned.io.state();
    world.expect(closed === "standby", `closed, and the state is ${closed}`);
    await stage.owned.openDevice();
    await usable(stage);
  },
});

export const eventsAtOnce = (plant?: "resets at once"): Program<CcwStage> => ({
  name: named("D5.10: two reset the device at once", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? devicePlants.resetsAtOnce() : {});
    for (const name of ["one", "two"]) world.task(name, () => stage.owned.reset());
    return stage;
  },
  before: running,
  after: usable,
});

export const unmapAndStart = (plant?: "asks the started one only"): Program<CcwStage> => ({
  name: named("D5.10: memory is taken back while a channel program that uses it is being started", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? devicePlants.startedOnly() : {});
    world.task("start", async () => {
      await stage.start("EIO", "EFAULT");
    });
    world.task("unmap", async () => {
      await stage.user.unmap(0n, BigInt(stage.memory.length));
      world.expect(stage.storage.used === 0, "the device still has what was taken back");
    });
    return stage;
  },
  before: (stage) => stage.begin(),
  after: usable,
});

export const startAndReset = (plant?: "back to idle"): Program<CcwStage> => ({
  name: named("D5.10: a channel program is started and ends while the device is reset", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? devicePlants.backToIdle() : {});
    world.task("start", async () => {
      await stage.start("EIO", "EBUSY");
      stage.machine.finish();
    });
    world.task("reset", () => stage.owned.reset());
    return stage;
  },
  before: (stage) => stage.begin(),
  after: usable,
});

export const twoStarts = (plant?: "looked at first"): Program<CcwStage> => ({
  name: named("D5.10: two write at once: one is started, the other is told to come again", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? devicePlants.lookedAtFirst(world) : {});
    const answers: string[] = [];
    for (const name of ["one", "two"]) {
      world.task(name, async () => {
        const answer = await stage.start("EAGAIN", "EBUSY");
        world.writes({ name: "answers" });
        answers.push(answer);
      });
    }
    return Object.assign(stage, { answers });
  },
  before: (stage) => stage.begin(),
  async after(stage, world) {
    const { answers } = stage as CcwStage & { answers: string[] };
    world.expect(answers.filter((answer) => answer === "done").length === 1, answers.join());
    const state = await stage.owned.io.state();
    world.expect(state === "cp-pending", `one runs, and the state is ${state}`);
    await usable(stage);
  },
});

export const clearAndEnd = (plant?: "decided late"): Program<CcwStage> => ({
  name: named(
    "a clear meets the end of the channel program, and the next one is started: what is the next one's stays",
    plant,
  ),
  setup(world) {
    const stage = new CcwStage(world, plant ? devicePlants.decidedLate(world) : {});
    world.task("device", async () => stage.machine.finish());
    world.task("user", async () => {
      await stage.clear("EAGAIN");
      await stage.start("EBUSY", "EAGAIN");
    });
    return stage;
  },
  before: running,
  async after(stage, world) {
    const state = await stage.owned.io.state();
    world.expect(stage.machine.active === (state === "cp-pending"), `the state is ${state}`);
    world.expect(!stage.machine.active || stage.storage.used > 0, "it runs, and nothing is pinned for it");
    await usable(stage);
  },
});

export const goneAndStart = (plant?: "sleeps in the lock"): Program<CcwStage> => ({
  name: named("H7: the device is pulled out while a channel program is being started", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? lifetimePlants.sleepsInLock(world) : {});
    world.task("start", async () => {
      await stage.start("EIO", "ENODEV", "EFAULT", "EAGAIN");
    });
    world.task("machine", async () => {
      stage.machine.vanish();
      stage.css.evaluate(stageId);
    });
    return stage;
  },
  before: (stage) => stage.begin(),
  async after(stage, world) {
    await stage.css.settle();
    world.expect(stage.css.subchannels().length === 0, "the subchannel is still there");
    await stage.end();
  },
});

/** As the bus does: under the subchannel's lock. */
async function underLock(stage: CcwStage, run: () => unknown): Promise<void> {
  await stage.subchannel.lock.withLock(() => void run());
}

export const twoReaders = (plant?: "taken off later"): Program<CcwStage> => ({
  name: named("H8: two read a channel report while another one comes", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? devicePlants.twoReaders(world) : {});
    const found: number[] = [];
    for (const name of ["one", "two"]) {
      world.task(name, async () => {
        const report = await stage.owned.read(3, 0, 4);
        world.writes({ name: "found" });
        found.push(...report.filter((byte) => byte !== 0).slice(0, 1));
      });
    }
    world.task("path", () =>
      underLock(stage, () => stage.owned.chpEvent({ chpid: 2, mask: 0x40 }, "OFFLINE")),
    );
    return Object.assign(stage, { found });
  },
  async before(stage) {
    await stage.begin();
    await underLock(stage, () => stage.owned.chpEvent({ chpid: 1, mask: 0x80 }, "OFFLINE"));
  },
  async after(stage, world) {
    const { found } = stage as CcwStage & { found: number[] };
    const left = await stage.owned.read(3, 0, 4);
    const total = found.length + (left.some((byte) => byte !== 0) ? 1 : 0);
    world.expect(total === 2, `${total} reports of 2 were read`);
    await stage.end();
  },
});

const some = irbLayout.make({}).scsw;
const onTheWay = irbLayout.make({
  scsw: { ...some, fctl: Fctl.START, stctl: Stctl.PEND | Stctl.INTER, actl: Actl.SCHACT | Actl.DEVACT },
});
const atTheEnd = irbLayout.make({
  scsw: { ...some, fctl: Fctl.START, stctl: Stctl.PEND | Stctl.PRIM | Stctl.SEC },
});

export const twoStatuses = (plant?: "one slot"): Program<CcwStage> => ({
  name: named("H9: two interruptions come before the user has read the first one's status", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? devicePlants.oneSlot() : {});
    const seen: number[] = [];
    world.task("interruptions", async () => {
      const interrupt = (irb: Irb) => underLock(stage, () => stage.owned.irq(irb));
      await interrupt(onTheWay);
      await interrupt(atTheEnd);
    });
    world.task("user", async () => {
      for (let reads = 0; reads < 2; reads += 1) {
        await stage.signalled.wait();
        const irb = irbLayout.decode(await stage.owned.read(0, 24, 96));
        world.writes({ name: "seen" });
        seen.push(irb.scsw.stctl);
        if ((irb.scsw.stctl & Stctl.SEC) !== 0) return;
      }
    });
    return Object.assign(stage, { seen });
  },
  before: running,
  async after(stage, world) {
    const { seen } = stage as CcwStage & { seen: number[] };
    world.expect(seen.length === 2, `the user has seen ${seen.length} of 2`);
    await stage.end();
  },
});

export const droppedEventfd = (plant?: "loaded, then signalled"): Program<CcwStage> => ({
  name: named("H10: the user takes its eventfd back while the end of a channel program is told", plant),
  setup(world) {
    const memory = world.allocate("eventfd", { signalled: 0 });
    const eventfd: Eventfd = {
      signal: () => {
        memory.signalled += 1;
      },
      release: () => world.free(memory),
    };
    const later = () => {
      world.runtime.scheduler.spawn("signal", async () => {
        await world.point("the eventfd is loaded");
        eventfd.signal(1);
      });
    };
    const stage = new CcwStage(
      world,
      plant && {
        makePrivate: (device, init) =>
          new VfioCcwPrivate(device, {
            ...init,
            makeIoRegion: (runtime, owner) => new IoRegion(runtime, owner, later),
          }),
      },
    );
    world.task("device", async () => stage.machine.finish());
    world.task("user", () => stage.listen(null));
    return Object.assign(stage, { eventfd });
  },
  async before(stage) {
    await running(stage);
    await stage.listen((stage as CcwStage & { eventfd: Eventfd }).eventfd);
  },
  after: end,
});

export const reportAndClose = (plant?: "freed in close"): Program<CcwStage> => ({
  name: named("D5.11: a path goes while the user closes", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? devicePlants.freedInClose(world) : {});
    world.task("path", () =>
      underLock(stage, () => stage.owned.chpEvent({ chpid: 1, mask: 0x80 }, "OFFLINE")),
    );
    world.task("user", () => stage.close());
    return stage;
  },
  before: (stage) => stage.begin(),
  after: end,
});

export const everything = (plant?: "a link without a lock"): Program<CcwStage> => ({
  name: named(
    "a user starts and closes, the device ends and is pulled out, a path goes, an administrator removes",
    plant,
  ),
  setup(world) {
    const stage = new CcwStage(world, plant ? lifetimePlants.bareLink(world) : {});
    world.task("user", async () => {
      await stage.write("EIO", "ENODEV", "EAGAIN", "EBUSY", "EFAULT", "EBADF");
      await stage.close();
    });
    world.task("device", async () => {
      stage.machine.finish();
      await world.point("pulled out");
      stage.machine.vanish();
      stage.css.evaluate(stageId);
    });
    world.task("path", () => stage.css.vary(0x40, "off"));
    world.task("administrator", async () => {
      await stage.remove(undefined, "ENODEV");
    });
    return stage;
  },
  before: (stage) => stage.begin(),
  async after(stage) {
    await stage.css.settle();
    await stage.end();
  },
});
