/** A vGPU's three parts in every order: its function, its channel and the guest's global channel come, go and come back. */
import type { Program } from "parhelion-explorer";
import { KernelStage } from "./kernel-stage.test.fixture.js";

export const threePartsMeet: Program<KernelStage> = {
  name: "a vGPU's three parts are offered in any order: it has one node",
  setup(world) {
    const stage = new KernelStage(world);
    world.task("global", async () => stage.offerGlobal());
    world.task("function", async () => stage.offerFunction());
    world.task("channel", async () => stage.offerChannel());
    return stage;
  },
  before: (stage) => stage.contact(),
  async after(stage) {
    await stage.expectNodes(1);
    await stage.end();
  },
};

export const channelComesBack: Program<KernelStage> = {
  name: "a vGPU's channel is taken back and offered again while its function is probed: it has one node in the end",
  setup(world) {
    const stage = new KernelStage(world);
    world.task("function", async () => stage.offerFunction());
    world.task("channel", async () => {
      stage.offerChannel();
      await world.point("offered");
      stage.vgpu.rescind("taken back");
      await world.point("taken back");
      stage.offerChannel();
    });
    return stage;
  },
  async before(stage) {
    await stage.contact();
    stage.offerGlobal();
  },
  async after(stage) {
    await stage.expectNodes(1);
    await stage.end();
  },
};

export const globalComesBack: Program<KernelStage> = {
  name: "the global channel is taken back while a vGPU is used, and offered again: the vGPU has a node again",
  setup(world) {
    const stage = new KernelStage(world);
    world.task("global", async () => {
      stage.global.rescind("taken back");
      await world.point("taken back");
      stage.offerGlobal();
    });
    world.task("application", async () => {
      await stage.may(
        async () => {
          const application = await stage.enter();
          application.leave();
        },
        "ENODEV",
        "ENOENT",
      );
    });
    return stage;
  },
  before: (stage) => stage.start(),
  async after(stage) {
    await stage.expectNodes(1);
    await stage.end();
  },
};

export const allGo: Program<KernelStage> = {
  name: "a vGPU's three parts are taken back at once",
  setup(world) {
    const stage = new KernelStage(world);
    world.task("global", async () => stage.global.rescind("taken back"));
    world.task("function", async () => stage.function.rescind("taken back"));
    world.task("channel", async () => stage.vgpu.rescind("taken back"));
    return stage;
  },
  before: (stage) => stage.start(),
  async after(stage) {
    await stage.expectNodes(0);
    await stage.end();
  },
};

export const stopsWhileProbing: Program<KernelStage> = {
  name: "a guest stops while a vGPU is offered",
  setup(world) {
    const stage = new KernelStage(world);
    world.task("host", async () => {
      await stage.may(async () => {
        stage.offerGlobal();
        stage.offerFunction();
        stage.offerChannel();
      }, "ENODEV");
    });
    world.task("stop", () => stage.rig.stop());
    return stage;
  },
  before: (stage) => stage.contact(),
  after: (stage) => stage.end(),
};

export const startMeetsCut: Program<KernelStage> = {
  name: "a guest starts with a vGPU on offer while its connection breaks",
  setup(world) {
    const stage = new KernelStage(world);
    world.task("start", async () => {
      await stage.may(() => stage.start(), "ECONNRESET", "ENODEV");
    });
    world.task("cut", async () => stage.rig.pipe.cut());
    return stage;
  },
  after: (stage) => stage.end(),
};

export const unboundByHand: Program<KernelStage> = {
  name: "a vGPU's driver is unbound by hand while its node is opened, and bound again",
  setup(world) {
    const stage = new KernelStage(world);
    world.task("administrator", () => stage.unbind());
    world.task("application", async () => {
      await stage.may(
        async () => {
          const application = await stage.enter();
          application.leave();
        },
        "ENODEV",
        "ENOENT",
      );
    });
    return stage;
  },
  before: (stage) => stage.start(),
  async after(stage) {
    await stage.expectNodes(1);
    await stage.end();
  },
};
