/** A host that goes and comes back, while applications come and go and vGPUs are taken. */
import type { Program } from "parhelion-explorer";
import { ioctl } from "parhelion-protocol";
import { gone, KernelStage } from "./kernel-stage.test.fixture.js";

/** An application from HELLO to its leaving, whatever happens meanwhile: each of its questions is answered. */
async function visit(stage: KernelStage): Promise<void> {
  await stage.may(
    async () => {
      const application = await stage.enter();
      try {
        const device = await stage.device(application);
        await stage.ask(application, ioctl.getDeviceState, { device, stateType: 1 });
      } finally {
        application.leave();
      }
    },
    ...gone,
  );
}

async function backUnderItsName(stage: KernelStage): Promise<void> {
  await stage.reconnected();
  await stage.expectNodes(1);
  stage.expectNode("dxg0");
  await stage.end();
}

export const cutMeetsApplication: Program<KernelStage> = {
  name: "the host goes while an application opens, asks and leaves: it is answered, and the vGPU comes back under its name",
  setup(world) {
    const stage = new KernelStage(world, { host: "comes back" });
    world.task("cut", async () => stage.rig.pipe.cut());
    world.task("application", () => visit(stage));
    return stage;
  },
  before: (stage) => stage.start(),
  after: backUnderItsName,
};

export const cutMeetsRescind: Program<KernelStage> = {
  name: "the host goes while it takes a vGPU back and an application opens it: the next host's offer has its name",
  setup(world) {
    const stage = new KernelStage(world, { host: "comes back" });
    world.task("rescind", async () => {
      stage.function.rescind("taken back");
      stage.vgpu.rescind("taken back");
    });
    world.task("cut", async () => stage.rig.pipe.cut());
    world.task("application", () => visit(stage));
    return stage;
  },
  before: (stage) => stage.start(),
  after: backUnderItsName,
};

export const twoCuts: Program<KernelStage> = {
  name: "the host goes, comes back and goes again while an application is there",
  setup(world) {
    const stage = new KernelStage(world, { host: "comes back" });
    world.task("cuts", async () => {
      stage.rig.pipe.cut();
      await stage.reconnected();
      stage.rig.pipe.cut();
    });
    world.task("application", () => visit(stage));
    return stage;
  },
  before: (stage) => stage.start(),
  after: backUnderItsName,
};

export const cutMeetsStop: Program<KernelStage> = {
  name: "the host goes while the guest kernel stops: no connection, node or task is left",
  setup(world) {
    const stage = new KernelStage(world, { host: "comes back" });
    world.task("cut", async () => stage.rig.pipe.cut());
    world.task("stop", () => stage.rig.stop());
    return stage;
  },
  before: (stage) => stage.start(),
  after: (stage) => stage.end(),
};

export const stopMeetsReturn: Program<KernelStage> = {
  name: "a guest kernel whose host has gone stops while the host comes back",
  setup(world) {
    const stage = new KernelStage(world, { host: "comes back" });
    world.task("stop", async () => {
      await stage.quiet();
      await stage.quiet();
      await stage.rig.stop();
    });
    return stage;
  },
  async before(stage) {
    await stage.start();
    stage.rig.pipe.cut();
  },
  after: (stage) => stage.end(),
};

export const refusedForGood: Program<KernelStage> = {
  name: "a host that comes back without this guest ends the guest's tries, and the guest can still be stopped",
  setup(world) {
    const stage = new KernelStage(world, { host: "comes back" });
    world.task("cut", async () => {
      stage.rig.refuse = () => {
        throw Object.assign(new Error("no such guest"), { code: "guest-unknown" });
      };
      stage.rig.pipe.cut();
    });
    world.task("application", () => visit(stage));
    return stage;
  },
  before: (stage) => stage.start(),
  async after(stage) {
    await stage.refused();
    await stage.end();
  },
};
