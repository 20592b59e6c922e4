/** The machine under its bus: a driver starts real channel programs, and devices and paths come and go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CcwFlag,
  type ChpEvent,
  CssBus,
  type CssDriver,
  Dstat,
  Fctl,
  type Irb,
  orb,
  Stctl,
  type Subchannel,
} from "parhelion-buses";
import { type Bus, Completion, System } from "parhelion-core";
import { good, Rig, TestDevice } from "./machine.test.fixture.js";

const read = 0x02;

/** What the driver has on a subchannel. */
class Channel {
  readonly subchannel: Subchannel;
  readonly events: string[] = [];
  readonly statuses: Irb[] = [];
  #ended: Completion<Irb>;

  constructor(subchannel: Subchannel) {
    this.subchannel = subchannel;
    this.#ended = new Completion(subchannel.runtime, "status");
  }

  /** Starts the program at 0x1000 and waits for its status. */
  async run(): Promise<Irb> {
    const { subchannel } = this;
    this.#ended = new Completion(subchannel.runtime, "status");
    const answer = await subchannel.lock.withLock(() =>
      subchannel.cio.start(orb.make({ fmt: 1, lpm: subchannel.lpm, cpa: 0x1000 })),
    );
    assert.equal(answer, "done");
    return this.#ended.wait();
  }

  irq(irb: Irb): void {
    this.statuses.push(irb);
    if ((irb.scsw.stctl & (Stctl.SEC | Stctl.ALERT)) !== 0 || irb.scsw.fctl !== Fctl.START)
      this.#ended.complete(irb);
  }
}

async function onTheBus(rig: Rig) {
  const system = new System(rig.runtime);
  const css = new CssBus(system, rig.css);
  const channels: Channel[] = [];
  const driver: CssDriver<Channel> = {
    name: "io",
    bus: css.bus as Bus,
    async probe(subchannel) {
      const answer = await subchannel.lock.withLock(() => subchannel.cio.enable(subchannel.id.schno, 3));
      assert.equal(answer, "done");
      const channel = new Channel(subchannel);
      channels.push(channel);
      return channel;
    },
    async quiesce({ cio, lock }) {
      const retries = { left: 255 };
      for (let turn = 0; turn < 10; turn += 1) {
        if ((await lock.withLock(() => cio.cancelHaltClear(retries))) !== "EBUSY") break;
        await rig.quiet();
      }
      await lock.withLock(() => cio.disable());
    },
    remove: (_subchannel, channel) => void channel.events.push("removed"),
    irq: (_subchannel, channel, irb) => channel.irq(irb),
    chpEvent(_subchannel, channel, { chpid }, event: ChpEvent) {
      channel.events.push(`${event} ${chpid.toString(16)}`);
      return "done";
    },
  };
  await css.start();
  await system.registerDriver(driver as CssDriver);
  const [channel] = channels;
  assert.ok(channel);
  return { system, css, channels, channel, driver };
}

test("a driver runs channel programs, one after the other", async () => {
  const rig = new Rig();
  const { channel, css, system, driver } = await onTheBus(rig);
  rig.program([read, CcwFlag.SLI]);
  for (let turn = 0; turn < 3; turn += 1) {
    rig.storage.bytes[0x2000] = 0;
    const { scsw, esw } = await channel.run();
    assert.deepEqual([scsw.dstat, scsw.stctl, esw.lpum], [good, Stctl.PRIM | Stctl.SEC | Stctl.PEND, 0x80]);
    assert.equal(rig.storage.bytes[0x2000], 0xaa);
  }
  assert.equal(channel.statuses.length, 3);
  await system.unregisterDriver(driver as CssDriver);
  await css.stop();
  assert.equal(rig.pmcw.ena, 0);
});

test("a device that is attached appears and finds its driver; one that is detached goes, with what runs on it", async () => {
  const rig = new Rig();
  const { channels, channel, css } = await onTheBus(rig);
  const id = rig.css.attach({
    device: new TestDevice(rig.runtime),
    devno: 7,
    chpids: [0x40],
    ssid: 2,
    schno: 0xabc,
  });
  await css.settle();
  assert.equal(channels[1]?.subchannel.name, "0.2.0abc");
  rig.device.mode = "waits";
  rig.program([0x07, CcwFlag.SLI]);
  const waiting = channel.run();
  await rig.quiet();
  rig.css.detach(rig.id);
  await css.settle();
  assert.deepEqual(channel.events, ["removed"]);
  assert.deepEqual(
    css.subchannels().map(({ name }) => name),
    ["0.2.0abc"],
  );
  assert.equal(rig.device.resets, 1);
  assert.equal(rig.device.working, false);
  rig.css.detach(id);
  await css.settle();
  assert.equal(css.subchannels().length, 0);
  // Nobody will answer it any more.
  const gone = assert.rejects(waiting);
  rig.clock.advance(30_000);
  await gone;
});

test("what runs when the driver is taken off is ended first", async () => {
  const rig = new Rig();
  const { channel, system } = await onTheBus(rig);
  rig.device.mode = "waits";
  rig.program([0x07, CcwFlag.SLI]);
  const ended = channel.run();
  await rig.quiet();
  await system.detach(channel.subchannel);
  assert.equal((await ended).scsw.fctl, Fctl.START | Fctl.HALT);
  assert.deepEqual(rig.device.signals, ["halt"]);
  assert.equal(rig.pmcw.ena, 0);
});

test("paths that are varied or go are not used, and come back", async () => {
  const rig = new Rig({}, { chpids: [0x40, 0x41] });
  const { channel, css } = await onTheBus(rig);
  rig.program([read, CcwFlag.SLI]);
  const paths = async (): Promise<number[]> => [
    (await channel.run()).esw.lpum,
    (await channel.run()).esw.lpum,
  ];
  assert.deepEqual(await paths(), [0x80, 0x40]);
  await css.vary(0x40, "off");
  assert.deepEqual(await paths(), [0x40, 0x40]);
  await css.vary(0x40, "on");
  rig.css.path(0x41).configure("offline");
  await css.settle();
  assert.deepEqual(await paths(), [0x80, 0x80]);
  rig.css.path(0x41).configure("online");
  await css.settle();
  assert.deepEqual(await paths(), [0x40, 0x80]);
  assert.deepEqual(channel.events, ["VARY_OFF 40", "VARY_ON 40", "OFFLINE 41", "ONLINE 41"]);
});

test("a subchannel whose last path went and came back while reports were lost is told of both in the end", async () => {
  const rig = new Rig({ reportLimit: 1 });
  const { channel, css } = await onTheBus(rig);
  rig.css.path(0x77).configure("offline");
  rig.css.path(0x40).configure("offline");
  await css.settle();
  assert.deepEqual(channel.events, ["OFFLINE 40"]);
  assert.equal(channel.subchannel.lpm, 0);
  rig.css.path(0x77).configure("online");
  rig.css.path(0x40).configure("online");
  await css.settle();
  assert.deepEqual(channel.events, ["OFFLINE 40", "ONLINE 40"]);
});

test("attention reaches the driver", async () => {
  const rig = new Rig();
  const { channel } = await onTheBus(rig);
  rig.device.line?.unsolicited(Dstat.ATTENTION);
  await rig.quiet();
  const [irb] = channel.statuses;
  assert.deepEqual([irb?.scsw.stctl, irb?.scsw.dstat], [Stctl.ALERT | Stctl.PEND, Dstat.ATTENTION]);
});
