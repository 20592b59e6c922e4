import type { Atomic, Program, World } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";
import { ByHandDevice, type ByHandDriver, countingDriver } from "../by-hand.js";

async function bindIfFree(world: World, device: ByHandDevice, name: string): Promise<void> {
  const driver = countingDriver(world, name);
  await world.point(`${name}: is it free?`);
  if (device.fields.driver !== null) return;
  await driver.probe(device);
  await world.point(`${name}: take it`);
  const meanwhile = device.fields.driver as ByHandDriver | null;
  world.expect(meanwhile === null, `${name} overwrites ${meanwhile?.name}`);
  device.fields.driver = driver;
  await device.bindByHand();
}

const byHand: Program = {
  name: "two binders by hand",
  setup(world) {
    const device = new ByHandDevice(world, "device");
    for (const name of ["manual", "automatic"]) world.task(name, () => bindIfFree(world, device, name));
  },
};

interface TwoDrivers {
  readonly at: Attached;
  readonly drivers: readonly ReturnType<Attached["driver"]>[];
  readonly bound: Atomic<number>;
}

const attached: Program<TwoDrivers> = {
  name: "two attaches",
  setup(world) {
    const at = new Attached(world, { match: () => false });
    const drivers = ["manual", "automatic"].map((name) => at.driver(name));
    const bound = world.atomic("bound so far", 0);
    for (const driver of drivers) {
      world.task(driver.name, async () => {
        const answer = await at.outcome(() => at.system.attach(at.device, driver), "EBUSY");
        if (answer === "done") await bound.update((count) => count + 1);
      });
    }
    return { at, drivers, bound };
  },
  async before({ at, drivers }) {
    await at.system.addDevice(at.device);
    for (const driver of drivers) await at.system.registerDriver(driver);
  },
  after({ at, drivers, bound }, world) {
    world.expect(bound.peek() === 1, `${bound.peek()} drivers are bound`);
    return at.end(...drivers);
  },
};

export const boundTwice: Dispute = {
  id: "D6.2",
  thread: "device-bind-driver",
  title: "Two binders at once",
  argued: "A bus that binds by hand races with the core's own search for a driver, and with other binders.",
  found:
    "By hand both see a free device and both take it. attach looks and takes under one lock: exactly one binds, the " +
    "other gets EBUSY, in every order.",
  variants: [
    {
      name: "by hand (as posted)",
      program: byHand,
      expected: "unsafe",
      finds: "expectation",
      options: { ignore: ["data-race"] },
    },
    { name: "attach", program: attached, expected: "safe" },
  ],
};
