import assert from "node:assert/strict";
import { test } from "node:test";
import { VGPU_CHANNEL, type VmbusChannel } from "parhelion-buses";
import { isControlError, vgpuCommand } from "parhelion-protocol";
import { House } from "../guests/house.test.fixture.js";
import { MetricsPage } from "../observe/metrics-page.js";
import { adapterStatuses, type HostStatus } from "../status.js";
import { deviceRequest } from "../vgpu/bench.test.fixture.js";
import { defaultHealthPolicy as policy } from "./health-policy.js";
import { SimulatedTime } from "./simulated-time.test.fixture.js";

interface App {
  readonly channel: VmbusChannel;
  readonly process: number;
}

/** A house on simulated time, whose adapter answers probes as `works` says. */
class Ward {
  readonly time = new SimulatedTime();
  readonly house: House;
  works = true;

  constructor() {
    this.house = new House(this.time.runtime, {
      backOff: { firstMs: 0, mostMs: 0 },
      health: {
        policy,
        probe: async () => {
          if (!this.works) throw new Error("no driver");
        },
      },
    });
  }

  /** Lets what is under way happen, without time. */
  async through<T>(work: Promise<T>): Promise<T> {
    let over = false;
    const done = work.finally(() => {
      over = true;
    });
    done.catch(() => undefined);
    while (!over) await this.time.advance(0);
    return done;
  }

  async app(name: string): Promise<App> {
    const { credential } = await this.through(this.house.guests.create({ name }));
    const kernel = await this.through(this.house.enter(credential));
    const process = await this.through(kernel.newProcess());
    return { channel: await this.through(kernel.open(VGPU_CHANNEL)), process };
  }

  device({ channel, process }: App): Promise<{ readonly device: number }> {
    const asked = { privateData: deviceRequest() };
    return this.through(channel.request(vgpuCommand.createDevice, asked, { process }));
  }

  attribute(name: string): Promise<string> {
    return this.through(this.house.system.sysfs.read(`/sys/devices/adapter0/${name}`));
  }

  /** What each engine that lives does of its own. */
  async kill(...which: readonly number[]): Promise<void> {
    const { living } = this.house.engines;
    for (const index of which) living[index]?.kill();
    await this.time.advance(0);
  }
}

async function onWard(run: (ward: Ward) => Promise<void>): Promise<void> {
  const ward = new Ward();
  await ward.through(ward.house.build());
  await run(ward);
  await ward.through(ward.house.close());
  assert.deepEqual(ward.house.engines.living, []);
  assert.equal(ward.time.armed, 0);
}

test("engines of two slices that die have their adapter probed, and the tree, the status and the log say so", () =>
  onWard(async (ward) => {
    const heard: string[] = [];
    ward.house.system.onUevent(({ action, keys }) => {
      const health = keys.find(([key]) => key === "HEALTH");
      if (action === "change" && health !== undefined) heard.push(health[1]);
    });
    const apps = [await ward.app("one"), await ward.app("two")];
    for (const app of apps) await ward.device(app);
    assert.equal(await ward.attribute("health"), "healthy\n");
    ward.time.events();
    await ward.kill(0, 1);
    assert.deepEqual(heard, ["suspect", "healthy"]);
    const told = ward.time.events();
    for (const name of ["engine.failed", "device.lost", "adapter.suspect", "adapter.healthy"])
      assert.ok(told.includes(name), `${name} is not in ${told.join(", ")}`);
    assert.deepEqual(adapterStatuses(ward.house.adapters)[0]?.health?.probes, { passed: 1, failed: 0 });
    for (const app of apps) await ward.device(app);
  }));

test("a guest that kills its own engine again and again harms nobody's adapter", () =>
  onWard(async (ward) => {
    const [bad, good] = [await ward.app("bad"), await ward.app("good")];
    await ward.device(good);
    for (let i = 0; i < 10; i++) {
      await ward.device(bad);
      await ward.kill(1);
    }
    assert.equal(await ward.attribute("health"), "healthy\n");
    assert.equal(adapterStatuses(ward.house.adapters)[0]?.health?.probes.passed, 0);
    assert.equal(ward.house.engines.living.length, 1);
  }));

test("a drained adapter refuses devices and says until when; those that there are go on; it comes back", () =>
  onWard(async (ward) => {
    const apps = [await ward.app("one"), await ward.app("two"), await ward.app("three")];
    const [one, two, three] = apps as [App, App, App];
    for (const app of [one, two]) await ward.device(app);
    const kept = await ward.device(three);
    ward.works = false;
    await ward.kill(0, 1);
    await ward.time.advance(policy.firstMs);
    assert.equal(await ward.attribute("health"), "drained\n");
    assert.equal(await ward.attribute("health_reason"), "its probe failed: no driver\n");
    for (const app of [one, three])
      await assert.rejects(ward.device(app), (error) => {
        assert.ok(isControlError(error, "EBUSY"), String(error));
        const told = JSON.parse(new TextDecoder().decode(error.privateData)) as Record<string, unknown>;
        assert.deepEqual(
          [told["name"], told["code"], told["retryInMs"]],
          ["OperationError", "adapter-drained", 2 * policy.firstMs],
        );
        assert.match(error.message, /adapter0 takes no new devices.*probed again in 2000 ms/);
        return true;
      });
    const [engine] = ward.house.engines.living;
    assert.equal(engine?.devices.size, 1);
    // What it had goes on.
    await ward.through(
      three.channel.request(vgpuCommand.createContextVirtual, kept, { process: three.process }),
    );
    assert.match(
      await metricsOf(ward),
      /^parhelion_adapter_health\{adapter="adapter0",state="drained"\} 1$/m,
    );

    ward.works = true;
    await ward.time.advance(2 * policy.firstMs);
    assert.equal(await ward.attribute("health"), "re-probed\n");
    await assert.rejects(ward.device(one), /re-probed/);
    await ward.time.advance(policy.firstMs);
    assert.equal(await ward.attribute("health"), "healthy\n");
    assert.equal(await ward.attribute("health_reason"), "\n");
    await ward.device(one);
    assert.equal(engine?.devices.size, 1);
  }));

test("an adapter on which no engine starts is drained by its own probes, and not left so", () =>
  onWard(async (ward) => {
    const app = await ward.app("one");
    ward.works = false;
    ward.house.engines.fate = (_engine, { op }) => (op === "start" ? "dies" : "goes on");
    for (let i = 0; i < policy.starts; i++) await assert.rejects(ward.device(app));
    await ward.time.advance(policy.firstMs);
    assert.equal(await ward.attribute("health"), "drained\n");
    ward.works = true;
    ward.house.engines.fate = () => "goes on";
    await ward.time.advance(2 * policy.mostMs);
    await ward.device(app);
  }));

test("an adapter that is taken away while it is probed is gone, and its probe with it", () =>
  onWard(async (ward) => {
    const apps = [await ward.app("one"), await ward.app("two")];
    for (const app of apps) await ward.device(app);
    ward.works = false;
    await ward.kill(0, 1);
    await ward.through(ward.house.adapters.remove("adapter0"));
    assert.deepEqual(
      adapterStatuses(ward.house.adapters).map(({ presence, health }) => [presence, health]),
      [["absent", undefined]],
    );
    ward.works = true;
    await ward.through(ward.house.adapters.add(undefined, "adapter0"));
    assert.equal(await ward.attribute("health"), "healthy\n");
  }));

async function metricsOf({ house }: Ward): Promise<string> {
  const status = {
    adapters: adapterStatuses(house.adapters),
    slices: [],
    guests: [],
  } as unknown as HostStatus;
  return new MetricsPage().render({
    status,
    counters: { events: new Map(), refusals: new Map() },
    startedAt: 0,
  });
}
