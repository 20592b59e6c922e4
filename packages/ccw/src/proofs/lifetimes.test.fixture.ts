/** Who may still be called, and with what: probes, removals and callbacks in every order. One program for each dispute. */
import { KernelError, noDeadline } from "parhelion-core";
import { outcomeOf, type Program } from "parhelion-explorer";
import * as devicePlants from "./device-plants.test.fixture.js";
import * as lifetimePlants from "./lifetime-plants.test.fixture.js";
import { CcwStage, named, other, uuid } from "./stage.test.fixture.js";
import { stageChpid, stageId } from "./stage-machine.test.fixture.js";

const end = (stage: CcwStage): Promise<void> => stage.end();

export const callbackAtProbe = (plant?: "published early"): Program<CcwStage> => ({
  name: named("H1, D5.7: path and subchannel events while the driver of the subchannel is bound", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? lifetimePlants.publishedEarly(world) : {});
    world.task("administrator", () => stage.drive());
    world.task("path event", () => stage.css.vary(stageChpid, "off"));
    return stage;
  },
  before: (stage) => stage.begin("machine"),
  async after(stage, world) {
    world.expect(stage.subchannel.bound, "the driver is not bound");
    await stage.end();
  },
});

export const callbackAtUnbind = (
  event: "path" | "subchannel",
  plant?: "data cleared first",
): Program<CcwStage> => ({
  name: named(`H1, D5.7: a ${event} event while the driver of the subchannel is unbound`, plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? lifetimePlants.clearedEarly(world) : {});
    world.task("administrator", () => stage.undrive());
    world.task(`${event} event`, async () => {
      if (event === "path") await stage.css.vary(stageChpid, "off");
      else stage.css.evaluate(stageId);
    });
    return stage;
  },
  before: (stage) => stage.begin("drivers"),
  after: end,
});

export const callbackAndRemove = (plant?: "a link without a lock"): Program<CcwStage> => ({
  name: named("H2, D5.3: a path event while the mediated device is removed", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? lifetimePlants.bareLink(world) : {});
    world.task("path event", () => stage.css.vary(stageChpid, "off"));
    world.task("administrator", async () => {
      await stage.remove();
    });
    return stage;
  },
  before: (stage) => stage.begin("mdev"),
  after: end,
});

/**
 * Who has the device open holds a reference to it, revoked or not, so nothing is freed here that an interruption could
 * use: that is looked for where nobody has it open (`endAndRelease`). What can go wrong here is what was pinned.
 * @param stops "never": the device ignores the clear, so that its interruption comes when nobody waits for it any more
 */
export const interruptAndRemove = (
  stops: "as asked" | "never",
  plant?: "close leaves what is pinned",
): Program<CcwStage> => ({
  name: named(
    `H2, D5.3: the end of a channel program while the mediated device is removed, of a device that stops ${stops}`,
    plant,
  ),
  setup(world) {
    const broken = plant ? devicePlants.pinsStay() : {};
    const quiesceMs = stops === "never" ? 0 : 100;
    const stage = new CcwStage(world, { ...broken, stops, revokeMs: 0, quiesceMs });
    world.task("device", async () => stage.machine.finish());
    world.task("administrator", async () => {
      await stage.remove();
    });
    return stage;
  },
  async before(stage) {
    await stage.begin();
    await stage.start();
  },
  async after(stage, world) {
    world.expect(stage.storage.used === 0, "what was pinned is still in the device's reach");
    await stage.end(stops === "never" ? ["vfio-ccw.not-stopped"] : []);
  },
});

export const workAndRelease = (plant?: "work stays queued"): Program<CcwStage> => ({
  name: named("H3, D5.4: an interruption has queued work, and what it works on is released", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? lifetimePlants.workLeft() : {});
    world.task("device", async () => stage.machine.finish());
    world.task("user, then administrator", async () => {
      await stage.close();
      await stage.remove();
    });
    return stage;
  },
  async before(stage) {
    await stage.begin();
    await stage.start();
  },
  after: end,
});

export const userWhoStays = (plant?: "waited for"): Program<CcwStage> => ({
  name: named("H4, D5.6: the device is pulled out, and its user does not let go", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? { revokeMs: noDeadline } : {});
    world.always(() => {
      const now = world.runtime.clock.now();
      world.expect(now < 60_000, `${now} ms have passed, and the channel subsystem waits for a user`);
    });
    world.task("machine", async () => {
      stage.machine.vanish();
      stage.css.evaluate(stageId);
    });
    return stage;
  },
  before: (stage) => stage.begin(),
  async after(stage, world) {
    await stage.css.settle({ deadline: noDeadline });
    world.expect(stage.css.subchannels().length === 0, "it is still there");
    world.expect((await stage.write("ENODEV")) === "ENODEV", "its user can still use it");
    await stage.end();
  },
});

export const recreated = (plant?: "made once"): Program<CcwStage> => ({
  name: named("D5.1: a second mediated device while somebody still holds the first one's VFIO device", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? lifetimePlants.shared() : {});
    world.task("administrator", async () => {
      const { device } = stage;
      void device;
      await stage.remove();
      if ((await stage.create(other, "EUSERS")) !== "done") return;
      await stage.css.vary(stageChpid, "off");
      await outcomeOf(() => stage.open().then(() => stage.close()), "ENODEV", "EINVAL");
    });
    world.task("late holder", async () => {
      await world.point("still busy with it");
      held.put?.();
    });
    const held: { put: (() => void) | null } = { put: null };
    return Object.assign(stage, { held });
  },
  async before(stage) {
    await stage.begin("mdev");
    const { device } = stage;
    device.get();
    (stage as CcwStage & { held: { put: () => void } }).held.put = () => device.put();
  },
  after: end,
});

export const recreatedBesides = (plant?: "made once"): Program<CcwStage> => ({
  name: named(
    "D5.1: a second mediated device is made while the first one's last reference is given up",
    plant,
  ),
  setup(world) {
    const stage = new CcwStage(world, plant ? lifetimePlants.shared() : {});
    const held: { put: () => void } = { put: () => {} };
    world.task("administrator", async () => {
      // As long as the first one is there, there is no room.
      await stage.create(other, "EUSERS");
      await stage.css.vary(stageChpid, "off");
    });
    world.task("late holder", async () => held.put());
    return Object.assign(stage, { held });
  },
  async before(stage) {
    await stage.begin("mdev");
    const { device } = stage;
    device.get();
    (stage as CcwStage & { held: { put: () => void } }).held.put = () => device.put();
    await stage.remove();
  },
  after: end,
});

export const interruptWithoutMdev = (plant?: "enabled in probe"): Program<CcwStage> => ({
  name: named("D5.2: the device speaks up while there is no mediated device, or just one", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? lifetimePlants.enabledInProbe() : {});
    world.task("device", async () => stage.machine.raise());
    world.task("administrator", async () => {
      await stage.create();
    });
    return stage;
  },
  before: (stage) => stage.begin("drivers"),
  async after(stage, world) {
    const unwanted = world.log.some(({ event }) => event === "vfio-ccw.interruption-of-nobody");
    world.expect(!unwanted, "an interruption has come that nobody asked for");
    await stage.end();
  },
});

export const removedWhileOpen = (plant?: "close leaves what is pinned"): Program<CcwStage> => ({
  name: named("D5.5: the subchannel loses its driver while a channel program runs", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? devicePlants.pinsStay() : {});
    world.task("administrator", () => undriven(stage));
    world.task("user", async () => {
      await stage.write("ENODEV", "EBUSY", "EIO", "EBADF");
    });
    return stage;
  },
  async before(stage) {
    await stage.begin();
    await stage.start();
  },
  after: end,
});

export const removedAndReset = (plant?: "quiesced first"): Program<CcwStage> => ({
  name: named("D5.5: the subchannel loses its driver while its user resets it and starts anew", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? lifetimePlants.quiescedFirst(world) : {});
    world.task("administrator", () => undriven(stage));
    world.task("user", async () => {
      if ((await stage.reset("ENODEV", "EBADF")) !== "done") return;
      await stage.write("ENODEV", "EBUSY", "EIO", "EBADF", "EFAULT");
    });
    return stage;
  },
  async before(stage) {
    await stage.begin();
    if (plant) Object.assign(stage.vfio, { retire: async () => {} });
  },
  after: end,
});

async function undriven(stage: CcwStage): Promise<void> {
  await stage.undrive();
  stage.world.expect(!stage.machine.enabled, "the subchannel is enabled, and has no driver");
}

export const failedProbe = (plant?: "stays in reach"): Program<CcwStage> => ({
  name: named(
    "D5.8: the mediated device's probe fails when callbacks can reach it, and a path event comes",
    plant,
  ),
  setup(world) {
    const stage = new CcwStage(world, plant ? lifetimePlants.notWithdrawn() : {});
    world.task("administrator", async () => {
      await stage.create(uuid, "ENOMEM");
    });
    world.task("path event", () => stage.css.vary(stageChpid, "off"));
    return stage;
  },
  async before(stage) {
    await stage.begin("drivers");
    stage.failRegistration(async () => {
      await stage.world.point("no memory");
      throw new KernelError("ENOMEM", "no memory");
    });
  },
  after: end,
});

export const qdio = (
  plant?: "fence in the mdev's probe" | "fence below the registration",
): Program<CcwStage> => ({
  name: named("D5.12: a subchannel for QDIO is refused, and nothing is left of the attempt", plant),
  setup(world) {
    const stage = new CcwStage(world, { ...(plant ? lifetimePlants.fenceElsewhere(plant) : {}), qf: 1 });
    world.task("administrator", () => stage.drive());
    world.task("path event", () => stage.css.vary(stageChpid, "off"));
    return stage;
  },
  before: (stage) => stage.begin("machine"),
  async after(stage, world) {
    world.expect(!stage.subchannel.bound, "it is bound");
    world.expect(stage.mdev.parents().length === 0, "mediated devices can be made of it");
    world.expect(stage.subchannel.children.size === 0, "it has children");
    await stage.end();
  },
});

export const twoCreates = (plant?: "a pointer"): Program<CcwStage> => ({
  name: named("D5.13: two create at once, and one gets it", plant),
  setup(world) {
    const stage = new CcwStage(world, plant ? lifetimePlants.byPointer(world) : {});
    const answers: string[] = [];
    for (const wanted of [uuid, other]) {
      world.task(`create ${wanted.at(-1)}`, async () => {
        const answer = await stage.create(wanted, "EUSERS");
        world.writes({ name: "answers" });
        answers.push(answer);
      });
    }
    return Object.assign(stage, { answers });
  },
  before: (stage) => stage.begin("drivers"),
  async after(stage, world) {
    const { answers } = stage as CcwStage & { answers: string[] };
    world.expect(answers.toSorted().join() === "EUSERS,done", answers.join());
    await stage.end();
  },
});

export const evaluations = (
  driver: "without a driver" | "with its driver",
  plant?: "already being evaluated",
): Program<CcwStage> => ({
  name: named(
    `D5.14: the device is pulled out between two reports, and none of them is lost, ${driver}`,
    plant,
  ),
  setup(world) {
    const stage = new CcwStage(world);
    world.task("machine", async () => {
      stage.machine.vanish();
      stage.css.evaluate(stageId);
    });
    world.task("another report", async () => stage.css.evaluate(stageId));
    return stage;
  },
  async before(stage) {
    await stage.begin(driver === "with its driver" ? "drivers" : "machine");
    if (plant) lifetimePlants.whileEvaluated(stage.subchannel);
  },
  async after(stage, world) {
    await stage.css.settle({ deadline: noDeadline });
    world.expect(stage.css.subchannels().length === 0, "the subchannel is still there");
    await stage.end();
  },
});
