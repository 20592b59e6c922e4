import type { Program, World } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { ByHandDevice, countingDriver } from "../by-hand.js";

type MatchedWhen = "before the lock" | "under the lock";

async function bindFile(
  world: World,
  device: ByHandDevice,
  override: { driver: string },
  matched: MatchedWhen,
): Promise<void> {
  const driver = countingDriver(world, "first");
  const matches = () => override.driver === "" || override.driver === driver.name;
  await world.point("match");
  if (matched === "before the lock" && !matches()) return;
  const guard = await device.lock.lock();
  if (matched === "before the lock" || matches()) {
    // By now an override that names another driver has been stored, and whoever stored it relies on it.
    world.expect(matches(), "a driver is bound that the override excludes");
    device.fields.driver = driver;
    await driver.probe(device);
    await device.bindByHand();
  }
  guard.release();
}

function byHand(matched: MatchedWhen): Program<ByHandDevice> {
  return {
    name: `an override is stored while the file bind is written, matched ${matched}`,
    setup(world) {
      const device = new ByHandDevice(world, "device");
      const override = world.track("driver_override", { driver: "" });
      world.task("bind", () => bindFile(world, device, override, matched));
      world.task("override", async () => {
        await device.lock.withLock(() => {
          override.driver = "second";
        });
      });
      return device;
    },
    after: (device) => device.release(),
  };
}

export const overrideMeanwhile: Dispute = {
  id: "D6.8",
  thread: "device-bind-driver",
  title: "driver_override changes between match and probe",
  argued:
    "The file bind asks match without the lock and probes with it; what match looks at may change between the two.",
  found:
    "A driver is bound that the override, complete before the probe began, excludes. Asked again under the lock it is not.",
  variants: [
    {
      name: "as the kernel has it: matched before the lock",
      program: byHand("before the lock"),
      expected: "unsafe",
      finds: "expectation",
      options: { ignore: ["data-race"] },
    },
    { name: "matched under the lock", program: byHand("under the lock"), expected: "safe" },
  ],
};
