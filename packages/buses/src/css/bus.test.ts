import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Bus,
  Completion,
  createRuntime,
  Device,
  isKernelError,
  KernelError,
  System,
} from "parhelion-core";
import { createRig, one, recorder, round } from "./bus.test.fixture.js";
import { CssBus, type CssDriver, Stctl, SubchannelType } from "./index.js";
import { idOf, SmallMachine } from "./machine.test.fixture.js";

describe("subchannels", () => {
  it("are devices while the machine has something behind them", async () => {
    const rig = await createRig(1, 2);
    const { css, machine, system } = rig;
    assert.deepEqual(
      css.subchannels().map(({ name, devpath }) => [name, devpath]),
      [
        ["0.0.0001", "/devices/css0/0.0.0001"],
        ["0.0.0002", "/devices/css0/0.0.0002"],
      ],
    );
    machine.plug(3);
    machine.unplug(1);
    await css.settle();
    assert.deepEqual(
      system.devicesOf(css.bus as Bus).map(({ name }) => name),
      ["0.0.0002", "0.0.0003"],
    );
    await css.stop();
    assert.equal(system.deviceAt("/devices/css0"), undefined);
  });

  it("are not devices where the device number is not valid", async () => {
    const rig = await createRig();
    rig.machine.plug(1, { dnv: 0 });
    rig.machine.plug(2, { st: SubchannelType.MSG });
    rig.machine.plug(3, { st: SubchannelType.MSG, w: 1 });
    rig.machine.plug(4, { st: SubchannelType.CHSC, dnv: 0 });
    await rig.css.settle();
    assert.deepEqual(
      rig.css.subchannels().map(({ name }) => name),
      ["0.0.0003", "0.0.0004"],
    );
    await rig.css.stop();
  });

  it("are found though the report about them was lost", async () => {
    const runtime = createRuntime();
    const system = new System(runtime);
    const machine = new SmallMachine(runtime, 1);
    const css = new CssBus(system, machine);
    await css.start();
    machine.plug(1);
    machine.plug(2);
    machine.plug(3);
    await css.settle();
    assert.equal(css.subchannels().length, 3);
    machine.unplug(1);
    machine.unplug(2);
    await css.settle();
    assert.equal(css.subchannels().length, 1);
    await css.stop();
  });

  it("are replaced when another device is behind them", async () => {
    const rig = await createRig(1);
    const events: string[] = [];
    await rig.system.registerDriver(recorder(rig.css, events) as CssDriver);
    const before = one(rig);
    rig.machine.plug(1, { dev: 0x77 });
    await rig.css.settle();
    assert.notEqual(one(rig), before);
    assert.deepEqual(events, [
      "probe 0.0.0001",
      "event 1",
      "quiesce 1 true",
      "remove 1 false",
      "probe 0.0.0001",
    ]);
  });

  it("come back when they are reported after somebody has removed them", async () => {
    const rig = await createRig(1);
    await rig.system.removeDevice(one(rig));
    assert.equal(rig.css.find("0.0.0001"), undefined);
    rig.css.evaluate(idOf(1));
    await rig.css.settle();
    assert.ok(one(rig).registered);
    await rig.css.stop();
  });

  it("show their type and their paths", async () => {
    const rig = await createRig(1);
    const show = (name: string) => rig.system.sysfs.read(`/sys/devices/css0/0.0.0001/${name}`);
    rig.machine.path(0x41, "offline");
    await rig.css.settle();
    assert.equal(await show("type"), "00\n");
    assert.equal(await show("modalias"), "css:t0\n");
    assert.equal(await show("chpids"), "40 41 00 00 00 00 00 00\n");
    assert.equal(await show("pimpampom"), "c0 80 ff\n");
    await rig.css.stop();
  });

  it("bind to drivers of their type, and an override does not change that", async () => {
    const rig = await createRig(1);
    const events: string[] = [];
    const chsc = recorder(rig.css, events, { subchannelType: SubchannelType.CHSC });
    await rig.system.registerDriver(chsc as CssDriver);
    assert.equal(one(rig).bound, false);
    await one(rig).setDriverOverride("recorder");
    await assert.rejects(rig.system.bind(chsc as CssDriver, "0.0.0001"));
    rig.machine.plug(2, { st: SubchannelType.CHSC });
    await rig.css.settle();
    assert.equal(one(rig, "0.0.0002").bound, true);
    assert.equal(
      await rig.system.sysfs.read("/sys/devices/css0/0.0.0002/uevent"),
      "DRIVER=recorder\nSUBCHANNEL_TYPE=1\nMODALIAS=css:t1\n",
    );
  });
});

describe("a removal that takes its time", () => {
  it("keeps no other subchannel waiting", async () => {
    const rig = await createRig(1, 2);
    const hold = new Completion(rig.runtime, "the slow driver");
    const events: string[] = [];
    const driver = recorder(rig.css, events, {
      quiesce: (_subchannel, state) => (state === 1 ? hold.wait() : undefined),
    });
    await rig.system.registerDriver(driver as CssDriver);
    rig.machine.unplug(1);
    await round();
    rig.machine.unplug(2);
    rig.machine.plug(3);
    for (let turn = 0; turn < 100 && rig.css.find("0.0.0003")?.bound !== true; turn += 1) await round();
    assert.deepEqual(
      rig.css.subchannels().map(({ name }) => name),
      ["0.0.0001", "0.0.0003"],
    );
    hold.completeAll();
    await rig.css.settle();
    assert.deepEqual(events.slice(-1), ["remove 1 false"]);
  });
});

describe("a second bus", () => {
  it("of one system is refused and leaves nothing", async () => {
    const { system, css, runtime } = await createRig();
    const refused = new CssBus(system, new SmallMachine(runtime));
    await assert.rejects(refused.start(), (error) => isKernelError(error, "EEXIST"));
    await css.stop();
    const next = new CssBus(system, new SmallMachine(runtime));
    await next.start();
    await next.stop();
  });

  it("is not registered where something has the root's name", async () => {
    const runtime = createRuntime();
    const system = new System(runtime);
    const other = new Device(runtime, { name: "css0" });
    await system.addDevice(other);
    const css = new CssBus(system, new SmallMachine(runtime));
    await assert.rejects(css.start(), (error) => isKernelError(error, "EEXIST"));
    assert.throws(() => system.devicesOf(css.bus as Bus));
  });
});

describe("a driver", () => {
  it("is called for interruptions with the status collected, from probe to remove", async () => {
    const rig = await createRig(1);
    const events: string[] = [];
    const driver = recorder(rig.css, events) as CssDriver;
    await rig.system.registerDriver(driver);
    rig.machine.raise(1, { stctl: Stctl.PRIM | Stctl.PEND });
    await round();
    assert.deepEqual(events, ["probe 0.0.0001", "irq 1 5"]);
    assert.equal(rig.machine.tsch(idOf(1)).cc, 1);
    assert.equal(one(rig).schib.scsw.stctl, 5);
    await rig.system.unregisterDriver(driver);
    assert.deepEqual(events.splice(0), ["probe 0.0.0001", "irq 1 5", "quiesce 1 true", "remove 1 false"]);
    rig.machine.raise(1);
    await round();
    assert.deepEqual(events, []);
    assert.equal(rig.machine.tsch(idOf(1)).cc, 1);
  });

  it("that has missed something before it was there is asked to look", async () => {
    const rig = await createRig(1);
    const events: string[] = [];
    const driver = recorder(rig.css, events, {
      async probe(subchannel) {
        await subchannel.lock.withLock(() => subchannel.cio.enable(7, 3));
        rig.machine.raise(1);
        await round();
        return 1;
      },
    });
    await rig.system.registerDriver(driver as CssDriver);
    await rig.css.settle();
    assert.deepEqual(events, ["event 1"]);
  });

  it("that publishes in its probe is called from there on, and not after a probe that fails", async () => {
    const rig = await createRig(1);
    const events: string[] = [];
    const driver = recorder(rig.css, events, {
      async probe(subchannel) {
        await subchannel.publish({ irq: () => void events.push("irq") });
        await subchannel.lock.withLock(() => subchannel.cio.enable(7, 3));
        rig.machine.raise(1);
        await round();
        throw new KernelError("ENODEV", "not mine");
      },
    });
    await rig.system.registerDriver(driver as CssDriver);
    assert.deepEqual(events, ["irq"]);
    assert.equal(one(rig).published, false);
    rig.machine.raise(1);
    await round();
    assert.deepEqual(events, ["irq"]);
  });

  it("whose callback throws keeps nobody from being called", async () => {
    const rig = await createRig(1);
    const events: string[] = [];
    const driver = recorder(rig.css, events, {
      irq: () => {
        events.push("irq");
        throw new Error("a driver's bug");
      },
    });
    await rig.system.registerDriver(driver as CssDriver);
    rig.machine.raise(1);
    await round();
    rig.machine.raise(1);
    await round();
    assert.deepEqual(events, ["probe 0.0.0001", "irq", "irq"]);
    assert.equal(one(rig).lock.locked, false);
  });

  for (const callback of ["schEvent", "chpEvent"] as const) {
    it(`whose ${callback} throws in an evaluation does not keep a subchannel that is gone`, async () => {
      const rig = await createRig(1);
      const events: string[] = [];
      const fail = () => {
        events.push(callback);
        throw new Error("a driver's bug");
      };
      await rig.system.registerDriver(recorder(rig.css, [], { [callback]: fail }) as CssDriver);
      rig.machine.path(0x41, "offline", "not told");
      rig.css.evaluate(idOf(1));
      await rig.css.settle();
      assert.deepEqual(events, [callback]);
      assert.equal(rig.css.subchannels().length, 1);
      rig.machine.unplug(1);
      await rig.css.settle();
      assert.equal(rig.css.subchannels().length, 0);
    });
  }

  it("that has no time for an evaluation is asked again", async () => {
    const rig = await createRig(1);
    let asked = 0;
    const done = new Promise<void>((resolve) => {
      const driver = recorder(rig.css, [], {
        schEvent: () => {
          asked += 1;
          if (asked === 3) resolve();
          return asked < 3 ? "again" : "done";
        },
      });
      void rig.system.registerDriver(driver as CssDriver).then(() => rig.css.evaluate(idOf(1)));
    });
    await done;
    assert.equal(asked, 3);
    await rig.css.stop().catch(() => {});
  });

  it("is told that the machine stops", async () => {
    const rig = await createRig(1, 2);
    const events: string[] = [];
    await rig.system.registerDriver(recorder(rig.css, events) as CssDriver);
    await rig.css.shutdown();
    assert.deepEqual(events.slice(2), ["shutdown 1", "shutdown 2"]);
  });
});
