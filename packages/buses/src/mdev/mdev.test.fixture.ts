/** A system with an mdev bus, a parent on it, and drivers that write down what they are asked. */
import type { TestContext } from "node:test";
import {
  type Bus,
  Completion,
  createRuntime,
  Device,
  type Driver,
  type LogRecord,
  noDeadline,
  type Runtime,
  type RuntimeInit,
  System,
  type Uevent,
} from "parhelion-core";
import { StandingClock } from "./clock.test.fixture.js";
import { MdevBus, type MdevDevice, type MdevParentInit } from "./index.js";

export const uuids = [1, 2, 3, 4].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [
  string,
  string,
  string,
  string,
];

export interface MdevRig {
  readonly runtime: Runtime;
  readonly system: System;
  readonly mdev: MdevBus;
  /** Uevents as "action devpath [MDEV_STATE]", and what the rig's drivers and parents are asked. */
  readonly trace: string[];
  readonly log: LogRecord[];
  addParent(name: string): Promise<Device>;
  /** Registers a driver that traces. */
  driver(name: string, parts?: Partial<Driver<MdevDevice>>): Promise<Driver>;
}

/** @param parts of the runtime that are not the platform's */
export function mdevRig(parts: RuntimeInit = {}): MdevRig {
  const log: LogRecord[] = [];
  const own = createRuntime({ log: (record) => log.push(record), patienceMs: 5000, ...parts });
  const system = new System(own);
  const adapters: Bus = { name: "adapter", match: () => false };
  system.registerBus(adapters);
  const trace: string[] = [];
  system.onUevent((event: Uevent) => {
    const state = event.keys.find(([key]) => key === "MDEV_STATE")?.[1];
    trace.push([event.action, event.devpath.split("/").at(-1), ...(state ?? "").split(" ")].join(" ").trim());
  });
  const mdev = new MdevBus(system);
  return {
    runtime: own,
    system,
    mdev,
    trace,
    log,
    async addParent(name) {
      const device = new Device(own, { name, bus: adapters });
      await system.addDevice(device);
      return device;
    },
    async driver(name, parts = {}) {
      const driver: Driver<MdevDevice> = {
        name,
        bus: mdev.bus as Bus,
        probe: ({ uuid }) => void trace.push(`probe ${name} ${uuid.at(-1)}`),
        remove: ({ uuid }) => void trace.push(`remove ${name} ${uuid.at(-1)}`),
        ...parts,
      };
      await system.registerDriver(driver as Driver);
      return driver as Driver;
    },
  };
}

/** Two types, two uses, two instances. */
export function plainInit(rig: MdevRig, parts: Partial<MdevParentInit<string>> = {}): MdevParentInit<string> {
  return {
    driverName: "toy",
    types: [
      { name: "full", deviceApi: "toy-api", prettyName: "All of it", description: "everything\nthere is" },
      { name: "half", deviceApi: "toy-api" },
    ],
    uses: ["projected", "local"],
    available: { policy: "counter", instances: 2 },
    create: ({ uuid }) => `state ${uuid.at(-1)}`,
    release: (state) => void rig.trace.push(`release ${state}`),
    free: () => void rig.trace.push("free"),
    ...parts,
  };
}

/** A rig with a registered parent and both drivers. */
export async function withParent(t: TestContext | null, parts: Partial<MdevParentInit<string>> = {}) {
  const rig = mdevRig();
  const projected = await rig.driver("projected");
  const local = await rig.driver("local");
  const device = await rig.addParent("gpu0");
  const parent = rig.mdev.registerParent(device, plainInit(rig, parts));
  rig.trace.length = 0;
  t?.after(() => parent.unregister());
  return { ...rig, device, parent, projected, local };
}

/** Where writing removes it. */
export function removeFile(uuid: string): string {
  return `/sys/devices/gpu0/${uuid}/remove`;
}

/** A rig whose `projected` driver stops in probe or remove until it is let go. */
export async function withGate(where: "probe" | "remove", parts: Partial<MdevParentInit<string>> = {}) {
  const clock = new StandingClock();
  const rig = mdevRig({ clock });
  const reached = new Completion(rig.runtime, "reached");
  const go = new Completion(rig.runtime, "go");
  const stop = async ({ uuid }: MdevDevice): Promise<void> => {
    if (uuid !== uuids[0]) return;
    reached.completeAll();
    await go.wait({ deadline: noDeadline });
  };
  await rig.driver("projected", { [where]: stop });
  await rig.driver("local");
  const device = await rig.addParent("gpu0");
  const parent = rig.mdev.registerParent(device, plainInit(rig, parts));
  rig.trace.length = 0;
  return { ...rig, clock, device, parent, reached, go };
}
