/** Channels and connections in every order: what the guest does, what the host does, and a connection that may break. */

import type { Program } from "parhelion-explorer";
import type { VmbusChannel, VmbusConnection } from "../index.js";
import { instance, Stage } from "./stage.test.fixture.js";

const end = (stage: Stage): Promise<void> => stage.end();

/** Connected, with one channel offered and a driver bound to it. */
async function withDriver(stage: Stage): Promise<void> {
  await stage.rig.system.registerDriver(stage.driver());
  await stage.connect(() => stage.offer());
}

/** For tasks that work on what `before` has made. */
interface Opened {
  readonly stage: Stage;
  channel: VmbusChannel | null;
}

const channelOf = ({ channel }: Opened): VmbusChannel => channel as VmbusChannel;

export const connectMeetsCut: Program<Stage> = {
  name: "a guest connects while its connection breaks: it is connected or refused, and nothing stays",
  setup(world) {
    const stage = new Stage(world);
    world.task("connect", async () => {
      await stage.may(() => stage.connect(), "ECONNRESET");
    });
    world.task("cut", async () => {
      stage.rig.pipe.cut();
    });
    return stage;
  },
  after: end,
};

export const offerMeetsDriver: Program<Stage> = {
  name: "a channel is offered and taken back while a driver for it is registered",
  setup(world) {
    const stage = new Stage(world);
    const driver = stage.driver();
    world.task("host", async () => {
      stage.offer();
      await world.point("offered");
      stage.rescind();
    });
    world.task("register", () => stage.rig.system.registerDriver(driver));
    return stage;
  },
  before: async (stage) => {
    await stage.connect();
  },
  after: end,
};

export const openMeetsRescind: Program<Opened> = {
  name: "a channel is opened while it is taken back",
  setup(world) {
    const shared: Opened = { stage: new Stage(world), channel: null };
    const { stage } = shared;
    world.task("open", async () => {
      const answer = await stage.may(() => stage.open(channelOf(shared)), "ENODEV");
      if (answer === "done") await stage.may(() => stage.request(channelOf(shared)), "ENODEV");
    });
    world.task("rescind", async () => stage.rescind());
    return shared;
  },
  async before(shared) {
    await shared.stage.connect(() => shared.stage.offer());
    shared.channel = shared.stage.device().channel;
  },
  after: ({ stage }) => stage.end(),
};

export const requestMeetsRescindAndClose: Program<Opened> = {
  name: "a request waits while the host takes its channel back and the guest closes it: it is answered or gets ENODEV",
  setup(world) {
    const shared: Opened = { stage: new Stage(world), channel: null };
    const { stage } = shared;
    world.task("request", async () => {
      await stage.may(() => stage.request(channelOf(shared)), "ENODEV");
    });
    world.task("rescind", async () => stage.rescind());
    world.task("close", async () => channelOf(shared).close());
    return shared;
  },
  async before(shared) {
    shared.channel = await shared.stage.connectOpen();
  },
  after: ({ stage }) => stage.end(),
};

export const requestMeetsCut: Program<Opened> = {
  name: "a request is answered while the connection breaks",
  setup(world) {
    const shared: Opened = { stage: new Stage(world), channel: null };
    const { stage } = shared;
    world.task("request", async () => {
      await stage.may(() => stage.request(channelOf(shared)), "ENODEV");
    });
    world.task("cut", async () => stage.rig.pipe.cut());
    return shared;
  },
  async before(shared) {
    shared.channel = await shared.stage.connectOpen();
  },
  after: ({ stage }) => stage.end(),
};

export const twoRescinds: Program<Stage> = {
  name: "a channel with a driver is taken back twice",
  setup(world) {
    const stage = new Stage(world);
    world.task("first", async () => stage.rescind());
    world.task("second", async () => stage.rescind("again"));
    return stage;
  },
  before: withDriver,
  after: end,
};

export const rescindMeetsLeaving: Program<Stage> = {
  name: "a channel with a driver is taken back while the guest leaves",
  setup(world) {
    const stage = new Stage(world);
    world.task("rescind", async () => stage.rescind());
    world.task("leave", () => stage.rig.close());
    return stage;
  },
  before: withDriver,
  after: end,
};

export const offeredAgain: Program<Stage> = {
  name: "a channel is taken back and offered again while its driver still lets go of the first",
  setup(world) {
    const stage = new Stage(world);
    world.task("host", async () => {
      stage.rescind();
      await world.point("taken back");
      stage.offer();
    });
    return stage;
  },
  async before(stage) {
    await stage.rig.system.registerDriver(stage.driver());
    await stage.connect(() => stage.offer());
  },
  async after(stage, world) {
    await stage.rig.system.waitForProbe();
    world.expect(stage.devices().length === 1, `${stage.devices().length} devices are there`);
    world.expect(stage.device().bound, "the second one has no driver");
    world.expect(stage.device().name === instance, "it is another");
    await stage.end();
  },
};

export const offeredTwice: Program<Stage> = {
  name: "the same instance is offered twice at once, and both are taken back in either order",
  setup(world) {
    const stage = new Stage(world);
    world.task("first", async () => {
      const channel = stage.offer();
      await world.point("offered");
      channel.rescind("the first");
    });
    world.task("second", async () => {
      const channel = stage.offer();
      await world.point("offered");
      channel.rescind("the second");
    });
    return stage;
  },
  before: async (stage) => {
    await stage.connect();
  },
  after: end,
};

export const unregisterMeetsRescind: Program<Stage> = {
  name: "a driver is unregistered while its channel is taken back",
  setup(world) {
    const stage = new Stage(world);
    const driver = stage.driver();
    world.task("rescind", async () => stage.rescind());
    world.task("unregister", () => stage.rig.system.unregisterDriver(driver));
    return Object.assign(stage, { registered: driver });
  },
  async before(stage) {
    const { registered } = stage as Stage & { registered: ReturnType<Stage["driver"]> };
    await stage.rig.system.registerDriver(registered);
    await stage.connect(() => stage.offer());
  },
  after: end,
};

export const leavingMeetsAll: Program<Opened> = {
  name: "a guest leaves while one channel is offered, and a request waits on another that is taken back",
  setup(world) {
    const shared: Opened = { stage: new Stage(world), channel: null };
    const { stage } = shared;
    world.task("request", async () => {
      await stage.may(() => stage.request(channelOf(shared)), "ENODEV");
    });
    world.task("host", async () => {
      stage.rescind();
      await world.point("taken back");
      await stage.may(async () => stage.offer(), "ENODEV");
    });
    world.task("leave", () => stage.rig.close());
    return shared;
  },
  async before(shared) {
    shared.channel = await shared.stage.connectOpen();
  },
  after: ({ stage }) => stage.end(),
};

export const bothHangUp: Program<{ stage: Stage; guest: VmbusConnection | null }> = {
  name: "guest and host end a connection at once, and the guest twice",
  setup(world) {
    const shared: { stage: Stage; guest: VmbusConnection | null } = { stage: new Stage(world), guest: null };
    const { stage } = shared;
    world.task("host", async () => stage.rig.host().close());
    for (const name of ["guest", "guest again"]) world.task(name, async () => shared.guest?.close());
    return shared;
  },
  async before(shared) {
    shared.guest = await shared.stage.connect();
  },
  after: ({ stage }) => stage.end(),
};

export const everythingAtOnce: Program<Stage> = {
  name: "the connection breaks while the guest leaves, a channel with a driver is taken back and another one offered",
  setup(world) {
    const stage = new Stage(world);
    world.task("host", async () => {
      stage.rescind();
      await world.point("taken back");
      await stage.may(async () => stage.offer(), "ENODEV");
    });
    world.task("leave", () => stage.rig.close());
    world.task("cut", async () => stage.rig.pipe.cut());
    return stage;
  },
  before: withDriver,
  after: end,
};

export const openedAgain: Program<Opened> = {
  name: "a guest gives up opening a channel and opens it again; the second opening works",
  setup(world) {
    const shared: Opened = { stage: new Stage(world), channel: null };
    const { stage } = shared;
    world.task("open", async () => {
      const channel = channelOf(shared);
      await stage.may(() => stage.open(channel, 10), "ETIMEDOUT");
      if (channel.state === "open") channel.close();
      await stage.open(channel, Number.POSITIVE_INFINITY);
      await stage.request(channel, Number.POSITIVE_INFINITY);
      channel.close();
    });
    return shared;
  },
  async before(shared) {
    await shared.stage.connect(() => shared.stage.offer());
    shared.channel = shared.stage.device().channel;
  },
  after: ({ stage }) => stage.end(),
};

export const lateReply: Program<Opened> = {
  name: "a request may miss its deadline at any moment while its channel is taken back: what was made late is given back once",
  setup(world) {
    const shared: Opened = { stage: new Stage(world), channel: null };
    const { stage } = shared;
    world.task("request", async () => {
      await stage.may(() => stage.request(channelOf(shared), 10), "ENODEV", "ETIMEDOUT");
    });
    world.task("rescind", async () => stage.rescind());
    return shared;
  },
  async before(shared) {
    shared.channel = await shared.stage.connectOpen();
  },
  after: ({ stage }) => stage.end(),
};
