/** Device nodes, their files and mappings, and counts of users, against the removal of what they are of. */
import {
  type CharRegion,
  type Device,
  DeviceNode,
  type FileOperations,
  noDeadline,
  type OpenFile,
  Registration,
} from "parhelion-core";
import type { Program, World } from "../program.js";
import { Model } from "./model.js";

interface Served {
  readonly model: Model;
  readonly device: Device;
  readonly node: DeviceNode<string, string>;
  readonly heard: { opens: number; releases: number; underWay: number };
  file: OpenFile<string, string> | null;
}

/** A device whose driver notices an operation on a file that was released, and counts opens and releases. */
function serve(world: World): Served {
  const model = new Model(world);
  const heard = world.share("what the driver heard", { opens: 0, releases: 0, underWay: 0 });
  const node = new DeviceNode<string, string>(world.runtime, {
    name: "node",
    open: async () => {
      await world.point("driver: open");
      const file = world.allocate(`file ${heard.opens}`, { requests: 0 });
      heard.opens += 1;
      const operations: FileOperations<string, string> = {
        request: async (text) => {
          heard.underWay += 1;
          await world.point("driver: request");
          world.expect(file.requests >= 0, "memory of the file");
          heard.underWay -= 1;
          return `${text}!`;
        },
        map: () => ({ bytes: new Uint8Array(4096), unmap: () => world.point("driver: unmap") }),
        release: () => {
          world.expect(heard.underWay === 0, "a file is released under a request");
          heard.releases += 1;
          world.free(file);
        },
      };
      return operations;
    },
  });
  const device = model.device("device", { node: node as DeviceNode });
  return { model, device, node, heard, file: null };
}

async function ended({ model, heard }: Served, world: World): Promise<void> {
  await model.end();
  world.expect(heard.opens === heard.releases, `${heard.opens} opens and ${heard.releases} releases`);
}

export const openMeetsRemoval: Program<Served> = {
  name: "a node is opened, asked and closed while its device is removed",
  setup(world) {
    const served = serve(world);
    const { model, node, device } = served;
    world.task("open", async () => {
      await model.may(async () => {
        const file = await node.open();
        await model.may(() => file.request("hello"), "ENODEV");
        await file.close();
      }, "ENODEV");
    });
    world.task("remove", () => model.system.removeDevice(device));
    return served;
  },
  before: ({ model, device }) => model.system.addDevice(device),
  after: ended,
};

async function opened(served: Served): Promise<void> {
  await served.model.system.addDevice(served.device);
  served.file = await served.node.open();
}

const fileOf = ({ file }: Served): OpenFile<string, string> => file as OpenFile<string, string>;

export const requestMeetsClose: Program<Served> = {
  name: "a file is closed while a request is under way on it and its device is removed: the driver's release is last",
  setup(world) {
    const served = serve(world);
    const { model, device } = served;
    world.task("request", async () => {
      await model.may(() => fileOf(served).request("hello"), "ENODEV", "EBADF");
    });
    world.task("close", () => fileOf(served).close());
    world.task("remove", () => model.system.removeDevice(device));
    return served;
  },
  before: opened,
  after: ended,
};

export const closedTwice: Program<Served> = {
  name: "a file is closed by two: one of them is told, and it is released once",
  setup(world) {
    const served = serve(world);
    for (const name of ["first", "second"])
      world.task(name, async () => {
        await served.model.may(() => fileOf(served).close(), "EBADF");
      });
    return served;
  },
  before: opened,
  after: ended,
};

export const mappingMeetsRemoval: Program<Served> = {
  name: "memory is mapped and unmapped while its file is closed and its device is removed",
  setup(world) {
    const served = serve(world);
    const { model, device } = served;
    world.task("map", async () => {
      await model.may(
        async () => {
          const mapping = await fileOf(served).map({ offset: 0, length: 4096 });
          await model.may(async () => mapping.write(0, Uint8Array.of(1)), "ENODEV");
          await mapping.unmap();
        },
        "ENODEV",
        "EBADF",
      );
    });
    world.task("close", () => fileOf(served).close());
    world.task("remove", () => model.system.removeDevice(device));
    return served;
  },
  before: opened,
  async after(served, world) {
    await served.model.end();
    await served.model.quiet();
    world.expect(served.heard.opens === served.heard.releases, "the file is not released");
  },
};

export const openMissesDeadline: Program<Served> = {
  name: "an open may miss its deadline at any moment while the device is removed: what still opens is released",
  setup(world) {
    const served = serve(world);
    const { model, node, device } = served;
    world.task("open", async () => {
      await model.may(async () => (await node.open({}, { deadline: 10 })).close(), "ENODEV", "ETIMEDOUT");
    });
    world.task("remove", () => model.system.removeDevice(device, { deadline: noDeadline }));
    return served;
  },
  before: ({ model, device }) => model.system.addDevice(device),
  async after(served, world) {
    await served.model.quiet();
    await ended(served, world);
  },
};

interface Numbered {
  readonly model: Model;
  readonly devices: readonly Device[];
  readonly region: CharRegion;
}

export const numbersAreShared: Program<Numbered> = {
  name: "two devices take the last number of a region at once, and one is removed: nobody has one twice, all come back",
  setup(world) {
    const model = new Model(world);
    const region = model.system.nodes.registerRegion({ name: "region", count: 1 });
    const devices = ["a", "b"].map((name) => {
      const node = new DeviceNode(world.runtime, { name, region, open: () => ({ request: () => "" }) });
      const device = model.device(name, { node });
      world.task(name, async () => {
        await model.may(() => model.system.addDevice(device), "EBUSY");
      });
      return device;
    });
    world.task("remove", async () => {
      await model.may(() => model.system.removeDevice(devices[0] as Device), "ENODEV");
    });
    return { model, devices, region };
  },
  async after({ model, region }, world) {
    await model.end();
    world.expect(region.inUse === 0, `${region.inUse} numbers are in use`);
    model.system.nodes.unregisterRegion(region);
  },
};

export const usersAreWaitedFor: Program = {
  name: "two come to use what is unregistered by two at once: whoever got in is waited for, nobody gets in afterwards",
  setup(world) {
    const registration = new Registration(world.runtime, "registration");
    const memory = world.share("what is used", { there: "yes" });
    for (const name of ["first user", "second user"])
      world.task(name, async () => {
        if (!registration.tryGet()) return;
        await world.point("uses it");
        world.expect(memory.there === "yes", "it is used after it was taken away");
        registration.put();
      });
    for (const name of ["owner", "another"])
      world.task(name, async () => {
        await registration.unregister();
        world.expect(registration.users === 0, "somebody still uses it");
        memory.there = "no";
      });
  },
};
