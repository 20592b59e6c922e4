/** Functions that are passed through a channel, in every order: offered, taken back, driven, and asked meanwhile. */
import type { Bus } from "parhelion-core";
import { type Program, type World, watchDriver } from "parhelion-explorer";
import {
  type HostChannel,
  type PciDevice,
  type PciDriver,
  pciHeader,
  pciPassthroughOffer,
} from "../index.js";
import { plainFunction } from "../vmbus/pipe.test.fixture.js";
import { instance, Stage } from "./stage.test.fixture.js";

const vendorId = 0x1234;

class Functions {
  readonly stage: Stage;
  readonly driver: PciDriver;
  offered: HostChannel | null = null;

  constructor(world: World) {
    this.stage = new Stage(world);
    const driver: PciDriver = {
      name: "function driver",
      bus: this.stage.rig.pci as Bus,
      ids: [{ vendorId }],
      async probe({ config }) {
        const found = await config.read(pciHeader.vendorId);
        world.expect(found === vendorId, `the function's vendor is ${found}`);
      },
      remove: async () => world.point("function driver: remove"),
    };
    this.driver = watchDriver(world, driver as never) as PciDriver;
  }

  get system() {
    return this.stage.rig.system;
  }

  offer(): void {
    const model = plainFunction(vendorId, 1);
    this.offered = this.stage.rig.host().offer(pciPassthroughOffer(instance, 0, model));
  }

  function(): PciDevice | undefined {
    return this.system.devicesOf(this.stage.rig.pci as Bus)[0] as PciDevice | undefined;
  }

  async begin(): Promise<void> {
    await this.stage.rig.passPci();
    await this.stage.connect();
  }

  async beginDriven(): Promise<void> {
    await this.begin();
    await this.system.registerDriver(this.driver);
    this.offer();
    await this.stage.quiet();
  }

  async end(world: World): Promise<void> {
    await this.stage.end();
    world.expect(this.function() === undefined, "a function has outlived its channel");
  }
}

export const functionMeetsDriver: Program<Functions> = {
  name: "a function is offered and taken back while a driver for it is registered",
  setup(world) {
    const functions = new Functions(world);
    world.task("host", async () => {
      functions.offer();
      await world.point("offered");
      functions.offered?.rescind("taken back");
    });
    world.task("register", () => functions.system.registerDriver(functions.driver));
    return functions;
  },
  before: (functions) => functions.begin(),
  after: (functions, world) => functions.end(world),
};

export const functionIsFound: Program<Functions> = {
  name: "a function is offered while a driver for it is registered: they find each other",
  setup(world) {
    const functions = new Functions(world);
    world.task("host", async () => functions.offer());
    world.task("register", () => functions.system.registerDriver(functions.driver));
    return functions;
  },
  before: (functions) => functions.begin(),
  async after(functions, world) {
    await functions.stage.quiet();
    world.expect(functions.function()?.bound === true, "the function has no driver");
    await functions.end(world);
  },
};

export const accessMeetsRemoval: Program<Functions> = {
  name: "a function's configuration is read while the function is taken back and its driver unregistered",
  setup(world) {
    const functions = new Functions(world);
    const { stage } = functions;
    const asked: { device: PciDevice | null } = { device: null };
    world.task("read", async () => {
      const { device } = asked;
      await stage.may(async () => device?.config.read(pciHeader.deviceId), "ENODEV");
      device?.put();
    });
    world.task("rescind", async () => functions.offered?.rescind("taken back"));
    world.task("unregister", () => functions.system.unregisterDriver(functions.driver));
    return Object.assign(functions, { asked });
  },
  async before(functions) {
    await functions.beginDriven();
    const { asked } = functions as Functions & { asked: { device: PciDevice | null } };
    asked.device = functions.function() ?? null;
    asked.device?.get();
  },
  after: (functions, world) => functions.end(world),
};
