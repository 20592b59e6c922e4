import assert from "node:assert/strict";
import { test } from "node:test";
import { type Crw, crw, Erc, Rsc } from "./layout/index.js";
import { type Report, readReports } from "./reports.js";

function reportsOf(...words: readonly Partial<Crw>[]): Report[] {
  const queue = words.map((word) => crw.make(word));
  return [...readReports(0, () => queue.shift() ?? null)];
}

const path = (erc: number, slct = 0) => reportsOf({ rsc: Rsc.CPATH, erc, slct, rsid: 0x41 });
const heard = (event: "ONLINE" | "OFFLINE") => [{ about: "path", chpid: 0x41, event }];

test("a path has come when it is initialised or its parameters are, and gone with either permanent error", () => {
  for (const erc of [Erc.INIT, Erc.IPARM]) assert.deepEqual(path(erc), heard("ONLINE"), `${erc}`);
  for (const erc of [Erc.PERRN, Erc.PERRI]) assert.deepEqual(path(erc), heard("OFFLINE"), `${erc}`);
});

test("what else is reported of a path says neither that it came nor that it went", () => {
  const known: readonly number[] = [Erc.INIT, Erc.IPARM, Erc.PERRN, Erc.PERRI];
  for (let erc = 0; erc < 64; erc += 1)
    if (!known.includes(erc)) assert.deepEqual(path(erc), [{ about: "other", rsc: Rsc.CPATH, erc }]);
});

test("a path's report that was asked for is of a reset, and no news", () => {
  for (const erc of [Erc.INIT, Erc.PERRN])
    assert.deepEqual(path(erc, 1), [{ about: "other", rsc: Rsc.CPATH, erc }]);
});

test("whatever is reported of a subchannel, it is looked at; a second word names its set", () => {
  for (let erc = 0; erc < 64; erc += 1)
    assert.deepEqual(
      reportsOf({ rsc: Rsc.SCH, erc, rsid: 0x12, chn: 1 }, { rsc: Rsc.SCH, erc, rsid: 2 << 4 }),
      [{ about: "subchannel", id: { cssid: 0, ssid: 2, schno: 0x12 } }],
    );
});

test("more words than two are no report that is known, and are passed over", () => {
  const chained = { rsc: Rsc.SCH, erc: Erc.IPARM, chn: 1 };
  assert.deepEqual(
    reportsOf(
      { ...chained, rsid: 1 },
      { ...chained, rsid: 0 },
      { ...chained, rsid: 0x40 },
      { rsc: Rsc.SCH, erc: Erc.IPARM, rsid: 0x41 },
      { rsc: Rsc.SCH, erc: Erc.IPARM, rsid: 2 },
    ),
    [1, 2].map((schno) => ({ about: "subchannel", id: { cssid: 0, ssid: 0, schno } })),
  );
});

test("when reports were lost, everything is looked at, and what stands in that word counts for nothing", () => {
  const lost = { rsc: Rsc.CPATH, erc: Erc.PERRN, rsid: 0x41, oflw: 1 };
  assert.deepEqual(reportsOf(lost), [{ about: "everything" }]);
  assert.deepEqual(
    reportsOf({ rsc: Rsc.SCH, erc: Erc.IPARM, rsid: 1, chn: 1 }, lost, { rsc: Rsc.SCH, rsid: 5 }),
    [{ about: "everything" }, { about: "subchannel", id: { cssid: 0, ssid: 0, schno: 5 } }],
  );
});
