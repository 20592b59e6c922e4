/**
 * Mdevs created, removed and unregistered in every order, one program for each dispute. A program with a plant does what
 * somebody has done wrong, so that the search has something to find.
 */
import {
  type Attribute,
  Completion,
  Device,
  DeviceNode,
  KernelError,
  Mutex,
  miscClass,
  noDeadline,
} from "parhelion-core";
import { outcomeOf, type Program, type World } from "parhelion-explorer";
import type { MdevDevice, MdevParentInit } from "../index.js";
import { MdevStage, named, other, uuid } from "./mdev-stage.test.fixture.js";

const end = (stage: MdevStage): Promise<void> => stage.end();

/**
 * @param through the file is what unregister waits for; the method makes one without a driver in fewer steps
 * @param plant create waits for a lock that whoever unregisters holds, as with a gate that is not only tried
 */
export function createAndUnregister(through: "method" | "file", plant?: "create waits"): Program<MdevStage> {
  return {
    name: named(`D7.1: create, by its ${through}, and unregister`, plant),
    setup(world) {
      const lock = new Mutex(world.runtime, "gate");
      const stage = new MdevStage(world, 1, {
        ...(plant && { create: () => lock.withLock(() => "state"), release: () => {} }),
      });
      world.task("create", async () => {
        if (through === "file") await stage.create(uuid, "ENODEV", "ENOENT");
        else await stage.make(uuid, ["ENODEV"]);
      });
      world.task("unregister", () =>
        plant ? lock.withLock(() => stage.parent.unregister()) : stage.parent.unregister(),
      );
      return stage;
    },
    before: (stage) => stage.begin(),
    after: end,
  };
}

/**
 * @param through as above
 * @param plant remove waits for a lock that whoever unregisters holds; or unregister goes on while the devices go
 */
export function removeAndUnregister(
  through: "method" | "file",
  plant?: "remove waits" | "unregister does not wait",
): Program<MdevStage> {
  const use = through === "method" ? null : "projected";
  return {
    name: named(`D7.2: remove, by its ${through}, and unregister`, plant),
    setup(world) {
      const lock = new Mutex(world.runtime, "gate");
      const waiting = (stage: () => MdevStage): Attribute<MdevDevice> => ({
        name: "go",
        store: (mdev) => lock.withLock(() => stage().mdev.remove(mdev.uuid)),
      });
      const waits = plant === "remove waits";
      const stage: MdevStage = new MdevStage(world, 1, waits ? own(waiting(() => stage)) : {});
      world.task("remove", async () => {
        if (through === "file") await stage.write(waits ? "go" : "remove", "ENODEV", "ENOENT");
        else await outcomeOf(() => stage.mdev.remove(uuid), "ENODEV");
      });
      world.task("unregister", () => {
        const unregister = () => stage.parent.unregister({ deadline: noDeadline });
        return waits ? lock.withLock(unregister) : unregister();
      });
      return stage;
    },
    async before(stage) {
      await stage.begin();
      const { removed } = await stage.parent.create("full", uuid, { use });
      if (plant === "unregister does not wait") removed.wait = () => Promise.resolve();
    },
    async after(stage, world) {
      const life = use === null ? "add remove" : "add bind unbind remove";
      world.expect(stage.events.join(" ") === life, stage.events.join(" "));
      await stage.end();
    },
  };
}

/** @param plant the file stays until the device goes, and the device until nobody is in the file */
export function twoRemoves(plant?: "the file stays"): Program<MdevStage> {
  return {
    name: named("D7.3: two removes", plant),
    setup(world) {
      const stays = (stage: () => MdevStage): Attribute<MdevDevice> => ({
        name: "go",
        store: (mdev) => stage().system.removeDevice(mdev, { deadline: noDeadline }),
      });
      const stage: MdevStage = new MdevStage(world, 1, plant ? own(stays(() => stage)) : {});
      for (const name of ["one", "two"]) {
        world.task(name, async () => {
          await stage.write(plant ? "go" : "remove", "ENODEV", "ENOENT");
        });
      }
      return stage;
    },
    before: (stage) => stage.begin([uuid]),
    async after(stage, world) {
      world.expect(stage.mdev.find(uuid) === undefined, "it is still there");
      await stage.end();
    },
  };
}

/** @param plant the file removes itself, then looks whether it may */
export function earlyRemove(plant?: "removes itself first"): Program<MdevStage> {
  const file = plant ? "go" : "remove";
  return {
    name: named("D7.4: a service removes what it has just been told of", plant),
    setup(world) {
      const first = (stage: () => MdevStage): Attribute<MdevDevice> => ({
        name: "go",
        async store(mdev, _text, context) {
          if (!(await context.removeSelf({ deadline: noDeadline }))) return;
          if (mdev.life.state === "creating") throw new KernelError("EAGAIN", "it is not active yet");
          await stage().mdev.remove(mdev.uuid);
        },
      });
      const stage: MdevStage = new MdevStage(world, 1, plant ? own(first(() => stage)) : {});
      world.task("create", async () => {
        await stage.create(uuid);
      });
      world.task("service", async () => {
        await stage.write(file, "ENOENT", "EAGAIN", "ENODEV");
      });
      return stage;
    },
    before: (stage) => stage.begin(),
    async after(stage, world) {
      if (stage.mdev.find(uuid) !== undefined) {
        world.expect(stage.system.sysfs.has(stage.file(file)), "it can't be removed any more");
        await stage.write(file);
        world.expect(stage.mdev.find(uuid) === undefined, "it was not removed");
      }
      await stage.end();
    },
  };
}

/**
 * D7.5 and D7.6. The user does not react; the remover may have it open itself.
 * @param plant the driver's remove waits until the user has closed, as VFIO's does
 */
export function removeOpen(
  remover: "somebody else" | "its user",
  plant?: "remove waits",
): Program<MdevStage> {
  return {
    name: named(`${remover === "its user" ? "D7.6" : "D7.5"}: ${remover} removes what is open`, plant),
    setup(world) {
      const stage = new MdevStage(world);
      const closed = new Completion(world.runtime, "closed");
      const node = nodeOf(world, () => closed.completeAll());
      stage.drivers[1] = stage.watched("local", {
        async probe(mdev) {
          const child = new Device(world.runtime, { name: "node", parent: mdev, class: miscClass, node });
          await stage.system.addDevice(child);
          return child;
        },
        async remove(_mdev, child) {
          if (plant) await closed.wait({ deadline: noDeadline });
          await stage.system.unregisterDevice(child as Device);
        },
      });
      stage.system.registerClass(miscClass);
      world.task("remover", async () => {
        const file = remover === "its user" ? await node.open() : null;
        await stage.remove(uuid);
        await file?.close();
      });
      if (remover === "somebody else") {
        world.task("create again", async () => {
          await stage.create(uuid, "EEXIST", "EUSERS");
        });
      }
      return Object.assign(stage, { node });
    },
    async before(stage) {
      await stage.begin();
      await stage.parent.create("full", uuid, { use: "local" });
      const { node } = stage as MdevStage & { node: DeviceNode };
      if (remover === "somebody else") Object.assign(stage, { opened: await node.open() });
    },
    async after(stage, world) {
      const { opened } = stage as MdevStage & { opened?: { close(): Promise<void> } };
      if (remover === "somebody else") {
        world.expect(stage.mdev.find(uuid) === undefined, "its uuid is free while it is open");
      }
      await opened?.close();
      await stage.end();
    },
  } as Program<MdevStage>;
}

/**
 * Uuids that each parent keeps for itself would not be found alone: the bus has no two devices of one name either.
 * @param plant each parent has a list of devices and of uuids, which here makes each a bus
 */
export function sameUuid(plant?: "a list for each parent"): Program<MdevStage> {
  return {
    name: named("D7.8: two parents and one uuid", plant),
    setup(world) {
      const stage = new MdevStage(world, 2);
      const apart = plant ? new MdevStage(world, 2) : null;
      const answers: string[] = [];
      for (const index of [0, 1]) {
        world.task(`parent ${index}`, async () => {
          const parent = index === 1 && apart !== null ? apart.parent : stage.parents[index];
          const answer = await stage.make(uuid, ["EEXIST"], parent);
          world.writes({ name: "answers" });
          answers.push(answer);
        });
      }
      return Object.assign(stage, { answers, apart });
    },
    async before(stage) {
      const { apart } = stage as MdevStage & { apart: MdevStage | null };
      await stage.begin([], apart === null ? ["gpu0", "gpu1"] : ["gpu0"]);
      await apart?.begin([], ["gpu1"]);
    },
    async after(stage, world) {
      const { answers } = stage as MdevStage & { answers: string[] };
      world.expect(answers.toSorted().join() === "EEXIST,done", `they answer ${answers.join()}`);
      await stage.mdev.remove(uuid);
      await stage.end();
    },
  };
}

/**
 * Linux leaks the bus's own count. Ours is taken and given back around the parent's create, where nothing can come in
 * between; what the parent counts is left to it.
 * @param plant what the parent takes before it fails stays taken
 */
export function noMemory(plant?: "what was taken stays"): Program<MdevStage> {
  return {
    name: named("D7.9: an allocation fails while another device is created", plant),
    setup(world) {
      const failing = { left: 1 };
      const stage: MdevStage = new MdevStage(world, 1, {
        async create(request) {
          if (request.uuid !== uuid || failing.left === 0) return taken(stage, world);
          failing.left = 0;
          if (plant) stage.instances.take();
          await world.point("allocate");
          throw new KernelError("ENOMEM", "no memory");
        },
      });
      world.task("create", async () => {
        await stage.make(uuid, ["ENOMEM", "EUSERS"]);
      });
      world.task("create another", async () => {
        await stage.make(other, ["EUSERS"]);
      });
      return Object.assign(stage, { failing });
    },
    before: (stage) => stage.begin(),
    async after(stage) {
      const { failing } = stage as MdevStage & { failing: { left: number } };
      failing.left = 0;
      await stage.end();
    },
  };
}

/** @param plant the parent's memory goes when it is unregistered */
export function lateReference(plant?: "freed when unregistered"): Program<MdevStage> {
  return {
    name: named("D7.10: the last reference is given back when the parent is unregistered", plant),
    setup(world) {
      const memory = world.allocate("parent's memory", { taken: 0 });
      const stage: MdevStage = new MdevStage(world, 1, {
        create: () => {
          memory.taken = 1;
          return "state";
        },
        release: () => {
          memory.taken = 0;
        },
        free: () => {
          if (!plant) world.free(memory);
        },
      });
      const held: { mdev: MdevDevice | null } = { mdev: null };
      world.task("unregister", async () => {
        await stage.parent.unregister();
        if (plant) world.free(memory);
      });
      world.task("late holder", async () => {
        await world.point("busy with it");
        held.mdev?.put();
      });
      return Object.assign(stage, { held });
    },
    async before(stage) {
      await stage.begin([uuid]);
      const { held } = stage as MdevStage & { held: { mdev: MdevDevice | null } };
      held.mdev = stage.mdev.find(uuid) ?? null;
      held.mdev?.get();
    },
    after: end,
  };
}

/** @param plant the parent looks, and takes when it has waited */
export function advisory(plant?: "looks, then takes"): Program<MdevStage> {
  return {
    name: named("D7.12: two creates that have both seen room for one", plant),
    setup(world) {
      const stage: MdevStage = new MdevStage(world, 1, {
        available: { policy: "computed", of: () => stage.instances.free },
        async create(request) {
          world.reads(stage.instances);
          if (stage.instances.free === 0) throw new KernelError("ENOSPC", "nothing is left");
          if (plant) await world.point("sure that there is room");
          taken(stage, world);
          return request.uuid;
        },
      });
      for (const wanted of [uuid, other]) {
        world.task(`create ${wanted.at(-1)}`, async () => {
          const [type] = stage.parent.types;
          if (type === undefined || stage.parent.availableInstances(type) === 0) return;
          await world.point("has seen room");
          await stage.make(wanted, ["ENOSPC"]);
        });
      }
      return stage;
    },
    before: (stage) => stage.begin(),
    after: end,
  };
}

function own(attribute: Attribute<MdevDevice>): Partial<MdevParentInit<string>> {
  return { groups: [{ attributes: [attribute] }] };
}

function taken(stage: MdevStage, world: World): string {
  world.expect(stage.instances.take(), "more is made than there is");
  return "state";
}

function nodeOf(world: World, closed: () => void): DeviceNode {
  return new DeviceNode(world.runtime, {
    name: "mdev-node",
    open: () => ({ request: (text: unknown) => text, release: closed }),
  }) as DeviceNode;
}
