/** A VFIO device is opened, used and closed while it is removed, in every order. */
import { Completion, noDeadline } from "parhelion-core";
import { outcomeOf, type Program } from "parhelion-explorer";
import { type AttachedDevice, deviceCall, VfioDevice } from "../index.js";
import { named, VfioStage } from "./vfio-stage.test.fixture.js";

const end = (stage: VfioStage): Promise<void> => stage.end();
type WithUser = VfioStage & { user?: AttachedDevice };

/** @param plant the driver makes the node itself, before the device is registered */
export function nodeBeforeCount(plant?: "node first"): Program<VfioStage> {
  return {
    name: named("D8.5: a device is registered while somebody opens its node as soon as it is there", plant),
    setup(world) {
      const stage = new VfioStage(world);
      world.task("register", async () => {
        const device = stage.make(stage.parent);
        if (plant) await stage.system.addDevice(device);
        else await stage.vfio.register(device, { iommu: "emulated" });
      });
      world.task("opener", async () => {
        const node = stage.system.nodes.get("vfio0");
        if (node === undefined) return;
        const answer = await outcomeOf(async () => (await node.open()).close(), "ENODEV");
        world.expect(answer === "done", "ENODEV from a node that can be seen");
      });
      return stage;
    },
    before: (stage) => stage.begin("unbound"),
    async after(stage) {
      if (plant) await stage.system.removeDevice(stage.device);
      else await stage.vfio.unregister(stage.device);
      stage.device.put();
      await stage.end();
    },
  };
}

/** @param plant the driver takes its data down when it is removed, not when the last reference is gone */
export function openAndUnregister(plant?: "remove does not wait"): Program<VfioStage> {
  return {
    name: named("open, read and close while the driver is unbound", plant),
    setup(world) {
      const stage: VfioStage = new VfioStage(world, {
        options: { revokeMs: 0 },
        ...(plant && {
          driver: (made) => ({
            remove: (_parent, device) => {
              world.runtime.scheduler.spawn("unregister later", async () => {
                await made.vfio.unregister(device);
                device.put();
              });
            },
          }),
        }),
      });
      world.task("user", async () => {
        const node = stage.system.nodes.get("vfio0");
        if (node === undefined) return;
        const opened: { user: AttachedDevice | null } = { user: null };
        await outcomeOf(async () => {
          opened.user = await stage.attached();
        }, "ENODEV");
        if (opened.user === null) return;
        await stage.read(opened.user.file);
        await opened.user.close();
      });
      world.task("unbind", async () => {
        await stage.system.detach(stage.parent);
        world.expect(stage.device.life === "unregistered", "its driver is unbound, and it can be used");
      });
      return stage;
    },
    before: (stage) => stage.begin(),
    after: end,
  };
}

/** Closes the device before it waits for what runs on it. */
class Hasty extends VfioDevice {
  override async revoke(): Promise<void> {
    await this.ops.closeDevice?.();
    await super.revoke();
  }
}

/** @param plant the device is closed by hand, whatever runs on it */
export function closeAndRevoke(plant?: "closed by hand"): Program<WithUser> {
  return {
    name: named("close, and a read under way, while the device is revoked", plant),
    setup(world) {
      const stage: WithUser = new VfioStage(world, {
        options: { revokeMs: 0 },
        ...(plant && { DeviceClass: Hasty }),
      });
      world.task("reader", async () => {
        const { user } = stage;
        if (user === undefined) return;
        await outcomeOf(() => deviceCall(user.file, "READ", { offset: 0n, length: 4 }), "ENODEV", "EBADF");
      });
      world.task("closer", async () => {
        await stage.user?.close();
      });
      world.task("unbind", () => stage.system.detach(stage.parent));
      return stage;
    },
    async before(stage) {
      await stage.begin();
      stage.user = await stage.attached();
    },
    after: end,
  };
}

/**
 * D7.5 and D7.6: the user does not react, or is the one who removes.
 * @param plant the driver's remove waits until its device is closed, as Linux's does
 */
export function removeOpen(remover: "somebody else" | "its user", plant?: "remove waits"): Program<WithUser> {
  return {
    name: named(`${remover === "its user" ? "D7.6" : "D7.5"}: ${remover} removes what is open`, plant),
    setup(world) {
      const closed = new Completion(world.runtime, "closed");
      let asked = 0;
      const stage: WithUser = new VfioStage(world, {
        options: { revokeMs: 1000 },
        ops: () => ({
          request: (count) => {
            world.expect(count === asked, `asked for the ${asked}th time as the ${count}th`);
            asked += 1;
          },
        }),
        ...(plant && {
          driver: (made) => ({
            remove: async (_parent, device) => {
              await closed.wait({ deadline: noDeadline });
              await made.vfio.unregister(device);
              device.put();
            },
          }),
        }),
      });
      world.task("remover", async () => {
        if (remover === "its user") stage.user = await stage.attached();
        await stage.system.removeDevice(stage.parent, { deadline: noDeadline });
        world.expect(asked === 1, `the user was asked ${asked} times in a second`);
        const { user } = stage;
        if (user === undefined) return;
        world.expect((await stage.read(user.file)) === "ENODEV", "an open file of what was removed answers");
        await user.close();
        closed.completeAll();
      });
      if (remover === "somebody else") {
        // While the user has its time nobody holds the lock of what is to go.
        world.task("passer-by", async () => {
          const soon = world.runtime.clock.now() + 1;
          const held = await outcomeOf(
            () => stage.parent.mutex.withLock(() => {}, { deadline: soon }),
            "ETIMEDOUT",
          );
          world.expect(held === "done", "whoever holds the lock waits for a user");
        });
      }
      return stage;
    },
    async before(stage) {
      await stage.begin();
      if (remover === "somebody else") stage.user = await stage.attached();
    },
    after: end,
  };
}

/** The user closes when asked: then nothing is revoked, and nobody waits any longer. */
export const closesWhenAsked: Program<WithUser> = {
  name: "a user who closes when asked is not cut off",
  setup(world) {
    const asked = new Completion(world.runtime, "asked");
    const stage: WithUser = new VfioStage(world, {
      options: { revokeMs: 1000 },
      ops: () => ({ request: () => asked.completeAll() }),
    });
    world.task("user", async () => {
      await asked.wait({ deadline: noDeadline });
      const { user } = stage;
      if (user === undefined) return;
      world.expect((await stage.read(user.file)) === "done", "cut off though its time was not over");
      await user.close();
    });
    world.task("unbind", () => stage.system.detach(stage.parent, undefined, { deadline: noDeadline }));
    return stage;
  },
  async before(stage) {
    await stage.begin();
    stage.user = await stage.attached();
  },
  async after(stage, world) {
    world.expect(!world.log.some(({ event }) => event === "vfio.revoked"), "it was revoked");
    await stage.end();
  },
};

/**
 * The driver waits for the user's memory when the device is revoked.
 * @param plant it waits for the user by other means than `dma`
 */
export function dmaAndRevoke(plant?: "waits by itself"): Program<WithUser> {
  return {
    name: named("a write waits for the user's memory while the device is revoked", plant),
    setup(world) {
      const answers = new Completion<Uint8Array>(world.runtime, "the user's answer");
      const stage: WithUser = new VfioStage(world, {
        options: { revokeMs: 1000 },
        ops: (made) => ({
          write: async () => {
            if (plant) await answers.wait({ deadline: noDeadline });
            else await made.device.dma.read(0n, 16);
          },
        }),
      });
      world.task("user", async () => {
        const { user } = stage;
        if (user === undefined) return;
        const wrote = user.call("WRITE", { offset: 0n, bytes: Uint8Array.of(1) }, { deadline: noDeadline });
        await outcomeOf(() => wrote, "ENODEV");
      });
      world.task("unbind", () => stage.system.detach(stage.parent, undefined, { deadline: noDeadline }));
      return Object.assign(stage, { answers });
    },
    async before(stage) {
      await stage.begin();
      stage.user = await stage.attached();
      const { answers } = stage as WithUser & { answers: Completion<Uint8Array> };
      const late = { deadline: noDeadline };
      await stage.user.map(0n, 4096n, { read: () => answers.wait(late), write: () => {} });
    },
    async after(stage) {
      const { answers } = stage as WithUser & { answers: Completion<Uint8Array> };
      answers.completeAll(new Uint8Array(16));
      await stage.user?.close();
      await stage.end();
    },
  };
}
