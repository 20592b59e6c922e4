import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CcwFlag, Dstat, Fctl, Stctl } from "parhelion-buses";
import { control, Rig } from "./machine.test.fixture.js";

const ended = Stctl.PRIM | Stctl.SEC | Stctl.PEND;

function started(mode: "at once" | "waits" | "ignores" = "waits"): Rig {
  const rig = new Rig();
  rig.program([control, CcwFlag.SLI]);
  rig.device.mode = mode;
  assert.equal(rig.start(), 0);
  return rig;
}

describe("status that nobody asked for", () => {
  it("interrupts when nothing else is under way", async () => {
    const rig = new Rig();
    rig.device.line?.unsolicited(Dstat.ATTENTION);
    await rig.quiet();
    assert.equal(rig.interruptions.length, 1);
    const { scsw } = rig.collect();
    assert.deepEqual([scsw.stctl, scsw.fctl, scsw.dstat], [Stctl.ALERT | Stctl.PEND, 0, Dstat.ATTENTION]);
  });

  it("comes before a start that has not begun, which is not carried out", async () => {
    const rig = started("at once");
    rig.device.line?.unsolicited(Dstat.ATTENTION);
    await rig.quiet();
    const { scsw } = rig.collect();
    assert.deepEqual([scsw.cc, scsw.stctl, scsw.dstat], [1, Stctl.ALERT | Stctl.PEND, Dstat.ATTENTION]);
    assert.equal(scsw.fctl, Fctl.START);
    assert.equal(rig.device.commands.length, 0);
    assert.equal(rig.start(), 0);
  });

  it("waits for the program's end, and until that is collected", async () => {
    const rig = started();
    await rig.quiet();
    rig.device.line?.unsolicited(Dstat.ATTENTION);
    assert.equal(rig.scsw.stctl, 0);
    rig.device.end();
    await rig.quiet();
    assert.equal(rig.collect().scsw.stctl, ended);
    assert.equal(rig.collect().scsw.stctl, Stctl.ALERT | Stctl.PEND);
  });

  it("is lost on a subchannel that is not enabled", () => {
    const rig = new Rig();
    rig.modify({ ena: 0 });
    rig.device.line?.unsolicited(Dstat.ATTENTION);
    rig.modify({ ena: 1 });
    assert.equal(rig.scsw.stctl, 0);
  });
});

describe("modifying a subchannel", () => {
  it("changes what may be changed, and nothing while something is under way", async () => {
    const rig = new Rig();
    rig.modify({ intparm: 7, isc: 2, mp: 1, dev: 9, pim: 0xff, csense: 1 });
    const { intparm, isc, mp, dev, pim, csense, pam, chpid } = rig.pmcw;
    assert.deepEqual(
      [intparm, isc, mp, dev, pim, csense, pam, chpid[0]],
      [7, 2, 1, 0x1000, 0x80, 1, 0x80, 0x40],
    );
    rig.program([control, CcwFlag.SLI]);
    rig.start();
    assert.equal(rig.modify({ ena: 0 }), 2);
    await rig.quiet();
    assert.equal(rig.modify({ ena: 0 }), 1);
    assert.equal(rig.pmcw.ena, 1);
  });
});
