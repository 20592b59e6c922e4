/** Everything at once, under many interleavings: what must hold however adding, binding, opening and removing race. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Device } from "./device.js";
import type { Driver } from "./driver.js";
import type { ErrnoCode } from "./errno.js";
import { isKernelError, KernelError } from "./error.js";
import { toyBus } from "./model.test.fixture.js";
import { DeviceNode } from "./node.js";
import { noDeadline, type WaitOptions } from "./runtime.js";
import { type Controlled, interleave, interleavings } from "./sync/controlled.test.fixture.js";
import { System } from "./system.js";

const driverNames = ["d", "dev"] as const;
const deviceNames = ["dev0", "dev1"] as const;

const op = fc.record({
  op: fc.constantFrom("attach", "detach", "detach any", "remove", "register", "unregister", "use", "read"),
  device: fc.nat(1),
  driver: fc.nat(1),
});
const probes = fc.array(fc.constantFrom("binds", "binds", "refuses", "defers"), {
  minLength: 1,
  maxLength: 6,
});

/** Answers that a race may legitimately have. Without ETIMEDOUT while time stands still: that would be a deadlock. */
const raced: readonly ErrnoCode[] = ["ENODEV", "EBUSY", "EAGAIN", "ENOSPC", "EBADF"];

type Ops = readonly { readonly op: string; readonly device: number; readonly driver: number }[];

class World {
  readonly system: System;
  readonly devices: Device[];
  readonly drivers: Driver<Device, string>[];
  readonly events = new Map<string, string[]>();
  /** Which driver has which device, as the drivers see it. */
  readonly held = new Map<Device, string>();
  readonly openedMinusReleased = new Map<string, number>();
  resources = 0;
  memory: number = deviceNames.length;
  readonly #controlled: Controlled;
  readonly #probes: readonly string[];
  readonly #answers: readonly ErrnoCode[];
  #probeCount = 0;

  constructor(controlled: Controlled, probes: readonly string[], answers: readonly ErrnoCode[]) {
    this.#answers = answers;
    this.#controlled = controlled;
    this.#probes = probes;
    this.system = new System(controlled.runtime);
    this.system.registerBus(toyBus);
    this.system.onUevent(({ devpath, action }) => {
      if (devpath.startsWith("/devices/"))
        this.events.set(devpath, [...(this.events.get(devpath) ?? []), action]);
    });
    this.drivers = driverNames.map((name) => this.#driver(name));
    this.devices = deviceNames.map((name) => this.#device(name));
  }

  async do({ op, device, driver }: Ops[number], options?: WaitOptions): Promise<void> {
    const dev = this.devices[device] as Device;
    const drv = this.drivers[driver] as Driver;
    const { system } = this;
    try {
      if (op === "attach") await system.attach(dev, drv, options);
      else if (op === "detach") await system.detach(dev, drv, options);
      else if (op === "detach any") await system.detach(dev, undefined, options);
      else if (op === "remove") await system.removeDevice(dev, options);
      else if (op === "register") await system.registerDriver(drv, options);
      else if (op === "read") assert.equal(await dev.readAttribute("state"), "registered");
      else if (op === "unregister") {
        await system.unregisterDriver(drv, options);
      } else {
        const file = await (dev.node as DeviceNode).open();
        try {
          await file.request(null);
        } finally {
          await file.close();
        }
      }
    } catch (error) {
      if (!this.#answers.some((code) => isKernelError(error, code))) throw error;
    }
  }

  async end(): Promise<void> {
    const options = { deadline: noDeadline };
    for (const [driver] of this.drivers.entries())
      await this.do({ op: "unregister", device: 0, driver }, options);
    for (const [device] of this.devices.entries())
      await this.do({ op: "remove", device, driver: 0 }, options);
    for (const device of this.devices) device.put();
  }

  check(): void {
    assert.deepEqual([...this.held], [], "every probe that succeeded has its remove");
    assert.equal(this.resources, 0, "every resource was released");
    assert.equal(this.memory, 0, "every device's memory went");
    assert.deepEqual(
      [...this.openedMinusReleased.values()].filter((count) => count !== 0),
      [],
      "every open has one release",
    );
    for (const [devpath, actions] of this.events) {
      assert.match(actions.join(" "), /^add( bind unbind)* remove$/, devpath);
    }
    assert.deepEqual(
      this.#controlled.log.filter(
        ({ level, event, fields }) =>
          level === "error" && !(event === "probe.failed" && isKernelError(fields["error"], "ENOSPC")),
      ),
      [],
    );
  }

  #pause(): Promise<void> {
    return this.#controlled.runtime.scheduler.yield("in a callback", { name: "driver" });
  }

  #driver(name: string): Driver<Device, string> {
    return {
      name,
      bus: toyBus,
      probe: async (device) => {
        assert.equal(device.registered, true, "probe of a device that is not registered");
        assert.equal(this.held.get(device), undefined, "probe while a driver has the device");
        this.held.set(device, name);
        for (let i = 0; i < 2; i += 1) {
          this.resources += 1;
          device.devres.addAction(() => {
            this.resources -= 1;
          });
          await this.#pause();
        }
        const verdict = this.#probes[this.#probeCount++ % this.#probes.length];
        if (verdict === "binds") return `${name} has ${device.name}`;
        this.held.delete(device);
        throw new KernelError(verdict === "defers" ? "EPROBE_DEFER" : "ENOSPC", "as told");
      },
      remove: async (device, state) => {
        assert.equal(state, `${name} has ${device.name}`);
        assert.equal(this.held.get(device), name, "remove without a probe");
        await this.#pause();
        assert.equal(device.driver?.name, name);
        this.held.delete(device);
      },
    };
  }

  #device(name: string): Device {
    const { runtime } = this.#controlled;
    const node: DeviceNode = new DeviceNode(runtime, {
      name,
      open: async (file) => {
        await this.#pause();
        const count = (by: number) =>
          this.openedMinusReleased.set(file.name, (this.openedMinusReleased.get(file.name) ?? 0) + by);
        count(1);
        let users = 0;
        return {
          request: async () => {
            users += 1;
            await this.#pause();
            users -= 1;
            return null;
          },
          release: () => {
            assert.equal(users, 0, "release while a request is under way");
            count(-1);
          },
        };
      },
    });
    const device: Device = new Device(runtime, {
      name,
      bus: toyBus,
      node,
      attributes: [
        {
          name: "state",
          show: async () => {
            await this.#pause();
            // Removal may have begun but has not passed the attributes.
            return device.registration.state === "removed" ? "removed" : "registered";
          },
        },
      ],
      release: () => {
        assert.equal(node.openFiles, 0);
        this.memory -= 1;
      },
    });
    return device;
  }
}

async function explore(time: "when idle" | "any time", answers: readonly ErrnoCode[]): Promise<void> {
  const program = fc.array(fc.array(op, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(interleavings, program, probes, async (choices, tasks, probes) => {
      let world!: World;
      const start = (controlled: Controlled) => {
        world = new World(controlled, probes, answers);
        let left = tasks.length + world.devices.length;
        const finish = async () => {
          left -= 1;
          if (left === 0) await world.end();
        };
        for (const device of world.devices) {
          controlled.task(`add ${device.name}`, async () => {
            await world.system.addDevice(device);
            await finish();
          });
        }
        for (const [index, ops] of tasks.entries()) {
          controlled.task(`t${index}`, async () => {
            for (const each of ops) await world.do(each);
            await finish();
          });
        }
      };
      await interleave(choices, start, time);
      world.check();
    }),
    { numRuns: 300 },
  );
}

test("no interleaving of adding, binding, opening, reading and removing breaks a lifetime", async () => {
  await explore("when idle", raced);
});

test("nor does any deadline that is missed on the way", async () => {
  await explore("any time", [...raced, "ETIMEDOUT"]);
});
