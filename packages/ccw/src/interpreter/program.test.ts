import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Cstat, Dstat } from "parhelion-buses";
import type { MainStorage } from "../storage/index.js";
import { startControls } from "./controls.js";
import { dataAt, done, ended, programAt, Rig, summary } from "./program.test.fixture.js";

const read = 0x02;
const write = 0x01;
const nop = 0x03;
const tic = 0x08;
const searchId = 0x31;
const readData = 0x06;

describe("command chaining", () => {
  it("searches a track as disk programs do: search, transfer back to it, and on when it was found", async () => {
    let record = 0;
    const rig = new Rig({
      [searchId]: async (data) => {
        const [, , , , wanted] = await data.receive(5);
        record += 1;
        return record === wanted ? done | Dstat.STAT_MOD : done;
      },
      [readData]: async (data) => {
        await data.send(Uint8Array.of(0xd9, record));
        return done;
      },
    });
    rig.storage.bytes.set([0, 1, 0, 2, 7], dataAt);
    const end = await rig.run([
      { cmd: searchId, flags: ["CC"], count: 5, cda: dataAt },
      { cmd: tic, cda: programAt },
      { cmd: readData, count: 2, cda: dataAt + 16 },
    ]);
    assert.deepEqual(summary(end), { ccws: 3, count: 0, dstat: done, cstat: 0, deferred: 0 });
    assert.deepEqual(rig.device.codes, [...Array(7).fill(searchId), readData]);
    assert.deepEqual([...rig.storage.bytes.subarray(dataAt + 16, dataAt + 18)], [0xd9, 7]);
    assert.equal(rig.device.commands[0]?.chained, false);
    assert.equal(rig.device.commands[7]?.chained, true);
  });

  it("ends where the device ends otherwise than well", async () => {
    const sense = Uint8Array.of(0x08, 0, 0x40);
    const rig = new Rig({ [read]: () => ({ status: done | Dstat.UNIT_CHECK, sense }) });
    const end = await rig.run([
      { cmd: nop, flags: ["CC"] },
      { cmd: read, flags: ["CC"], count: 8, cda: dataAt },
      { cmd: nop },
    ]);
    const dstat = done | Dstat.UNIT_CHECK;
    assert.deepEqual(summary(end), { ccws: 2, count: 8, dstat, cstat: 0, deferred: 0 });
    assert.equal(end.sense, sense);
    assert.deepEqual(rig.device.codes, [nop, read]);
  });

  it("waits for a device end between two commands, and leaves the last one's to whoever started the program", async () => {
    const rig = new Rig({
      [nop]: () => ({
        status: Dstat.CHN_END,
        deviceEnd: () => Promise.resolve({ status: Dstat.DEV_END | Dstat.STAT_MOD }),
      }),
    });
    const end = await rig.run([{ cmd: nop, flags: ["CC"] }, { cmd: read }, { cmd: nop }]);
    assert.deepEqual(rig.device.codes, [nop, nop]);
    assert.equal(end.dstat, Dstat.CHN_END);
    assert.equal((await end.deviceEnd?.())?.status, Dstat.DEV_END | Dstat.STAT_MOD);
  });

  it("sees what a command before has written over the program, with prefetch permitted or not", async () => {
    const rig = new Rig({
      [read]: async (data) => {
        await data.send(Uint8Array.of(0x0b));
        return done;
      },
    });
    const end = await rig.run([{ cmd: read, flags: ["CC"], count: 1, cda: programAt + 8 }, { cmd: nop }]);
    assert.equal(end.cstat, 0);
    assert.deepEqual(rig.device.codes, [read, 0x0b]);
  });
});

describe("a start that the device refuses", () => {
  it("is deferred condition code 1, with the device's status", async () => {
    const rig = new Rig({ [nop]: () => Dstat.BUSY | Dstat.STAT_MOD });
    const end = await rig.run([{ cmd: nop, flags: ["PCI"], count: 1 }]);
    const dstat = Dstat.BUSY | Dstat.STAT_MOD;
    assert.deepEqual(summary(end), { ccws: 1, count: 1, dstat, cstat: 0, deferred: 1 });
    assert.deepEqual(rig.intermediates, []);
  });

  it("is none when it is a later command", async () => {
    const rig = new Rig({ [read]: () => Dstat.BUSY });
    const end = await rig.run([
      { cmd: nop, flags: ["CC"] },
      { cmd: read, count: 1, cda: dataAt },
    ]);
    assert.deepEqual(summary(end), { ccws: 2, count: 1, dstat: Dstat.BUSY, cstat: 0, deferred: 0 });
  });
});

describe("status while the program runs", () => {
  it("comes for each CCW with the PCI flag that takes control, data-chained ones too, before its data", async () => {
    const log: string[] = [];
    const rig = new Rig({
      [write]: async (data) => {
        log.push(`4 bytes, ${rig.intermediates.length} told`);
        await data.receive(4);
        log.push(`2 bytes, ${rig.intermediates.length} told`);
        await data.receive(2);
        return done;
      },
    });
    await rig.run([
      { cmd: write, flags: ["CD"], count: 4, cda: dataAt },
      { cmd: 0, flags: ["PCI", "CC"], count: 2, cda: dataAt },
      { cmd: nop, flags: ["PCI"] },
    ]);
    assert.deepEqual(log, ["4 bytes, 0 told", "2 bytes, 1 told"]);
    const told = rig.intermediates.map(({ reason, cpa }) => [reason, (cpa - programAt) / 8]);
    assert.deepEqual(told, [
      ["pci", 2],
      ["pci", 3],
    ]);
  });

  it("says once that the device accepted the first command, if that is wanted and it takes time", async () => {
    const rig = new Rig({ [write]: async (data) => ((await data.receive(1)).length === 1 ? done : 0) });
    const ccws = [
      { cmd: write, flags: ["CC"], count: 1, cda: dataAt },
      { cmd: write, count: 1, cda: dataAt },
    ] as const;
    await rig.run(ccws, { initialStatus: "reported" });
    assert.deepEqual(rig.intermediates, [{ reason: "initial-status", cpa: programAt + 8 }]);
    await rig.run([{ cmd: nop }], { initialStatus: "reported" });
    assert.equal(rig.intermediates.length, 1);
  });
});

describe("suspension", () => {
  it("stops before the CCW and goes on with what stands there when it is resumed", async () => {
    const rig = new Rig();
    const program = rig.program([
      { cmd: nop, flags: ["CC"] },
      { cmd: 0x0b, flags: ["SUSPEND"], count: 3 },
    ]);
    assert.deepEqual(await program.run(), {
      state: "suspended",
      cpa: programAt + 16,
      count: 3,
      pci: "not asked",
    });
    assert.deepEqual(rig.device.codes, [nop]);
    assert.equal(rig.device.ends, 0);
    assert.equal((await program.run()).state, "suspended");
    rig.put(programAt + 8, 1, [{ cmd: tic, cda: programAt + 64 }]);
    rig.put(programAt + 64, 1, [{ cmd: 0x1b }]);
    assert.equal(ended(await program.run()).cpa, programAt + 72);
    assert.deepEqual(rig.device.codes, [nop, 0x1b]);
    assert.equal(rig.device.ends, 1);
  });

  it("looks at the flag twice when the program was resumed before it came there", async () => {
    for (const second of ["cleared", "left"] as const) {
      const rig = new Rig();
      const storage: MainStorage = {
        read: (address, length, key) => {
          const bytes = rig.storage.read(address, length, key).slice();
          // Software clears the flag between the two looks, or does not.
          if (second === "cleared") rig.put(programAt, 1, [{ cmd: nop }]);
          return bytes;
        },
        write: () => undefined,
      };
      const program = rig.program([{ cmd: nop, flags: ["SUSPEND"] }], {}, {}, storage);
      program.resume();
      assert.equal((await program.run()).state, second === "cleared" ? "ended" : "suspended");
      assert.deepEqual(rig.device.codes, second === "cleared" ? [nop] : []);
    }
  });
});

describe("the end of a program", () => {
  it("carries what the device adds when it hears of it", async () => {
    const rig = new Rig();
    rig.device.atEnd = () => ({ status: Dstat.UNIT_CHECK, sense: Uint8Array.of(0x10) });
    const { dstat, sense } = await rig.run([{ cmd: nop }]);
    assert.equal(dstat, done | Dstat.UNIT_CHECK);
    assert.deepEqual(sense, Uint8Array.of(0x10));
  });

  it("is an interface control check when the device breaks, and the reason is logged", async () => {
    const rig = new Rig({
      [nop]: () => {
        throw new Error("torn tape");
      },
    });
    const end = await rig.run([{ cmd: nop, flags: ["CC"] }, { cmd: nop }]);
    assert.deepEqual(summary(end), { ccws: 1, count: 0, dstat: 0, cstat: Cstat.INTF_CTRL_CHK, deferred: 0 });
    assert.equal(rig.device.ends, 1);
    const [{ event, fields }] = rig.logs as [(typeof rig.logs)[number]];
    assert.equal(event, "ccw.device-failed");
    assert.match(String(fields["error"]), /torn tape/);
  });

  it("is a channel control check when storage breaks", async () => {
    const rig = new Rig();
    const broken = {
      read: () => Promise.reject(new Error("wire cut")),
      write: () => undefined,
    };
    const end = ended(await rig.program([{ cmd: nop }], {}, {}, broken).run());
    assert.equal(end.cstat, Cstat.CHN_CTRL_CHK);
    assert.equal(rig.logs[0]?.level, "error");
  });
});

describe("an ORB", () => {
  it("says how the program is to be read", () => {
    const orb = { intparm: 1, key: 3, spnd: 1, mod: 0, sync: 0, fmt: 1, pfch: 1, isic: 1, alcc: 0, ssic: 0 };
    const rest = { b: 0, c64: 1, i2k: 0, lpm: 0x80, ils: 0, zero: 0, orbx: 0, cpa: 0x1000 };
    assert.deepEqual(startControls({ ...orb, ...rest }), {
      cpa: 0x1000,
      key: 3,
      format: 1,
      suspend: "allowed",
      initialStatus: "reported",
      idawFormat: 2,
      idawBlock: 4096,
      immediateLength: "checked",
    });
    assert.equal(startControls({ ...orb, ...rest, i2k: 1 }).idawBlock, 2048);
    assert.equal(startControls({ ...orb, ...rest, c64: 0 }).idawBlock, 2048);
    assert.equal(startControls({ ...orb, ...rest, ils: 1 }).immediateLength, "ignored");
    assert.equal(startControls({ ...orb, ...rest, fmt: 0 }).immediateLength, "ignored");
  });
});
