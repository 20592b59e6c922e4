/** What vfio-ccw makes of a guest's channel program does what the program does. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CcwFlag, Cstat, ccw0, ccw1, Dstat, type Orb, orb } from "parhelion-buses";
import { createRuntime } from "parhelion-core";
import { HostStorage } from "../vfio-ccw/host-storage.js";
import { ChannelProgram } from "../vfio-ccw/program/channel-program.js";
import { Guest } from "../vfio-ccw/program/guest.test.fixture.js";
import { translate } from "../vfio-ccw/program/translate.js";
import { type Account, interpret, type Trial, trialOf } from "./agreement.test.fixture.js";
import type { Controls } from "./model-types.test.fixture.js";
import { type Scenario, scenarios } from "./random-program.test.fixture.js";

function orbOf(controls: Controls): Orb {
  return orb.make({
    key: controls.key,
    spnd: controls.suspend ? 1 : 0,
    fmt: controls.format,
    pfch: 1,
    isic: controls.initialStatus ? 1 : 0,
    c64: controls.idawFormat === 2 ? 1 : 0,
    i2k: controls.idawFormat === 2 && controls.idawBlock === 2048 ? 1 : 0,
    lpm: 0x80,
    ils: controls.ils ? 1 : 0,
    cpa: controls.cpa,
  });
}

function controlsOf({ cpa, key, spnd, fmt, isic, c64, i2k, ils }: Orb, limit: number): Controls {
  return {
    cpa,
    key,
    format: fmt === 1 ? 1 : 0,
    suspend: spnd === 1,
    initialStatus: isic === 1,
    idawFormat: c64 === 1 ? 2 : 1,
    idawBlock: c64 === 1 && i2k === 0 ? 4096 : 2048,
    ils: ils === 1,
    limit,
  };
}

/** In the guest's addresses; null when the program is refused. */
async function throughVfio({ machine, controls }: Trial): Promise<Account | null> {
  const guest = new Guest(machine.memory.length / 4096);
  guest.bytes.set(machine.memory);
  const storage = new HostStorage(createRuntime());
  const program = new ChannelProgram(guest, storage);
  try {
    if ((await translate(program, orbOf(controls))) !== null) return null;
    const translated = orb.make(program.orb(0, 0x80));
    const trial = { machine, controls: controlsOf(translated, controls.limit), resumes: [] };
    const { outcomes, events } = await interpret(trial, () => storage);
    return {
      outcomes: outcomes.map((outcome) => ({ ...outcome, cpa: program.guestAddress(outcome.cpa) })),
      events: events.map((event) =>
        "cpa" in event ? { ...event, cpa: program.guestAddress(event.cpa) } : event,
      ),
      memory: guest.bytes,
    };
  } finally {
    program.free();
    assert.equal(guest.pins.size, 0);
    assert.equal(storage.used, 0);
  }
}

const noOperation = 0x03;
const readBackward = 0x0c;

/** Programs and lists of addresses are below, data is above: what is written never changes what is to be done. */
const dataBegin = 0x1000;
const listAt = 0x800;

/**
 * As a guest has it: everything is open to its key, and what is suspended stays so. The scripted device would move data
 * for a no-operation; reading backward is for tapes, which are not passed through.
 */
function guestTrial(scenario: Scenario): Trial {
  const program = scenario.program.map((slot) => {
    const indirect = (slot.flags & CcwFlag.IDA) !== 0;
    const placed = indirect && slot.cda >= dataBegin ? { ...slot, cda: listAt } : slot;
    if (slot.cmd === noOperation) return { ...placed, cmd: 0x07 };
    return (slot.cmd & 0x0f) === readBackward ? { ...placed, cmd: 0x02 } : placed;
  });
  const steps = scenario.steps.map((step) => ({
    ...step,
    status: step.status & ~Dstat.STAT_MOD,
    later: step.later === null ? null : step.later & ~Dstat.STAT_MOD,
  }));
  return trialOf({ ...scenario, program, steps, controls: { ...scenario.controls, key: 0 }, resumes: [] });
}

/** Whether a program has written over itself. */
function changed(before: Uint8Array, after: Uint8Array): boolean {
  return before.subarray(0, dataBegin).some((byte, at) => byte !== after[at]);
}

const checks = Cstat.PROG_CHECK | Cstat.PROT_CHECK;

describe("a translated channel program", () => {
  it("does what the guest's own does, wherever that is without a program check", async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        const trial = guestTrial(scenario);
        const own = await interpret(trial);
        if (own.outcomes.some(({ cstat }) => (cstat & checks) !== 0)) return;
        if (changed(trial.machine.memory, own.memory)) return;
        const translated = await throughVfio(trial);
        if (translated === null) return;
        compared += 1;
        assert.deepEqual(translated, own);
      }),
      { numRuns: 300 },
    );
    assert.ok(compared > 30, `${compared} programs were compared`);
  });

  it("takes a data-chained CCW for a part of its command, whatever its own code says", async () => {
    const [write, sense] = [0x01, 0x04];
    for (const cmd of [sense, noOperation, 0]) {
      const machine = {
        memory: new Uint8Array(8192).fill(7, 4096),
        keys: [],
        steps: [{ acts: [4], status: 0x0c, channelStatus: 0, sense: [], later: null }],
      };
      machine.memory.set(ccw1.encode({ cmd: write, flags: CcwFlag.CD, count: 2, cda: 4096 }), 8);
      machine.memory.set(ccw1.encode({ cmd, flags: CcwFlag.SKIP, count: 2, cda: 4100 }), 16);
      const controls = controlsOf(orb.make({ fmt: 1, cpa: 8 }), 10);
      const translated = await throughVfio({ machine, controls, resumes: [] });
      assert.deepEqual(translated?.events[1], { kind: "received", bytes: [7, 7, 7, 7] });
      assert.deepEqual(translated, await interpret({ machine, controls, resumes: [] }));
    }
  });

  it("of format 0 has no incorrect length of immediate commands either", async () => {
    const machine = {
      memory: new Uint8Array(4096),
      keys: [],
      steps: [{ acts: [], status: 0x0c, channelStatus: 0, sense: [], later: null }],
    };
    machine.memory.set(ccw0.encode({ cmd: noOperation, count: 1, cda: 0 }), 8);
    const controls = controlsOf(orb.make({ fmt: 0, cpa: 8 }), 10);
    assert.equal((await throughVfio({ machine, controls, resumes: [] }))?.outcomes[0]?.cstat, 0);
  });
});
