import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Actl, CcwFlag, Cstat, Dstat, Fctl, orb, Stctl } from "parhelion-buses";
import { isKernelError } from "parhelion-core";
import { chained, control, good, Rig } from "./machine.test.fixture.js";

const ended = Stctl.PRIM | Stctl.SEC | Stctl.PEND;

function started(mode: "at once" | "waits" | "ignores" = "waits"): Rig {
  const rig = new Rig();
  rig.program([control, CcwFlag.SLI]);
  rig.device.mode = mode;
  assert.equal(rig.start(), 0);
  return rig;
}

describe("a start function", () => {
  it("is pending, then active, then ended with primary and secondary status", async () => {
    const rig = started();
    assert.equal(rig.scsw.actl, Actl.START_PEND);
    assert.equal(rig.start(), 2);
    await rig.quiet();
    assert.equal(rig.scsw.actl, Actl.SCHACT | Actl.DEVACT);
    assert.equal(rig.css.tsch(rig.id).cc, 1);
    rig.device.end();
    await rig.quiet();
    assert.deepEqual(rig.interruptions, [{ id: rig.id, intparm: 0x1234, isc: 3 }]);
    assert.equal(rig.start(), 1);
    const { scsw } = rig.collect();
    assert.equal(scsw.stctl, ended);
    assert.equal(scsw.fctl, Fctl.START);
    assert.equal(scsw.actl, 0);
    assert.equal(scsw.dstat, good);
    assert.equal(scsw.cpa, 0x1008);
    assert.equal(rig.css.tsch(rig.id).cc, 1);
    assert.deepEqual([rig.scsw.fctl, rig.scsw.actl, rig.scsw.stctl], [0, 0, 0]);
    assert.equal(rig.start(), 0);
  });

  it("is refused where there is no device, none enabled, or no path available", () => {
    const rig = new Rig();
    assert.equal(rig.css.ssch({ cssid: 0, ssid: 0, schno: 9 }, orb.make()), 3);
    assert.equal(rig.start({ lpm: 0x40 }), 3);
    rig.css.path(0x40).configure("offline");
    assert.equal(rig.start(), 3);
    rig.css.path(0x40).configure("online");
    rig.modify({ ena: 0 });
    assert.equal(rig.start(), 3);
    assert.equal(rig.css.tsch(rig.id).cc, 3);
    assert.equal(rig.css.hsch(rig.id), 3);
    assert.equal(rig.css.csch(rig.id), 3);
  });

  it("is refused with an operand exception for an ORB that is not valid", () => {
    const rig = new Rig();
    for (const change of [{ b: 1 }, { zero: 1 }, { orbx: 1 }, { cpa: 0x8000_0000 }]) {
      assert.throws(
        () => rig.start(change),
        (error) => isKernelError(error, "EIO"),
      );
    }
  });

  it("reports intermediate status and goes on", async () => {
    const rig = new Rig();
    rig.program([control, chained], [control, CcwFlag.SLI | CcwFlag.PCI]);
    rig.device.mode = "waits";
    rig.start({ isic: 1 });
    await rig.quiet();
    const first = rig.collect().scsw;
    assert.equal(first.stctl, Stctl.INTER | Stctl.PEND);
    assert.equal(first.zcc, 1);
    assert.equal(rig.scsw.fctl, Fctl.START);
    assert.equal(rig.scsw.actl, Actl.SCHACT | Actl.DEVACT);
    rig.device.end();
    await rig.quiet();
    const second = rig.collect().scsw;
    assert.equal(second.stctl, Stctl.INTER | Stctl.PEND);
    assert.equal(second.cstat, Cstat.PCI);
    rig.device.end();
    await rig.quiet();
    const third = rig.collect().scsw;
    assert.deepEqual([third.stctl, third.cstat, third.zcc], [ended, 0, 0]);
    assert.equal(rig.interruptions.length, 3);
  });

  it("ends in two: channel end, then device end", async () => {
    const rig = started("at once");
    rig.device.answer = { status: Dstat.CHN_END, deviceEnd: () => rig.device.later() };
    await rig.quiet();
    assert.equal(rig.collect().scsw.stctl, Stctl.PRIM | Stctl.PEND);
    assert.deepEqual([rig.scsw.fctl, rig.scsw.actl], [0, Actl.DEVACT]);
    rig.device.end({ status: Dstat.DEV_END });
    await rig.quiet();
    const { scsw } = rig.collect();
    assert.deepEqual([scsw.stctl, scsw.dstat, scsw.actl], [Stctl.SEC | Stctl.PEND, Dstat.DEV_END, 0]);
  });

  it("waits for the device, whose end then comes with a deferred condition code", async () => {
    const rig = started("at once");
    rig.device.answer = { status: Dstat.CHN_END, deviceEnd: () => rig.device.later() };
    await rig.quiet();
    rig.collect();
    assert.equal(rig.start(), 0);
    await rig.quiet();
    assert.equal(rig.scsw.actl, Actl.START_PEND | Actl.DEVACT);
    rig.device.end({ status: Dstat.DEV_END });
    await rig.quiet();
    const { scsw } = rig.collect();
    assert.deepEqual([scsw.cc, scsw.stctl, scsw.dstat], [1, Stctl.ALERT | Stctl.PEND, Dstat.DEV_END]);
    assert.equal(rig.device.commands.length, 1);
    rig.device.answer = { status: good };
    assert.equal(rig.start(), 0);
    await rig.quiet();
    assert.equal(rig.collect().scsw.stctl, ended);
  });

  it("brings sense along when that is wanted", async () => {
    const rig = started("at once");
    rig.device.answer = { status: good | Dstat.UNIT_CHECK, sense: Uint8Array.of(0x80, 1, 2) };
    await rig.quiet();
    const without = rig.collect();
    assert.deepEqual([without.scsw.ectl, without.esw.erw.cons], [0, 0]);
    assert.equal(without.scsw.stctl, ended | Stctl.ALERT);
    rig.modify({ csense: 1 });
    rig.start();
    await rig.quiet();
    const { scsw, esw, ecw } = rig.collect();
    assert.deepEqual([scsw.ectl, esw.erw.cons, esw.erw.scnt], [1, 1, 3]);
    assert.deepEqual([...ecw.subarray(0, 4)], [0x80, 1, 2, 0]);
    rig.device.answer = { status: good };
    rig.start();
    await rig.quiet();
    assert.equal(rig.collect().esw.erw.scnt, 0);
  });

  it("is taken back before it has begun, and not after", async () => {
    const rig = started();
    assert.equal(rig.css.xsch(rig.id), 0);
    assert.deepEqual([rig.scsw.fctl, rig.scsw.actl], [0, 0]);
    await rig.quiet();
    assert.equal(rig.device.commands.length, 0);
    assert.equal(rig.css.xsch(rig.id), 2);
    rig.start();
    await rig.quiet();
    assert.equal(rig.css.xsch(rig.id), 2);
    rig.device.end();
    await rig.quiet();
    assert.equal(rig.css.xsch(rig.id), 1);
    assert.equal(rig.device.commands.length, 1);
  });
});

describe("a suspended program", () => {
  async function suspended(ssic = 0): Promise<Rig> {
    const rig = new Rig();
    rig.program([control, chained], [control, CcwFlag.SLI | CcwFlag.SUSPEND]);
    rig.start({ spnd: 1, ssic });
    await rig.quiet();
    return rig;
  }

  it("says so, and goes on when it is resumed", async () => {
    const rig = await suspended();
    assert.equal(rig.css.rsch(rig.id), 1);
    const { scsw } = rig.collect();
    assert.equal(scsw.stctl, Stctl.INTER | Stctl.PEND);
    assert.equal(scsw.actl, Actl.SUSPENDED);
    assert.equal(scsw.cpa, 0x1010);
    assert.deepEqual([rig.scsw.fctl, rig.scsw.actl], [Fctl.START, Actl.SUSPENDED]);
    rig.program([control, chained], [control, CcwFlag.SLI]);
    assert.equal(rig.css.rsch(rig.id), 0);
    assert.equal(rig.css.rsch(rig.id), 2);
    await rig.quiet();
    assert.equal(rig.collect().scsw.stctl, ended);
    assert.equal(rig.device.commands.length, 2);
  });

  it("is quiet where that is asked for, and suspended again while the flag is there", async () => {
    const rig = await suspended(1);
    assert.equal(rig.scsw.stctl, 0);
    assert.equal(rig.css.rsch(rig.id), 0);
    await rig.quiet();
    assert.equal(rig.scsw.actl, Actl.SUSPENDED);
    assert.equal(rig.device.commands.length, 1);
  });

  it("is resumed in advance", async () => {
    const rig = new Rig();
    rig.program([control, chained], [control, CcwFlag.SLI | CcwFlag.SUSPEND]);
    rig.device.mode = "waits";
    rig.start({ spnd: 1 });
    await rig.quiet();
    assert.equal(rig.css.rsch(rig.id), 0);
    assert.equal(rig.css.rsch(rig.id), 2);
    // Whoever resumes in advance takes the flag away as well, here between the two looks at it.
    const { storage } = rig;
    const read = storage.read.bind(storage);
    let looks = 0;
    storage.read = (address, length, key) => {
      if (address === 0x1008) looks += 1;
      if (looks === 2) rig.program([control, chained], [control, CcwFlag.SLI]);
      return read(address, length, key);
    };
    rig.device.end();
    await rig.quiet();
    assert.equal(rig.scsw.actl, Actl.SCHACT | Actl.DEVACT);
    assert.equal(rig.css.rsch(rig.id), 0);
    rig.device.end();
    await rig.quiet();
    assert.equal(rig.collect().scsw.stctl, ended);
    assert.equal(rig.scsw.actl, 0);
  });

  it("can't be resumed where suspending was not allowed", async () => {
    const rig = started();
    await rig.quiet();
    assert.equal(rig.css.rsch(rig.id), 2);
  });

  it("is halted, and cleared", async () => {
    const halted = await suspended(1);
    assert.equal(halted.css.hsch(halted.id), 0);
    await halted.quiet();
    const { scsw } = halted.collect();
    assert.deepEqual([scsw.fctl, scsw.stctl], [Fctl.START | Fctl.HALT, Stctl.PRIM | Stctl.PEND]);
    assert.deepEqual([halted.scsw.fctl, halted.scsw.actl], [0, 0]);
    assert.equal(halted.start(), 0);

    const cleared = await suspended();
    assert.equal(cleared.css.csch(cleared.id), 0);
    await cleared.quiet();
    assert.equal(cleared.collect().scsw.fctl, Fctl.CLEAR);
    assert.equal(cleared.device.commands.length, 1);
  });
});

describe("a halt function", () => {
  it("ends what runs", async () => {
    const rig = started();
    await rig.quiet();
    assert.equal(rig.css.hsch(rig.id), 0);
    assert.equal(rig.scsw.actl, Actl.SCHACT | Actl.DEVACT | Actl.HALT_PEND);
    assert.equal(rig.css.hsch(rig.id), 2);
    await rig.quiet();
    assert.deepEqual(rig.device.signals, ["halt"]);
    assert.equal(rig.css.hsch(rig.id), 1);
    const { scsw } = rig.collect();
    assert.deepEqual([scsw.fctl, scsw.stctl, scsw.actl], [Fctl.START | Fctl.HALT, ended, 0]);
  });

  it("keeps a start from beginning", async () => {
    const rig = started();
    assert.equal(rig.css.hsch(rig.id), 0);
    await rig.quiet();
    // The start may win, being there first; then it is halted.
    const { scsw } = rig.collect();
    assert.equal(scsw.fctl, Fctl.START | Fctl.HALT);
    assert.deepEqual([rig.scsw.fctl, rig.scsw.actl, rig.scsw.stctl], [0, 0, 0]);
    assert.equal(rig.device.working, false);
  });

  it("of an idle subchannel has a status of its own", async () => {
    const rig = new Rig();
    rig.css.hsch(rig.id);
    await rig.quiet();
    const { scsw } = rig.collect();
    assert.deepEqual([scsw.fctl, scsw.stctl, scsw.dstat], [Fctl.HALT, Stctl.PEND, 0]);
  });

  it("takes intermediate status away, and ends the wait for a device", async () => {
    const rig = started("at once");
    rig.device.answer = { status: Dstat.CHN_END, deviceEnd: () => rig.device.later() };
    await rig.quiet();
    rig.collect();
    rig.css.hsch(rig.id);
    await rig.quiet();
    const { scsw } = rig.collect();
    assert.deepEqual([scsw.fctl, scsw.stctl], [Fctl.HALT, Stctl.SEC | Stctl.PEND]);

    const pci = new Rig();
    pci.program([control, CcwFlag.SLI | CcwFlag.PCI]);
    pci.device.mode = "waits";
    pci.start();
    await pci.quiet();
    assert.equal(pci.css.hsch(pci.id), 0);
    assert.equal(pci.scsw.stctl, 0);
  });
});

describe("a clear function", () => {
  it("takes away what is pending and what runs", async () => {
    const rig = started();
    await rig.quiet();
    assert.equal(rig.css.csch(rig.id), 0);
    assert.deepEqual([rig.scsw.fctl, rig.scsw.actl, rig.scsw.stctl], [Fctl.CLEAR, Actl.CLEAR_PEND, 0]);
    assert.equal(rig.start(), 2);
    assert.equal(rig.css.hsch(rig.id), 2);
    assert.equal(rig.css.csch(rig.id), 0);
    await rig.quiet();
    assert.deepEqual(rig.device.signals, ["clear"]);
    assert.equal(rig.interruptions.length, 1);
    const { scsw } = rig.collect();
    assert.deepEqual([scsw.fctl, scsw.actl, scsw.stctl], [Fctl.CLEAR, 0, Stctl.PEND]);
    assert.equal(rig.start(), 0);
  });

  it("takes an interruption back that nobody has taken", async () => {
    const rig = started("at once");
    rig.css.enableSubclasses(0);
    await rig.quiet();
    assert.equal(rig.scsw.stctl, ended);
    rig.css.csch(rig.id);
    rig.css.enableSubclasses(0xff);
    await rig.quiet();
    assert.equal(rig.interruptions.length, 1);
    assert.equal(rig.collect().scsw.fctl, Fctl.CLEAR);
  });

  it("gives a device that does not answer its time, and cuts its program off", async () => {
    const rig = started("ignores");
    await rig.quiet();
    rig.css.csch(rig.id);
    await rig.quiet();
    assert.equal(rig.scsw.actl, Actl.CLEAR_PEND);
    rig.clock.advance(3000);
    await rig.quiet();
    assert.equal(rig.collect().scsw.fctl, Fctl.CLEAR);
    // The next one waits for the device.
    assert.equal(rig.start(), 0);
    await rig.quiet();
    assert.equal(rig.scsw.actl, Actl.START_PEND);
    rig.device.mode = "at once";
    rig.device.end();
    await rig.quiet();
    assert.equal(rig.collect().scsw.stctl, ended);
  });

  it("lets nothing of the old program reach storage", async () => {
    const rig = new Rig();
    rig.program([0x02, chained], [0x02, CcwFlag.SLI]);
    rig.device.mode = "ignores";
    rig.start();
    await rig.quiet();
    rig.css.csch(rig.id);
    rig.device.mode = "at once";
    rig.device.end();
    await rig.quiet();
    assert.equal(rig.storage.bytes[0x2000], 0);
    assert.equal(rig.collect().scsw.fctl, Fctl.CLEAR);
    assert.equal(rig.device.commands.length, 1);
  });
});
