/** Applications at a vGPU's node, in every order with the vGPU's going, their own, and what the engine does. */
import type { Program, World } from "parhelion-explorer";
import { ioctl, vgpuCommand } from "parhelion-protocol";
import { NodeEventKind } from "../dxg/request.js";
import type { Application } from "../node-server/shelf.test.fixture.js";
import { gone, KernelStage } from "./kernel-stage.test.fixture.js";

interface Used {
  readonly stage: KernelStage;
  application: Application | null;
  /** What the application has by then: an adapter, a device, a context. */
  handle: number;
}

const applicationOf = ({ application }: Used): Application => application as Application;

function use(world: World): Used {
  return { stage: new KernelStage(world), application: null, handle: 0 };
}

/** The application has left, the vGPU being there: the host was told to forget its process. */
async function forgotten({ stage, application }: Used, world: World): Promise<void> {
  application?.leave();
  await stage.quiet();
  const { processes } = stage.host;
  world.expect(processes.size === 0, `processes are left at the host: ${[...processes].join(", ")}`);
  await stage.end();
}

/** As `forgotten`; and nobody died in the middle of anything, so that each object was given back by itself. */
async function givenBack(used: Used, world: World): Promise<void> {
  const { stage } = used;
  used.application?.leave();
  await stage.quiet();
  const left = [...stage.host.objects].filter((object) => !object.startsWith("adapter"));
  world.expect(left.length === 0, `left at the host: ${left.join(", ")}`);
  await forgotten(used, world);
}

export const openMeetsRescind: Program<Used> = {
  name: "an application opens a vGPU's node while the vGPU goes",
  setup(world) {
    const used = use(world);
    const { stage } = used;
    world.task("rescind", async () => stage.vgpu.rescind("taken away"));
    world.task("application", async () => {
      await stage.may(
        async () => {
          used.application = await stage.enter();
        },
        ...gone,
      );
    });
    return used;
  },
  before: ({ stage }) => stage.start(),
  after: ({ stage, application }) => {
    application?.leave();
    return stage.end();
  },
};

export const requestMeetsRescind: Program<Used> = {
  name: "an application's request is under way while its vGPU goes",
  setup(world) {
    const used = use(world);
    const { stage } = used;
    world.task("rescind", async () => stage.vgpu.rescind("taken away"));
    world.task("application", async () => {
      await stage.may(() => stage.device(applicationOf(used)), ...gone);
    });
    return used;
  },
  async before(used) {
    await used.stage.start();
    used.application = await used.stage.enter();
  },
  after: ({ stage, application }) => {
    application?.leave();
    return stage.end();
  },
};

export const deathMeetsCreation: Program<Used> = {
  name: "an application dies while the host makes it a device: the host is told to forget both",
  setup(world) {
    const used = use(world);
    const { stage } = used;
    world.task("create", async () => {
      await stage.may(
        () => stage.ask(applicationOf(used), ioctl.createDevice, { adapter: used.handle }),
        ...gone,
      );
    });
    world.task("die", async () => applicationOf(used).leave());
    return used;
  },
  async before(used) {
    await used.stage.start();
    used.application = await used.stage.enter();
    used.handle = await used.stage.adapter(used.application);
  },
  after: forgotten,
};

interface Losing extends Used {
  answer: string;
  /** Whether the host has said that the device is lost. */
  told: "no" | "yes";
}

export const lossMeetsCreation: Program<Losing> = {
  name: "an engine dies while it makes a device: the application hears of it, by the answer or by an event",
  setup(world) {
    const losing: Losing = Object.assign(use(world), { answer: "", told: "no" as const });
    const { stage } = losing;
    world.task("create", async () => {
      losing.answer = await stage.may(
        () => stage.ask(applicationOf(losing), ioctl.createDevice, { adapter: losing.handle }),
        "ENODEV",
      );
    });
    return losing;
  },
  async before(losing) {
    const { stage } = losing;
    await stage.start();
    losing.application = await stage.enter();
    losing.handle = await stage.adapter(losing.application);
    const [process = 0] = stage.host.processes;
    stage.host.intercept = (name) => {
      if (name !== vgpuCommand.createDevice.name) return;
      stage.rig.runtime.scheduler.spawn("engine dies", async () => {
        stage.rig.runtime.scheduler.access(stage.host, "write");
        for (const object of stage.host.objects) {
          const [kind, number] = object.split(" ");
          if (kind !== "device") continue;
          losing.told = "yes";
          stage.host.loseDevice(stage.vgpu, process, Number(number));
        }
      });
    };
  },
  async after(losing, world) {
    const { stage, answer, told, application } = losing;
    await stage.quiet();
    const heard = application?.events.some(({ kind }) => kind === NodeEventKind.DEVICE_LOST);
    world.expect(
      told === "no" || answer === "ENODEV" || heard === true,
      "the device is lost and nobody knows",
    );
    await givenBack(losing, world);
  },
};

export const queueMeetsDeath: Program<Used> = {
  name: "an application dies while it makes a queue with a door: no door stays open",
  setup(world) {
    const used = use(world);
    const { stage } = used;
    world.task("create", async () => {
      await stage.may(
        () => stage.ask(applicationOf(used), ioctl.createHwQueue, { context: used.handle }),
        ...gone,
      );
    });
    world.task("die", async () => applicationOf(used).leave());
    return used;
  },
  async before(used) {
    await used.stage.start();
    used.stage.host.reach = 1;
    used.application = await used.stage.enter();
    used.handle = await used.stage.context(used.application);
  },
  after: forgotten,
};

export const queueMeetsDestroy: Program<Used> = {
  name: "a context is destroyed while a queue with a door is made in it: no door stays open, no queue is forgotten",
  setup(world) {
    const used = use(world);
    const { stage } = used;
    world.task("create", async () => {
      await stage.may(
        () => stage.ask(applicationOf(used), ioctl.createHwQueue, { context: used.handle }),
        ...gone,
        "EBADF",
      );
    });
    world.task("destroy", async () => {
      await stage.ask(applicationOf(used), ioctl.destroyContext, { context: used.handle });
    });
    return used;
  },
  async before(used) {
    await used.stage.start();
    used.stage.host.reach = 1;
    used.application = await used.stage.enter();
    used.handle = await used.stage.context(used.application);
  },
  after: givenBack,
};

export const waitMeetsDeath: Program<Used> = {
  name: "an application dies while it waits for a fence, and the vGPU goes",
  setup(world) {
    const used = use(world);
    const { stage } = used;
    world.task("wait", async () => {
      await stage.may(
        () =>
          stage.ask(applicationOf(used), ioctl.waitForSynchronizationObjectFromCpu, {
            device: used.handle,
            objects: [fenceOf.get(used) ?? 0],
            fenceValues: [1n],
          }),
        ...gone,
      );
    });
    world.task("die", async () => applicationOf(used).leave());
    world.task("rescind", async () => stage.vgpu.rescind("taken away"));
    const fenceOf = new Map<Used, number>();
    return Object.assign(used, { fenceOf });
  },
  async before(used) {
    const { stage } = used;
    await stage.start();
    used.application = await stage.enter();
    used.handle = await stage.device(used.application);
    const { syncObject } = await stage.ask(used.application, ioctl.createSynchronizationObject, {
      device: used.handle,
      kind: 5,
    });
    (used as Used & { fenceOf: Map<Used, number> }).fenceOf.set(used, syncObject);
  },
  after: ({ stage, application }) => {
    application?.leave();
    return stage.end();
  },
};

export const twoProcesses: Program<Used> = {
  name: "two applications use one vGPU; one dies while the other makes a device",
  setup(world) {
    const used = use(world);
    const { stage } = used;
    world.task("first", async () => applicationOf(used).leave());
    world.task("second", async () => {
      const second = await stage.enter();
      await stage.device(second);
      second.leave();
    });
    return used;
  },
  async before(used) {
    await used.stage.start();
    used.application = await used.stage.enter();
    await used.stage.device(used.application);
  },
  after: givenBack,
};

export const openMeetsDeath: Program<Used> = {
  name: "an application dies while its node is opened: the host has no process of it",
  setup(world) {
    const used = use(world);
    const { stage } = used;
    const application = (): Application => (used.application ??= stage.rig.shelf.visit("dxg0"));
    world.task("open", async () => {
      await stage.may(() => application().hello(), "ENODEV");
    });
    world.task("die", async () => application().leave());
    return used;
  },
  before: ({ stage }) => stage.start(),
  after: forgotten,
};

export const unboundWhileAsked: Program<Used> = {
  name: "a vGPU's driver is unbound by hand while a request is under way and the application dies",
  setup(world) {
    const used = use(world);
    const { stage } = used;
    world.task("administrator", () => stage.unbind());
    world.task("create", async () => {
      await stage.may(
        () => stage.ask(applicationOf(used), ioctl.createDevice, { adapter: used.handle }),
        ...gone,
      );
    });
    world.task("die", async () => applicationOf(used).leave());
    return used;
  },
  async before(used) {
    await used.stage.start();
    used.application = await used.stage.enter();
    used.handle = await used.stage.adapter(used.application);
  },
  after: forgotten,
};

export const stopMeetsRequest: Program<Used> = {
  name: "the guest stops while a request is under way",
  setup(world) {
    const used = use(world);
    const { stage } = used;
    world.task("stop", () => stage.rig.stop());
    world.task("create", async () => {
      await stage.may(() => stage.device(applicationOf(used)), ...gone);
      applicationOf(used).leave();
    });
    return used;
  },
  async before(used) {
    await used.stage.start();
    used.application = await used.stage.enter();
  },
  after: ({ stage }) => stage.end(),
};

export const cutMeetsRequest: Program<Used> = {
  name: "the connection to the host breaks while a request is under way and another application opens the node",
  setup(world) {
    const used = use(world);
    const { stage } = used;
    world.task("cut", async () => stage.rig.pipe.cut());
    world.task("create", async () => {
      await stage.may(() => stage.device(applicationOf(used)), ...gone);
    });
    world.task("other", async () => {
      await stage.may(async () => (await stage.enter()).leave(), ...gone);
    });
    return used;
  },
  async before(used) {
    await used.stage.start();
    used.application = await used.stage.enter();
  },
  after: ({ stage, application }) => {
    application?.leave();
    return stage.end();
  },
};
