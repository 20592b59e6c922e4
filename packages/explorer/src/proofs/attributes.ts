/** Attributes and class interfaces against the removal of the device that they are of. */
import type { Attribute, Device, DeviceClass } from "parhelion-core";
import type { Program } from "../program.js";
import { Model } from "./model.js";

interface Shared {
  readonly model: Model;
  readonly device: Device;
}

const added = ({ model, device }: Shared): Promise<void> => model.system.addDevice(device);

export const showMeetsRemoval: Program<Shared> = {
  name: "an attribute is read by two while its device is removed: nothing runs on it afterwards",
  setup(world) {
    const model = new Model(world);
    const state = world.share("what the attribute shows", { there: "yes" });
    const value: Attribute = {
      name: "value",
      async show() {
        await world.point("show");
        world.expect(state.there === "yes", "it is shown after the removal");
        return "42\n";
      },
    };
    const device = model.device("device", { attributes: [value] });
    for (const name of ["first", "second"])
      world.task(name, async () => {
        await model.may(() => device.attributes.read("value"), "ENODEV", "ENOENT");
      });
    world.task("remove", async () => {
      await model.system.removeDevice(device);
      state.there = "no";
    });
    return { model, device };
  },
  before: added,
  after: ({ model }) => model.end(),
};

export const removesItself: Program<Shared> = {
  name: "two write to an attribute that removes its own device, while somebody else removes the device: one does it",
  setup(world) {
    const model = new Model(world);
    const winners = world.share("winners", { count: 0 });
    const remove: Attribute = {
      name: "remove",
      async store(_subject, _text, context) {
        if (!(await context.removeSelf())) return;
        if ((await model.may(() => model.system.removeDevice(device), "ENODEV")) === "done")
          winners.count += 1;
      },
    };
    const device = model.device("device", { attributes: [remove] });
    for (const name of ["first", "second"])
      world.task(name, async () => {
        await model.may(() => device.attributes.write("remove", "1"), "ENODEV", "ENOENT");
      });
    world.task("other", async () => {
      if ((await model.may(() => model.system.removeDevice(device), "ENODEV")) === "done") winners.count += 1;
    });
    return Object.assign({ model, device }, { winners });
  },
  before: added,
  after(shared, world) {
    const { winners } = shared as Shared & { winners: { count: number } };
    world.expect(winners.count === 1, `${winners.count} have removed it`);
    return shared.model.end();
  },
};

export const lockMeetsRemoval: Program<Shared> = {
  name: "an attribute wants its device's lock while the device is removed and another one holds the lock",
  setup(world) {
    const model = new Model(world);
    const value: Attribute = {
      name: "value",
      async store(_subject, _text, context) {
        const guard = await context.lockUnlessRemoved(device.mutex);
        await world.point("with the lock");
        guard.release();
      },
    };
    const device = model.device("device", { attributes: [value] });
    world.task("write", async () => {
      await model.may(() => device.attributes.write("value", "1"), "ENODEV", "ENOENT");
    });
    world.task("lock", () => device.mutex.withLock(() => world.point("holds")));
    world.task("remove", () => model.system.removeDevice(device));
    return { model, device };
  },
  before: added,
  after: ({ model }) => model.end(),
};

export const interfaceMeetsMember: Program<Shared> = {
  name: "a device of a class is added and removed while an interface comes and goes: each hears of the other once",
  setup(world) {
    const model = new Model(world);
    const deviceClass: DeviceClass = { name: "class" };
    model.system.registerClass(deviceClass);
    const device = model.device("device", { class: deviceClass });
    const heard = world.share("what the interface heard", { members: 0 });
    const each = {
      async addDevice() {
        heard.members += 1;
        world.expect(heard.members === 1, "it hears of one device twice");
        await world.point("interface: add");
      },
      async removeDevice() {
        await world.point("interface: remove");
        heard.members -= 1;
        world.expect(heard.members === 0, "it hears that a device goes which it never met");
      },
    };
    world.task("device", async () => {
      await model.system.addDevice(device);
      await model.system.removeDevice(device);
    });
    world.task("interface", async () => {
      await model.system.registerInterface(deviceClass, each);
      await model.system.unregisterInterface(deviceClass, each);
      world.expect(heard.members === 0, "it has gone, and was not told that its device did");
    });
    return { model, device };
  },
  after: ({ model }) => model.end(),
};
