import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Cstat } from "parhelion-buses";
import type { Answer, MainStorage } from "../storage/index.js";
import { dataAt, done, programAt, Rig, summary } from "./program.test.fixture.js";

const write = 0x01;
const read = 0x02;
const nop = 0x03;
const tic = 0x08;
const endless = [
  { cmd: nop, flags: ["CC"] },
  { cmd: tic, cda: programAt },
] as const;

describe("an endless channel program", () => {
  it("ends at the limit with a program check", async () => {
    const rig = new Rig();
    const end = await rig.run(endless, {}, { ccws: 1001 });
    assert.deepEqual(summary(end), { ccws: 1, count: 0, dstat: 0, cstat: Cstat.PROG_CHECK, deferred: 0 });
    assert.equal(rig.device.codes.length, 501);
  });

  it("lets others run, so that it can be halted", async () => {
    const rig = new Rig();
    const program = rig.program(endless, {}, { turnMs: 0, ccws: 2 ** 30 });
    const run = program.run();
    await new Promise((resolve) => setTimeout(resolve));
    program.stop("halt");
    const conclusion = await run;
    assert.equal(conclusion.state === "stopped" && conclusion.signal, "halt");
    assert.deepEqual(rig.device.signals, ["halt"]);
    assert.equal(rig.device.ends, 1);
  });

  it("lets others run amid data chaining, too", async () => {
    const rig = new Rig({
      [read]: async (data) => ((await data.send(new Uint8Array(2 ** 20))) > 0 ? done : 0),
    });
    const ccws = [
      { cmd: read, flags: ["CD"], count: 1, cda: dataAt },
      { cmd: tic, cda: programAt },
    ] as const;
    const program = rig.program(ccws, {}, { turnMs: 0, ccws: 2 ** 30 });
    const run = program.run();
    await new Promise((resolve) => setImmediate(resolve));
    program.stop("halt");
    assert.equal((await run).state, "stopped");
  });

  it("may be one of data chaining: it ends with the device's data", async () => {
    const rig = new Rig({
      [read]: async (data) => ((await data.send(new Uint8Array(5000))) === 5000 ? done : 0),
    });
    const end = await rig.run([
      { cmd: read, flags: ["CD"], count: 3, cda: dataAt },
      { cmd: tic, cda: programAt },
    ]);
    assert.deepEqual(summary(end), { ccws: 1, count: 1, dstat: done, cstat: Cstat.INCORR_LEN, deferred: 0 });
  });

  it("may be one of data chaining that the limit ends", async () => {
    const rig = new Rig({ [read]: async (data) => ((await data.send(new Uint8Array(5000))) > 0 ? done : 0) });
    const ccws = [
      { cmd: read, flags: ["CD"], count: 3, cda: dataAt },
      { cmd: tic, cda: programAt },
    ] as const;
    const end = await rig.run(ccws, {}, { ccws: 100 });
    assert.equal(end.cstat, Cstat.PROG_CHECK);
    assert.equal(end.dstat, done);
  });
});

describe("halt and clear", () => {
  it("end a command that waits, whose data path is closed from then on", async () => {
    let release: () => void = () => undefined;
    const moved: number[] = [];
    const rig = new Rig({
      [write]: async (data) => {
        moved.push((await data.receive(2)).length);
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        moved.push((await data.receive(2)).length);
        return done;
      },
    });
    const program = rig.program([{ cmd: write, flags: ["CC"], count: 4, cda: dataAt }, { cmd: nop }]);
    const run = program.run();
    while (moved.length === 0) await new Promise((resolve) => setImmediate(resolve));
    program.stop("clear");
    program.stop("halt");
    release();
    assert.deepEqual(await run, {
      state: "stopped",
      signal: "clear",
      cpa: programAt + 8,
      count: 2,
      dstat: done,
    });
    assert.deepEqual(moved, [2, 0]);
    assert.deepEqual(rig.device.codes, [write]);
  });

  it("keep a command from beginning whose CCW is being fetched", async () => {
    const rig = new Rig();
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const storage: MainStorage = {
      read: async (address, length, key) => {
        await arrived;
        return rig.storage.read(address, length, key);
      },
      write: () => undefined,
    };
    const program = rig.program([{ cmd: nop }], {}, {}, storage);
    const run = program.run();
    program.stop("halt");
    arrive();
    assert.equal((await run).state, "stopped");
    assert.deepEqual(rig.device.codes, []);
  });

  it("keep a CCW that is being fetched for data chaining from taking control", async () => {
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const rig = new Rig({
      [write]: async (data) => ((await data.receive(4)).length === 4 ? done : 0),
    });
    let fetching: "not yet" | "now" = "not yet";
    const storage: MainStorage = {
      read: async (address, length, key) => {
        if (address === programAt + 8) {
          fetching = "now";
          await arrived;
        }
        return rig.storage.read(address, length, key);
      },
      write: () => undefined,
    };
    const ccws = [
      { cmd: write, flags: ["CD"], count: 2, cda: dataAt },
      { cmd: 0, flags: ["PCI"], count: 2, cda: dataAt },
    ] as const;
    const program = rig.program(ccws, {}, {}, storage);
    const run = program.run();
    while (fetching === "not yet") await new Promise((resolve) => setImmediate(resolve));
    program.stop("clear");
    arrive();
    assert.equal((await run).state, "stopped");
    assert.deepEqual(rig.intermediates, []);
  });

  it("end a suspended program when it is run once more", async () => {
    const rig = new Rig();
    const program = rig.program([{ cmd: nop, flags: ["SUSPEND"] }]);
    assert.equal((await program.run()).state, "suspended");
    program.stop("halt");
    assert.equal((await program.run()).state, "stopped");
    assert.equal(rig.device.ends, 1);
  });

  it("keep a command that ended from storing afterwards", async () => {
    let late: (bytes: Uint8Array) => Answer<number> = () => -1;
    const rig = new Rig({
      [read]: (data) => {
        late = (bytes) => data.send(bytes);
        return done;
      },
    });
    await rig.run([{ cmd: read, flags: ["SLI"], count: 4, cda: dataAt }]);
    assert.equal(await late(Uint8Array.of(1, 2, 3, 4)), 0);
    assert.equal(rig.storage.bytes[dataAt], 0);
  });
});
