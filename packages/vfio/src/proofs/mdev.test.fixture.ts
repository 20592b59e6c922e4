/** VFIO devices that go because an mdev does, or what that was made of. */
import { MdevBus, type MdevParent } from "parhelion-buses";
import { type Bus, Completion, type Driver, noDeadline } from "parhelion-core";
import { outcomeOf, type Program, type World } from "parhelion-explorer";
import { AttachedDevice, createVfioMdevDriver, deviceCall, vfioDeviceOf } from "../index.js";
import { named, VfioStage } from "./vfio-stage.test.fixture.js";

const uuid = "00000000-0000-4000-8000-000000000001";

/** What somebody has done wrong in the driver of mdevs. */
type Plant = "remove waits" | "closed by hand";

/** A system with the VFIO driver of mdevs, and an mdev that is open. */
export class MdevStage extends VfioStage {
  readonly mdev = new MdevBus(this.system);
  readonly closed = new Completion(this.world.runtime, "closed");
  readonly plant: Plant | undefined;
  user: AttachedDevice | null = null;
  #parent: MdevParent<string> | null = null;
  #driver: Driver | null = null;

  constructor(world: World, plant: Plant | undefined, revokeMs: number) {
    super(world, { options: { revokeMs } });
    this.plant = plant;
  }

  get mdevParent(): MdevParent<string> {
    if (this.#parent === null) throw new Error("not yet");
    return this.#parent;
  }

  async beginOpen(): Promise<void> {
    await this.begin("unbound");
    const driver = createVfioMdevDriver<string>(this.vfio, {
      name: "vfio",
      bus: this.mdev.bus as Bus,
      device: () => ({ ops: () => this.ops() }),
    });
    const { plant, closed } = this;
    this.#driver = {
      ...driver,
      ...(plant && {
        remove: async (mdev: Parameters<typeof driver.remove & object>[0], device: never) => {
          // As Linux does: until the user has gone.
          if (plant === "remove waits") await closed.wait({ deadline: noDeadline });
          else await vfioDeviceOf(mdev)?.ops.closeDevice?.();
          await driver.remove?.(mdev, device);
        },
      }),
    } as Driver;
    await this.system.registerDriver(this.#driver);
    this.#parent = this.mdev.registerParent<string>(this.parent, {
      driverName: "toy",
      types: [{ name: "full", deviceApi: "vfio-pci" }],
      uses: ["vfio"],
      available: { policy: "counter", instances: 1 },
      create: () => "state",
    });
    await this.#parent.create("full", uuid);
    this.user = await AttachedDevice.open(this.system, "vfio0");
  }

  async closeUser(): Promise<void> {
    await this.user?.close();
    this.closed.completeAll();
  }

  async endClosed(): Promise<void> {
    await this.mdevParent.unregister();
    this.world.expect(this.mdev.find(uuid) === undefined, "the mdev is still there");
    const { user } = this;
    if (user?.file.state === "open") {
      const answer = await outcomeOf(() => deviceCall(user.file, "GET_INFO", { argsz: 16 }), "ENODEV");
      this.world.expect(answer === "ENODEV", "an open file of what was removed answers");
      await user.close();
    }
    if (this.#driver !== null) await this.system.unregisterDriver(this.#driver);
    await this.mdev.unregister();
    await this.end();
  }
}

function mdevProgram(
  name: string,
  plant: Plant | undefined,
  tasks: (world: World, stage: MdevStage) => void,
  revokeMs = 0,
): Program<MdevStage> {
  return {
    name: named(name, plant),
    setup(world) {
      const stage = new MdevStage(world, plant, revokeMs);
      tasks(world, stage);
      return stage;
    },
    before: (stage) => stage.beginOpen(),
    after: (stage) => stage.endClosed(),
  };
}

/** @param plant the driver's remove closes the device, whatever its user does */
export const parentUnregistered = (plant?: "closed by hand") =>
  mdevProgram("an mdev's parent is unregistered while its VFIO device is closed", plant, (world, stage) => {
    world.task("unregister", () => stage.mdevParent.unregister());
    world.task("user", () => stage.closeUser());
  });

/** D7.2 and D7.5: the mdev and its parent go at once, and the user stays. @param plant as Linux's */
export const mdevRemoved = (plant?: "remove waits") =>
  mdevProgram(
    "D7.5: an mdev is removed while its VFIO device is open, and its parent unregistered",
    plant,
    (world, stage) => {
      world.task("remove", async () => {
        await outcomeOf(() => stage.mdev.remove(uuid), "ENODEV");
      });
      world.task("unregister", () => stage.mdevParent.unregister());
    },
  );

/** D7.6: whoever removes the mdev has it open. @param plant as Linux's: it waits for itself */
export const mdevRemovedByUser = (plant?: "remove waits") =>
  mdevProgram(
    "D7.6: the user of an mdev's VFIO device removes the mdev",
    plant,
    (world, stage) => {
      world.task("user", async () => {
        await stage.mdev.remove(uuid);
        await stage.closeUser();
      });
      world.task("passer-by", async () => {
        const soon = world.runtime.clock.now() + 1;
        const held = await outcomeOf(
          () => stage.parent.mutex.withLock(() => {}, { deadline: soon }),
          "ETIMEDOUT",
        );
        world.expect(held === "done", "whoever holds the parent's lock waits for a user");
      });
    },
    1000,
  );
