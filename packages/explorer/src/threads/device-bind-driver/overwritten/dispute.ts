import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";
import { ByHandDevice, countingDriver } from "../by-hand.js";

const byHand: Program<ByHandDevice> = {
  name: "a card driver takes a device from the card's list though its own driver has it",
  setup(world) {
    const device = new ByHandDevice(world, "device");
    const own = countingDriver(world, "device driver");
    const card = countingDriver(world, "card driver");
    world.task("bus", async () => {
      const guard = await device.lock.lock();
      if (device.fields.driver === null) {
        device.fields.driver = own;
        await own.probe(device);
        await device.bindByHand();
      }
      guard.release();
    });
    world.task("card", async () => {
      // Only whether the device belongs to a card is looked at, not whether it has a driver.
      const before = device.fields.driver;
      device.fields.driver = card;
      await card.probe(device);
      world.expect(before === null, `${before?.name} is overwritten and will never be removed`);
      await device.bindByHand();
    });
    return device;
  },
  async after(device) {
    await device.release();
  },
};

interface TwoDrivers {
  readonly at: Attached;
  readonly own: ReturnType<Attached["driver"]>;
  readonly card: ReturnType<Attached["driver"]>;
}

const attached: Program<TwoDrivers> = {
  name: "a card driver attaches while the device's own driver does",
  setup(world) {
    const at = new Attached(world, { match: (_device, driver) => driver.name === "device driver" });
    const own = at.driver("device driver");
    const card = at.driver("card driver");
    world.task("bus", () => at.system.probeDevice(at.device));
    world.task("card", async () => {
      await at.outcome(() => at.system.attach(at.device, card), "EBUSY");
    });
    return { at, own, card };
  },
  async before({ at, own, card }) {
    await at.system.addDevice(at.device);
    await at.system.registerDriver(card);
    await at.system.registerDriver(own);
    await at.outcome(() => at.system.detach(at.device), "ENODEV");
  },
  after: ({ at, own, card }) => at.end(own, card),
};

export const overwritten: Dispute = {
  id: "D6.3",
  thread: "device-bind-driver",
  title: "A driver pointer that is overwritten",
  argued: "pnp's card code takes devices off a list and sets their driver, whatever they had before.",
  found:
    "The driver that had the device is forgotten without its remove. attach answers EBUSY and nothing is forgotten.",
  variants: [
    {
      name: "by hand (as pnp/card does)",
      program: byHand,
      expected: "unsafe",
      finds: "expectation",
      options: { ignore: ["data-race"] },
    },
    { name: "attach", program: attached, expected: "safe" },
  ],
};
