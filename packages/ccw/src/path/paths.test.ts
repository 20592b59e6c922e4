import assert from "node:assert/strict";
import { test } from "node:test";
import { CcwFlag, Cstat, Erc, Rsc, Stctl } from "parhelion-buses";
import { isKernelError } from "parhelion-core";
import { control, good, Rig } from "../subsystem/machine.test.fixture.js";

const ended = Stctl.PRIM | Stctl.SEC | Stctl.PEND;

function onTwoPaths(): Rig {
  const rig = new Rig({}, { chpids: [0x40, 0x41] });
  rig.program([control, CcwFlag.SLI]);
  return rig;
}

test("starts take turns on the paths that the ORB allows", async () => {
  const rig = onTwoPaths();
  const used: number[] = [];
  for (const lpm of [0xff, 0xff, 0xff, 0x40, 0x40]) {
    rig.start({ lpm });
    await rig.quiet();
    assert.equal(rig.collect().esw.lpum, rig.pmcw.lpum);
    used.push(rig.device.commands.at(-1)?.path.chpid ?? 0);
  }
  assert.deepEqual(used, [0x40, 0x41, 0x40, 0x41, 0x41]);
});

test("a path that does not answer is passed over and noted, until it answers or a clear", async () => {
  const rig = onTwoPaths();
  rig.css.path(0x40).plug("down");
  rig.start();
  await rig.quiet();
  assert.equal(rig.collect().scsw.dstat, good);
  assert.deepEqual([rig.pmcw.pnom, rig.pmcw.pom & 0xc0, rig.pmcw.lpum], [0x80, 0x40, 0x40]);
  rig.css.path(0x40).plug("up");
  rig.start();
  await rig.quiet();
  rig.collect();
  assert.deepEqual([rig.pmcw.pnom, rig.pmcw.pom & 0xc0, rig.pmcw.lpum], [0, 0xc0, 0x80]);
  rig.css.path(0x40).plug("down");
  rig.start({ lpm: 0x80 });
  await rig.quiet();
  assert.equal(rig.pmcw.pnom, 0x80);
  rig.css.csch(rig.id);
  await rig.quiet();
  assert.equal(rig.pmcw.pnom, 0);
});

test("a start for which no path answers ends with deferred condition code 3", async () => {
  const rig = onTwoPaths();
  rig.css.path(0x40).plug("down");
  rig.css.path(0x41).plug("down");
  assert.equal(rig.start(), 0);
  await rig.quiet();
  const { scsw } = rig.collect();
  assert.deepEqual([scsw.cc, scsw.pno, scsw.stctl], [3, 1, ended | Stctl.ALERT]);
  assert.deepEqual([rig.scsw.fctl, rig.scsw.actl, rig.scsw.pno], [0, 0, 0]);
  assert.equal(rig.device.commands.length, 0);
});

test("a path that goes offline takes with it what runs on it, and is reported", async () => {
  const rig = onTwoPaths();
  while (rig.css.stcrw() !== null);
  rig.device.mode = "waits";
  rig.start({ lpm: 0x80 });
  await rig.quiet();
  rig.css.path(0x40).configure("offline");
  rig.css.path(0x40).configure("offline");
  await rig.quiet();
  const { scsw } = rig.collect();
  assert.deepEqual([scsw.cstat, scsw.stctl], [Cstat.INTF_CTRL_CHK, ended | Stctl.ALERT]);
  assert.equal(rig.pmcw.pam, 0x40);
  assert.equal(rig.start({ lpm: 0x80 }), 3);
  rig.css.path(0x40).configure("online");
  assert.equal(rig.pmcw.pam, 0xc0);
  const reports = [rig.css.stcrw(), rig.css.stcrw(), rig.css.stcrw()];
  assert.deepEqual(
    reports.map((crw) => crw && [crw.rsc, crw.erc, crw.rsid]),
    [[Rsc.CPATH, Erc.PERRN, 0x40], [Rsc.CPATH, Erc.INIT, 0x40], null],
  );
});

test("a program that is suspended when its path goes ends when it is resumed", async () => {
  const rig = onTwoPaths();
  rig.program([control, CcwFlag.SLI | CcwFlag.SUSPEND]);
  rig.start({ spnd: 1, ssic: 1, lpm: 0x80 });
  await rig.quiet();
  rig.css.path(0x40).configure("offline");
  await rig.quiet();
  assert.equal(rig.scsw.stctl, 0);
  rig.css.rsch(rig.id);
  await rig.quiet();
  assert.equal(rig.collect().scsw.cstat, Cstat.INTF_CTRL_CHK);
  assert.equal(rig.start(), 0);
});

test("paths and numbers that there can't be are refused", () => {
  const rig = new Rig();
  const attach = (change: object) => rig.css.attach({ device: rig.device, devno: 7, chpids: [1], ...change });
  const refused = (code: "EINVAL" | "EEXIST") => (error: unknown) => isKernelError(error, code);
  assert.throws(() => attach({ chpids: [] }), refused("EINVAL"));
  assert.throws(() => attach({ chpids: [1, 2, 3, 4, 5, 6, 7, 8, 9] }), refused("EINVAL"));
  assert.throws(() => attach({ chpids: [1, 1] }), refused("EINVAL"));
  assert.throws(() => attach({ chpids: [256] }), refused("EINVAL"));
  assert.throws(() => attach({ devno: 0x1_0000 }), refused("EINVAL"));
  assert.throws(() => attach({ schno: 0x1_0000 }), refused("EINVAL"));
  assert.throws(() => attach({ ssid: 4 }), refused("EINVAL"));
  assert.throws(() => attach({ schno: 5 }), refused("EEXIST"));
  assert.throws(() => attach({ devno: 0x1000 }), refused("EEXIST"));
  assert.equal(attach({}).schno, 0);
});
