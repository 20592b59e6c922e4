import assert from "node:assert/strict";
import { test } from "node:test";
import { createRuntime, System } from "parhelion-core";
import { Actl, CssBus, orb, Stctl, type Subchannel } from "./index.js";
import { SmallMachine } from "./machine.test.fixture.js";

async function createRig(): Promise<{ machine: SmallMachine; subchannel: Subchannel }> {
  const runtime = createRuntime();
  const machine = new SmallMachine(runtime);
  machine.plug(1);
  const css = new CssBus(new System(runtime), machine);
  await css.start();
  const [subchannel] = css.subchannels();
  assert.ok(subchannel);
  subchannel.cio.enable(0x99, 4);
  return { machine, subchannel };
}

test("a subchannel is enabled with parameter and subclass, and disabled when it is idle", async () => {
  const { machine, subchannel } = await createRig();
  const { intparm, isc, ena } = subchannel.schib.pmcw;
  assert.deepEqual([intparm, isc, ena], [0x99, 4, 1]);
  assert.equal(subchannel.cio.start(orb.make({ lpm: 0xff })), "done");
  assert.equal(subchannel.schib.scsw.actl & Actl.START_PEND, Actl.START_PEND);
  assert.equal(subchannel.cio.disable(), "EBUSY");
  machine.raise(1, { stctl: Stctl.PEND });
  assert.equal(subchannel.cio.start(orb.make()), "done");
  machine.tsch(subchannel.id);
  assert.equal(subchannel.cio.disable(), "done");
  assert.equal(subchannel.schib.pmcw.ena, 0);
  assert.equal(subchannel.cio.halt(), "ENODEV");
});

test("status that is pending and nobody's is dropped to disable a subchannel", async () => {
  const { machine, subchannel } = await createRig();
  machine.raise(1);
  assert.equal(subchannel.cio.disable(), "done");
});

test("a start over paths that are gone leaves the others, and says when none is left", async () => {
  const { machine, subchannel } = await createRig();
  machine.refuses = { ssch: 3 };
  assert.equal(subchannel.cio.start(orb.make({ lpm: 0x80 })), "EACCES");
  assert.equal(subchannel.lpm, 0x40);
  assert.equal(subchannel.cio.start(orb.make({ lpm: 0x40 })), "ENODEV");
  machine.refuses = { ssch: 1 };
  assert.equal(subchannel.cio.start(orb.make()), "EBUSY");
  machine.refuses = { ssch: 2 };
  assert.equal(subchannel.cio.start(orb.make()), "EBUSY");
});

test("what is under way is taken back, else halted, else cleared, and given up at last", async () => {
  const { machine, subchannel } = await createRig();
  const { cio } = subchannel;
  const retries = { left: 255 };
  cio.start(orb.make());
  assert.equal(cio.cancelHaltClear(retries), "done");
  machine.refuses = { xsch: 2 };
  assert.equal(cio.cancelHaltClear(retries), "EBUSY");
  assert.deepEqual([machine.asked.at(-1), retries.left], ["hsch", 2]);
  machine.refuses = { xsch: 2, hsch: 2 };
  machine.raise(1, { stctl: 0 });
  assert.equal(cio.cancelHaltClear(retries), "EBUSY");
  assert.deepEqual([machine.asked.at(-1), retries.left], ["csch", 254]);
  // It stays as it is: a device that does not answer a clear.
  let answer = cio.cancelHaltClear(retries);
  for (let tries = 0; answer === "EBUSY" && tries < 1000; tries += 1) answer = cio.cancelHaltClear(retries);
  assert.equal(answer, "EIO");
  machine.unplug(1);
  assert.equal(cio.cancelHaltClear({ left: 255 }), "ENODEV");
});
