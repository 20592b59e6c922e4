/** Subchannels in every order: interruptions, path events and reports while drivers and subchannels come and go. */
import { isKernelError, noDeadline } from "parhelion-core";
import { outcomeOf, type Program } from "parhelion-explorer";
import { idOf, SmallMachine } from "../css/machine.test.fixture.js";
import type { Subchannel } from "../index.js";
import { CssStage, type Plant, planted } from "./css-stage.test.fixture.js";

type Callback = "interruption" | "path event" | "evaluation";

function provoke(stage: CssStage, callback: Callback): Promise<void> {
  switch (callback) {
    case "interruption":
      stage.machine.raise(1);
      return Promise.resolve();
    case "path event":
      return stage.css.vary(0x40, "off");
    case "evaluation":
      stage.subchannel.schedule("evaluate");
      return Promise.resolve();
  }
}

/** The callback finds the driver, or not; never what is not there yet. */
export function duringProbe(callback: Callback, plant?: Plant): Program<CssStage> {
  return {
    name: planted(`${callback} while the driver is bound`, plant),
    setup(world) {
      const stage = new CssStage(world, plant);
      world.task("callback", () => provoke(stage, callback));
      world.task("bind", () => stage.bind());
      return stage;
    },
    before: (stage) => stage.begin("not driven"),
    async after(stage, world) {
      await stage.css.settle();
      world.expect(stage.called.length > 0, "the driver was neither called nor asked to look afterwards");
      await stage.end();
    },
  };
}

/** The callback ends before what it works on does. */
export function duringRemove(callback: Callback, plant?: Plant): Program<CssStage> {
  return {
    name: planted(`${callback} while the driver is unbound`, plant),
    setup(world) {
      const stage = new CssStage(world, plant);
      world.task("callback", () => provoke(stage, callback));
      world.task("unbind", () => stage.unbind());
      return stage;
    },
    before: (stage) => stage.begin("driven"),
    after: (stage) => stage.end(),
  };
}

/** An interruption, a path event and an evaluation work on one state, whose fields nobody guards but the lock. */
export const allAtOnce = (plant?: Plant): Program<CssStage> => ({
  name: planted("an interruption, a path event and an evaluation at once", plant),
  setup(world) {
    const stage = new CssStage(world, plant);
    world.task("interruption", () => provoke(stage, "interruption"));
    world.task("path event", () => provoke(stage, "path event"));
    world.task("evaluation", () => provoke(stage, "evaluation"));
    return stage;
  },
  before: (stage) => stage.begin("driven"),
  async after(stage, world) {
    await stage.css.settle();
    const called = [...stage.called].sort().join();
    world.expect(called === "VARY_OFF,event,irq", `the driver was called for ${called}`);
    await stage.end();
  },
});

/** Reports come faster than they are read, and some are lost. */
export function overflow(plant?: "silent"): Program<CssStage> {
  return {
    name: planted("subchannels come while reports are lost: all are found", plant),
    setup(world) {
      const machine = new SmallMachine(world.runtime, 1, plant ?? "marked");
      const stage = new CssStage(world, undefined, machine);
      world.task("two come", async () => {
        machine.plug(2);
        await world.point("plugged");
        machine.plug(3);
      });
      world.task("another goes", async () => machine.unplug(1));
      return stage;
    },
    before: (stage) => stage.begin("driven"),
    async after(stage, world) {
      await stage.css.settle();
      const found = stage.css
        .subchannels()
        .map(({ name }) => name)
        .sort()
        .join();
      world.expect(found === "0.0.0002,0.0.0003", `found ${found}`);
      await stage.end();
    },
  };
}

/** As if another lock, or none, were held where the todo is looked at and where it is set. */
async function torn(stage: CssStage, subchannel: Subchannel): Promise<void> {
  const { todo } = subchannel;
  await stage.world.point("looks at the todo");
  if (todo === "nothing") subchannel.schedule("unregister");
}

/** H6: who asks for the greater todo holds the lock or does not; it is not lost. */
export function todoFromTwoSides(plant?: "torn"): Program<CssStage> {
  return {
    name: planted("an evaluation and an unregistration are asked for at once", plant),
    setup(world) {
      const stage = new CssStage(world);
      world.task("with the lock", async () => {
        const { held } = stage;
        await held.lock.withLock(() => held.schedule("evaluate"));
        held.put();
      });
      world.task("without", async () => {
        if (plant === "torn") await torn(stage, stage.subchannel);
        else stage.subchannel.schedule("unregister");
      });
      return stage;
    },
    async before(stage) {
      await stage.begin("driven");
      stage.hold();
    },
    async after(stage, world) {
      await stage.css.settle();
      world.expect(stage.css.subchannels().length === 0, "the unregistration is lost");
      await stage.end();
    },
  };
}

/** D5.14: what is reported of a subchannel on its way out is the device that comes in its place. */
export function replacedWhileLeaving(
  by: "unregister" | "administrator",
  plant?: "dropped",
): Program<CssStage> {
  return {
    name: planted(`another device is reported while the subchannel goes (${by})`, plant),
    setup(world) {
      const stage = new CssStage(world);
      const { css, machine, system } = stage;
      if (plant === "dropped") {
        const evaluate = css.evaluate.bind(css);
        css.evaluate = (id) =>
          css.find("0.0.0001") === undefined ? evaluate(id) : stage.subchannel.schedule("evaluate");
      }
      world.task("removal", async () => {
        const { held } = stage;
        if (by === "unregister") held.schedule("unregister");
        else await system.removeDevice(held).catch(lostRace);
        held.put();
      });
      world.task("report", async () => machine.plug(1, { dev: 0x77 }));
      return stage;
    },
    async before(stage) {
      await stage.begin("driven");
      stage.hold();
      // Two devices of one name look like one to the explorer, so the second has no driver.
      stage.system.setDriversAutoprobe(stage.bus, "0");
    },
    async after(stage, world) {
      await stage.css.settle();
      const found = stage.css.find("0.0.0001")?.schib.pmcw.dev;
      world.expect(found === 0x77, `a device was reported, and there is ${found ?? "none"}`);
      await stage.end();
    },
  };
}

function lostRace(error: unknown): void {
  if (!isKernelError(error, "ENODEV")) throw error;
}

/** A driver that has no time is asked again, also when something else is to be done with the subchannel. */
export function askedAgain(plant?: "forgotten"): Program<CssStage> {
  return {
    name: planted("a driver has no time for an evaluation while another is asked for", plant),
    setup(world) {
      const stage = new CssStage(world);
      world.task("report", async () => stage.css.evaluate(idOf(1)));
      world.task("path event", () => provoke(stage, "path event"));
      return stage;
    },
    async before(stage) {
      await stage.begin("driven");
      stage.again = 1;
      if (plant === "forgotten") stage.subchannel.scheduleAgain = () => {};
    },
    async after(stage, world) {
      const { clock } = world.runtime;
      await stage.css.settle();
      await world.runtime.scheduler.block("time", stage.machine, clock.now() + 10).wakeup;
      await stage.css.settle();
      const looked = stage.called.filter((what) => what === "event").length;
      world.expect(looked === 2, `the driver was asked ${looked} times`);
      await stage.end();
    },
  };
}

/** D8.4: whoever reads waits for a lock, and whoever removes waits for whoever reads. */
export function readWhileRemoved(plant?: "removed under the lock"): Program<CssStage> {
  return {
    name: planted("D8.4: an attribute is read while its subchannel is removed", plant),
    setup(world) {
      const stage = new CssStage(world);
      world.task("reader", async () => {
        const path = "/sys/devices/css0/0.0.0001/pimpampom";
        const answers = ["ENOENT", "ENODEV"] as const;
        const read = await outcomeOf(
          async () => {
            const text = await stage.system.sysfs.read(path);
            world.expect(text === "c0 c0 ff\n", `it says ${text}`);
          },
          ...answers,
        );
        world.expect(read === "done" || !stage.held.registered, `it is there, and the answer is ${read}`);
      });
      world.task("administrator", async () => {
        const { held, system } = stage;
        const remove = () => system.removeDevice(held, { deadline: noDeadline });
        await (plant === undefined ? remove() : held.lock.withLock(remove));
      });
      return stage;
    },
    async before(stage) {
      await stage.begin("driven");
      stage.hold();
    },
    async after(stage) {
      stage.held.put();
      await stage.end();
    },
  };
}

/** Whatever is reported meanwhile, nothing is left of a bus that stops. */
export const stopped = (plant?: "does not wait"): Program<CssStage> => ({
  name: planted("a subchannel comes, another goes and a third interrupts while the bus stops", plant),
  setup(world) {
    const stage = new CssStage(world);
    const { machine } = stage;
    world.task("machine", async () => {
      machine.plug(2);
      await world.point("plugged");
      machine.raise(1);
      await world.point("raised");
      machine.unplug(1);
    });
    world.task("stop", async () => {
      await stage.system.unregisterDriver(stage.driver as never);
      if (plant === undefined) return stage.css.stop();
      stage.css.settle = async () => {};
      await stage.css.stop().catch(() => {});
    });
    return stage;
  },
  before: (stage) => stage.begin("driven"),
  async after(stage, world) {
    world.expect(stage.css.subchannels().length === 0, "a subchannel has outlived its bus");
  },
});
