/** Channel paths, as the user of a subchannel sees them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crw as crwLayout, Erc, Rsc } from "parhelion-buses";
import { chpid, control, done, open, program, start } from "./interface.test.fixture.js";

test("without a path nothing is started; paths that go and come are told one by one", async () => {
  const device = await open();
  const { machine, user, crw } = device;
  program(device, control);
  machine.machine.path(chpid).configure("offline");
  machine.machine.path(chpid).configure("online");
  await machine.css.settle();
  await machine.css.settle();
  await crw.wait();
  const reports: unknown[] = [];
  for (;;) {
    const bytes = await user.call("READ", { offset: 0xc00n, length: 8 });
    if (bytes.every((byte) => byte === 0)) break;
    const { rsc, erc, rsid } = crwLayout.decode(bytes);
    reports.push([rsc, erc, rsid]);
  }
  assert.deepEqual(reports, [
    [Rsc.CPATH, Erc.PERRN, chpid],
    [Rsc.CPATH, Erc.INIT, chpid],
  ]);
  assert.equal(await start(device, { lpm: 0x40 }), "done", "the other path");
  await device.slow.begun.wait();
  device.slow.end();
  await device.io.wait();
  await machine.css.vary(chpid, "off");
  await machine.css.vary(0x31, "off");
  assert.equal(await start(device), "ENODEV");
  await machine.css.vary(chpid, "on");
  assert.equal(await start(device), "done");
  await done(device);
});
