import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRig, one, recorder } from "./bus.test.fixture.js";
import { type ChpEvent, type CssDriver, Erc, Rsc } from "./index.js";
import { idOf } from "./machine.test.fixture.js";

describe("channel paths", () => {
  it("that are varied or reported change the masks, and the driver hears of it", async () => {
    const rig = await createRig(1);
    const events: string[] = [];
    await rig.system.registerDriver(recorder(rig.css, events) as CssDriver);
    events.length = 0;
    assert.equal(one(rig).lpm, 0xc0);
    await rig.css.vary(0x41, "off");
    await rig.css.vary(0x41, "off");
    await rig.css.vary(0x99, "off");
    rig.machine.path(0x40, "offline");
    await rig.css.settle();
    rig.machine.path(0x40, "online");
    await rig.css.settle();
    await rig.css.vary(0x41, "on");
    assert.deepEqual(events, [
      "VARY_OFF 1 41 40 bf 80",
      "OFFLINE 1 40 80 bf 0",
      "ONLINE 1 40 80 bf 80",
      "VARY_ON 1 41 40 ff c0",
    ]);
  });

  it("that were varied off before are off for subchannels that come", async () => {
    const rig = await createRig();
    await rig.css.vary(0x40, "off");
    rig.machine.plug(1);
    await rig.css.settle();
    assert.deepEqual([one(rig).opm, one(rig).lpm], [0x7f, 0x40]);
    await rig.css.stop();
  });

  it("that came or went without a report are found at the next evaluation, once", async () => {
    const rig = await createRig(1);
    const events: string[] = [];
    await rig.system.registerDriver(recorder(rig.css, events) as CssDriver);
    events.length = 0;
    rig.machine.path(0x41, "offline", "not told");
    rig.css.evaluate(idOf(1));
    await rig.css.settle();
    rig.machine.report({ rsc: Rsc.CPATH, erc: Erc.PERRN, rsid: 0x41 });
    await rig.css.settle();
    assert.deepEqual(events, ["OFFLINE 1 41 40 ff 80", "event 1"]);
  });

  it("that a driver can't do without leave it with none, and have it evaluated", async () => {
    const rig = await createRig(1);
    const events: ChpEvent[] = [];
    let looked = 0;
    const driver = recorder(rig.css, [], {
      chpEvent: (_subchannel, _state, _link, event) => {
        events.push(event);
        return "failed";
      },
      schEvent: () => {
        looked += 1;
        return "done";
      },
    });
    await rig.system.registerDriver(driver as CssDriver);
    await rig.css.vary(0x40, "off");
    await rig.css.vary(0x40, "on");
    await rig.css.settle();
    assert.deepEqual([looked, one(rig).lpm], [0, 0xc0]);
    rig.machine.path(0x40, "offline");
    await rig.css.settle();
    assert.deepEqual([looked, one(rig).lpm], [1, 0]);
    assert.deepEqual(events, ["VARY_OFF", "VARY_ON", "OFFLINE"]);
  });
});
