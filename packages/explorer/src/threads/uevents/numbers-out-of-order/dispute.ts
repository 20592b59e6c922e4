import { type Device, Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Observed } from "../observed.js";

type Numbered = "under the sending lock" | "before it";

function sender(numbered: Numbered, listens: "across devices" | "to each device"): Program {
  return {
    name: `two devices send events, numbered ${numbered}; who listens compares numbers ${listens}`,
    setup(world) {
      const last = world.atomic("sequence number", 0);
      const sending = new Mutex(world.runtime, "uevent_sock_mutex");
      const heard = world.track("heard", { all: 0, a: 0, b: 0 });
      for (const device of ["a", "b"] as const) {
        world.task(device, async () => {
          for (let i = 0; i < (device === "a" ? 2 : 1); i += 1) {
            const take = async () => (await last.update((number) => number + 1)) + 1;
            const early = numbered === "before it" ? await take() : 0;
            await sending.withLock(async () => {
              const number = numbered === "before it" ? early : await take();
              const before = listens === "across devices" ? heard.all : heard[device];
              world.expect(number > before, `number ${number} is delivered after ${before}`);
              heard.all = number;
              heard[device] = number;
            });
          }
        });
      }
    },
  };
}

interface Shared {
  readonly at: Observed;
  readonly devices: readonly Device[];
}

const shipped: Program<Shared> = {
  name: "two devices are added and removed; who listens compares numbers across devices",
  setup(world) {
    const at = new Observed(world);
    const devices = ["a", "b"].map((name) => at.device(name));
    for (const device of devices) {
      world.task(device.name, async () => {
        await at.system.addDevice(device);
        await at.system.unregisterDevice(device);
      });
    }
    return { at, devices };
  },
  after({ at }, world) {
    at.events.forEach(({ seqnum }, index) => {
      world.expect(seqnum === index + 2, `number ${seqnum} is delivered in place ${index + 2}`);
    });
    return Promise.resolve();
  },
};

export const numbersOutOfOrder: Dispute = {
  id: "D9.3",
  thread: "uevents",
  title: "Sequence numbers and the order of delivery",
  argued:
    "The number was once taken under the lock that sends; later it became an atomic counter that is raised before the " +
    "lock is taken.",
  found:
    "With the atomic counter a later number can be delivered first, so listeners may only compare numbers of one device. " +
    "Here number and delivery are one step.",
  variants: [
    {
      name: "under the lock (5.12)",
      program: sender("under the sending lock", "across devices"),
      expected: "safe",
    },
    {
      name: "atomic (6.18), compared across devices",
      program: sender("before it", "across devices"),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "atomic (6.18), compared for each device",
      program: sender("before it", "to each device"),
      expected: "safe",
    },
    { name: "the core that ships, compared across devices", program: shipped, expected: "safe" },
  ],
};
