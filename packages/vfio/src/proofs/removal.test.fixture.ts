/** A VFIO device is opened, used and closed while it is removed, in every order. */
import { Completion, noDeadline } from "parhelion-core";
import { outcomeOf, type Program } from "parhelion-explorer";
import { type AttachedDevice, type DeviceFile, deviceCall, type IommufdFile, VfioDevice } from "../index.js";
import { type Going, named, VfioStage } from "./vfio-stage.test.fixture.js";

const end = (stage: VfioStage): Promise<void> => stage.end();
type WithUser = VfioStage & { user?: AttachedDevice };
type WithIommufd = VfioStage & { iommufd?: IommufdFile | undefined };

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

/** Lets users in whom it does not know when it is taken from them: it takes leave of those that it knows first. */
class Uncounted extends VfioDevice {
  override async revoke(): Promise<void> {
    await this.runtime.scheduler.yield("looks who is there", this);
    if (this.openCount > 0) await super.revoke();
  }
}

/** @param plant the driver takes its data down when it is removed, not when the last reference is gone */
export function openAndUnregister(
  how: Going,
  plant?: "remove does not wait" | "not counted",
): Program<WithIommufd> {
  return {
    name: named(`D8.1: a device is opened and closed while it is ${how}`, plant),
    setup(world) {
      const stage: WithIommufd = new VfioStage(world, {
        options: { revokeMs: 0 },
        ...(plant === "not counted" && { DeviceClass: Uncounted }),
        ...(plant === "remove does not wait" && {
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
        const { iommufd } = stage;
        const got: { file: DeviceFile | null } = { file: null };
        await outcomeOf(async () => {
          got.file = ((await stage.system.nodes.get("vfio0")?.open()) ?? null) as DeviceFile | null;
        }, "ENODEV");
        const { file } = got;
        if (file === null || iommufd === undefined) return;
        await outcomeOf(() => deviceCall(file, "BIND_IOMMUFD", { argsz: 16, flags: 0, iommufd }), "ENODEV");
        await file.close();
      });
      world.task("remover", async () => {
        await stage.go(how);
        const gone = how === "taken" ? "revoked" : "unregistered";
        world.expect(stage.device.life === gone, `it was ${how}, and can be used`);
      });
      return stage;
    },
    async before(stage) {
      await stage.begin();
      stage.iommufd = (await stage.system.nodes.get("iommu")?.open()) as IommufdFile | undefined;
    },
    async after(stage) {
      await stage.iommufd?.close();
      await stage.end();
    },
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
export function closeAndRevoke(how: Going, plant?: "closed by hand"): Program<WithUser> {
  return {
    name: named(`a device is read and closed while it is ${how}`, plant),
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
      world.task("remover", () => stage.go(how));
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
        await stage.system.removeDevice(stage.parent);
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
      stage.user = await stage.attached();
    },
    after: end,
  };
}

/** Asks, and does not wait for the answer. */
class Impatient extends VfioDevice {
  override async leave(): Promise<void> {
    await this.ops.request?.(0);
    await this.revoke();
  }
}

/**
 * What a driver does to ask its user is not waited for longer than the user, nor than a second where that has no time.
 * @param plant whoever takes the device waits for it
 */
export function requestNeverEnds(time: "some" | "no", plant?: "is waited for"): Program<WithUser> {
  return {
    name: named(
      `a device is taken while its driver asks its user, who has ${time} time, and never ends`,
      plant,
    ),
    setup(world) {
      const never = new Completion(world.runtime, "the end of asking");
      const stage: WithUser = new VfioStage(world, {
        options: { revokeMs: time === "some" ? 1000 : 0 },
        ops: () => ({ request: () => never.wait({ deadline: noDeadline }) }),
        ...(plant && { DeviceClass: Impatient }),
      });
      world.task("remover", async () => {
        await stage.go("taken");
        world.expect(stage.device.life === "revoked", "it can be used");
        never.completeAll();
      });
      world.task("user", async () => {
        if (stage.user !== undefined) await stage.read(stage.user.file);
      });
      return stage;
    },
    async before(stage) {
      await stage.begin();
      stage.user = await stage.attached();
    },
    async after(stage) {
      await stage.user?.close();
      await stage.end();
    },
  };
}

/**
 * The user closes when asked: then nothing is revoked, and nobody waits any longer.
 * @param plant its time is over as soon as it is asked
 */
export function closesWhenAsked(how: Going, plant?: "does not wait"): Program<WithUser> {
  return {
    name: named(`a user who closes when asked is not cut off from what is ${how}`, plant),
    setup(world) {
      const asked = new Completion(world.runtime, "asked");
      const stage: WithUser = new VfioStage(world, {
        options: { revokeMs: 1000 },
        ops: () => ({ request: () => asked.completeAll() }),
        ...(plant && { DeviceClass: Impatient }),
      });
      world.task("user", async () => {
        await asked.wait({ deadline: noDeadline });
        const { user } = stage;
        if (user === undefined) return;
        world.expect((await stage.read(user.file)) === "done", "cut off though its time was not over");
        await user.close();
      });
      world.task("remover", () => stage.go(how));
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
}

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
        const wrote = user.call("WRITE", { offset: 0n, bytes: Uint8Array.of(1) });
        await outcomeOf(() => wrote, "ENODEV");
      });
      world.task("remover", () => stage.go("unbound"));
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
