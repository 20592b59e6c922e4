/**
 * Everything that binds and unbinds at once, under many interleavings: by hand and by name, overrides, links, parents'
 * locks, asynchronous and deferred probes. What must hold is asked where it matters: in the drivers' callbacks.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Bus } from "./bus.js";
import { Device } from "./device.js";
import type { Driver } from "./driver.js";
import type { ErrnoCode } from "./errno.js";
import { isKernelError, KernelError } from "./error.js";
import { noDeadline, type WaitOptions } from "./runtime.js";
import { type Controlled, interleave, interleavings } from "./sync/controlled.test.fixture.js";
import { System } from "./system.js";

const kinds = [
  "bind",
  "unbind",
  "drivers_probe",
  "detach",
  "override",
  "register",
  "unregister",
  "autoprobe",
  "remove",
  "link",
] as const;

const op = fc.record({ op: fc.constantFrom(...kinds), device: fc.nat(2), driver: fc.nat(1) });
type Op = typeof op extends fc.Arbitrary<infer T> ? T : never;
const verdicts = fc.array(fc.constantFrom("binds", "binds", "refuses", "defers"), {
  minLength: 1,
  maxLength: 5,
});

const chains = fc.constantFrom("linked" as const, "free" as const);

const bus: Bus<Device, Driver> = {
  name: "racing",
  driverOverride: "name",
  needParentLock: true,
  match: () => true,
};

class World {
  readonly system: System;
  readonly #controlled: Controlled;
  readonly #parent: Device;
  /** A supplier, its consumer, and that one's consumer. */
  readonly devices: readonly Device[];
  readonly #drivers: readonly Driver<Device>[];
  readonly #held = new Map<Device, string>();
  /** How often each driver was to be registered. */
  readonly #generations = new Map<string, number>();
  readonly #events = new Map<string, string[]>();
  readonly #verdicts: readonly string[];
  readonly #answers: readonly ErrnoCode[];
  #probes = 0;
  #resources = 0;
  #memory = 3;

  constructor(controlled: Controlled, verdicts: readonly string[], answers: readonly ErrnoCode[]) {
    const { runtime } = controlled;
    this.#controlled = controlled;
    this.#verdicts = verdicts;
    this.#answers = answers;
    this.system = new System(runtime);
    this.system.registerBus(bus);
    this.system.onUevent(({ devpath, action }) => {
      if (devpath.startsWith("/devices/"))
        this.#events.set(devpath, [...(this.#events.get(devpath) ?? []), action]);
    });
    this.#parent = new Device(runtime, { name: "parent" });
    this.devices = ["first", "second", "third"].map(
      (name) => new Device(runtime, { name, bus, parent: this.#parent, release: () => void this.#memory-- }),
    );
    this.#drivers = [this.#driver("sync", "synchronous"), this.#driver("async", "asynchronous")];
  }

  /** @param chain whether each device supplies the next one from the start */
  async begin(chain: "linked" | "free"): Promise<void> {
    const { system, devices } = this;
    const options = { deadline: noDeadline };
    await system.addDevice(this.#parent, options);
    // Whoever adds a device to such a bus with drivers holds the parent's lock; here there are none yet.
    for (const device of devices) await system.addDevice(device, options);
    if (chain === "linked") for (const device of devices) this.#link(device);
    for (const driver of this.#drivers) await system.registerDriver(driver);
  }

  async do({ op, device, driver }: Op, options?: WaitOptions): Promise<void> {
    const { system } = this;
    const [dev, drv] = [this.devices[device] as Device, this.#drivers[driver] as Driver];
    try {
      if (op === "bind") await system.bind(drv, dev.name, options);
      else if (op === "unbind") await system.unbind(drv, dev.name, options);
      else if (op === "drivers_probe") await system.driversProbe(bus, dev.name, options);
      else if (op === "detach") await system.detach(dev, undefined, options);
      else if (op === "override") await dev.setDriverOverride(dev.driverOverride === null ? drv.name : "");
      else if (op === "register") {
        this.#generations.set(drv.name, (this.#generations.get(drv.name) ?? 0) + 1);
        await system.registerDriver(drv, options);
      } else if (op === "unregister") await this.#unregister(drv, options);
      else if (op === "autoprobe") system.setDriversAutoprobe(bus, String(driver));
      else if (op === "remove") await system.removeDevice(dev, options);
      else this.#link(dev);
    } catch (error) {
      if (!this.#answers.some((code) => isKernelError(error, code))) throw error;
    }
  }

  async end(): Promise<void> {
    const options = { deadline: noDeadline };
    await this.system.waitForProbe(options);
    for (const driver of [0, 1]) await this.do({ op: "unregister", device: 0, driver }, options);
    for (const device of [0, 1, 2]) await this.do({ op: "remove", device, driver: 0 }, options);
    await this.system.waitForProbe(options);
    await this.system.unregisterDevice(this.#parent, options);
    for (const device of this.devices) device.put();
  }

  check(): void {
    assert.deepEqual([...this.#held], [], "every probe that succeeded has its remove");
    assert.equal(this.#resources, 0, "every resource was released");
    assert.equal(this.#memory, 0, "links and tasks have given all references back");
    assert.deepEqual(this.system.deferredDevices(), []);
    assert.equal(this.#parent.references, 0);
    for (const [devpath, actions] of this.#events) {
      if (devpath !== this.#parent.devpath)
        assert.match(actions.join(" "), /^add( bind unbind)* remove$/, devpath);
    }
    // A probe that fails may; an assertion in it may not.
    const unexpected = this.#controlled.log.filter(
      ({ level, event, fields }) =>
        level === "error" && !(event === "probe.failed" && isKernelError(fields["error"], "ENOSPC")),
    );
    assert.deepEqual(unexpected, []);
  }

  /** Links the device to the one before it: added while neither is bound, as firmware would. */
  #link(consumer: Device): void {
    const supplier = this.devices[this.devices.indexOf(consumer) - 1];
    if (supplier === undefined || consumer.binding.state !== "unbound") return;
    this.system.addLink(consumer, supplier);
  }

  async #unregister(driver: Driver, options?: WaitOptions): Promise<void> {
    const generation = this.#generations.get(driver.name);
    await this.system.unregisterDriver(driver, options);
    // Unless it has been registered again meanwhile nobody is left with it.
    if (this.#generations.get(driver.name) !== generation) return;
    for (const [device, name] of this.#held) assert.notEqual(name, driver.name, `${device.name} is left`);
  }

  #pause(): Promise<void> {
    return this.#controlled.runtime.scheduler.yield("in a callback", { name: "driver" });
  }

  /** Whoever is in use has its suppliers in use. */
  #checkSuppliers(device: Device): void {
    for (const { supplier } of this.system.linksOf(device).suppliers) {
      assert.equal(supplier.binding.state, "bound", `${device.name} without its supplier`);
      assert.notEqual(this.#held.get(supplier), undefined);
    }
  }

  #driver(name: string, probeType: "synchronous" | "asynchronous"): Driver<Device> {
    return {
      name,
      bus,
      probeType,
      deviceGroups: [{ attributes: [{ name: "of_driver", show: () => name }] }],
      probe: async (device) => {
        assert.equal(this.#held.get(device), undefined, "probe while a driver has the device");
        assert.ok([null, name].includes(device.driverOverride), "against the override");
        assert.equal(this.#parent.mutex.locked, true, "without the parent's lock");
        this.#held.set(device, name);
        this.#resources += 1;
        device.devres.addAction(() => void this.#resources--);
        this.#checkSuppliers(device);
        await this.#pause();
        this.#checkSuppliers(device);
        assert.ok([null, name].includes(device.driverOverride), "overridden during the probe");
        const verdict = this.#verdicts[this.#probes++ % this.#verdicts.length];
        if (verdict === "binds") return;
        this.#held.delete(device);
        throw new KernelError(verdict === "defers" ? "EPROBE_DEFER" : "ENOSPC", "as told");
      },
      remove: async (device) => {
        assert.equal(this.#held.get(device), name, "remove without a probe");
        assert.deepEqual(device.attributes.list(), []);
        await this.#pause();
        for (const { consumer } of this.system.linksOf(device).consumers) {
          assert.equal(this.#held.get(consumer), undefined, `${consumer.name} still uses ${device.name}`);
        }
        if (device.registered) this.#checkSuppliers(device);
        this.#held.delete(device);
      },
    };
  }
}

async function explore(time: "when idle" | "any time", answers: readonly ErrnoCode[]): Promise<void> {
  const program = fc.array(fc.array(op, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(interleavings, program, verdicts, chains, async (choices, tasks, verdicts, chain) => {
      let world!: World;
      const start = (controlled: Controlled) => {
        world = new World(controlled, verdicts, answers);
        let left = tasks.length;
        controlled.task("begin", async () => {
          await world.begin(chain);
          for (const [index, ops] of tasks.entries()) {
            controlled.task(`t${index}`, async () => {
              for (const each of ops) await world.do(each);
              left -= 1;
              if (left === 0) await world.end();
            });
          }
        });
      };
      await interleave(choices, start, time);
      world.check();
    }),
    { numRuns: 300 },
  );
}

/** Answers that a race may legitimately have. */
const raced: readonly ErrnoCode[] = ["ENODEV", "EBUSY", "EAGAIN", "ENOSPC", "EINVAL"];

test("no interleaving of bind, unbind, override, links and drivers that come and go breaks a binding", async () => {
  await explore("when idle", raced);
});

test("nor does any deadline that is missed on the way", async () => {
  await explore("any time", [...raced, "ETIMEDOUT"]);
});
