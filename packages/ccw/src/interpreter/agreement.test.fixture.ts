/** Runs a scenario on the interpreter and on the model, and says what each made of it, in one form. */

import { createRuntime } from "parhelion-core";
import { AbsoluteStorage, type MainStorage } from "../storage/index.js";
import type { Conclusion } from "./conclusion.js";
import { resume, start } from "./model.test.fixture.js";
import type { Bends, Controls, Event, Machine, Outcome } from "./model-types.test.fixture.js";
import { ChannelProgram } from "./program.js";
import { machineOf, type Scenario } from "./random-program.test.fixture.js";
import { ScriptedDevice } from "./scripted-device.test.fixture.js";

export interface Account {
  readonly outcomes: readonly Outcome[];
  readonly events: readonly Event[];
  readonly memory: Uint8Array;
}

const suspendFlag = 0x02;

/** What software does to a suspended program before it resumes it. */
function touch(memory: Uint8Array, cpa: number, how: "cleared" | "left", format: 0 | 1): void {
  if (how === "left") return;
  const at = cpa - 8 + (format === 0 ? 4 : 1);
  memory[at] = (memory[at] as number) & ~suspendFlag;
}

/** What is run: a scenario, or something that makes less sense. */
export interface Trial {
  readonly machine: Machine;
  readonly controls: Controls;
  readonly resumes: Scenario["resumes"];
}

export function trialOf(scenario: Scenario): Trial {
  return { machine: machineOf(scenario), controls: scenario.controls, resumes: scenario.resumes };
}

export async function interpret(
  { machine, controls, resumes }: Trial,
  lookAtStorage: (storage: AbsoluteStorage) => MainStorage = (storage) => storage,
): Promise<Account> {
  const storage = new AbsoluteStorage(machine.memory.slice());
  for (const [block, { key, fetch }] of machine.keys.entries()) {
    const protects = fetch ? "stores-and-fetches" : "stores";
    storage.setKey(block * 4096, { accessControl: key, protects });
  }
  const events: Event[] = [];
  const device = new ScriptedDevice(machine.steps, events);
  const program = new ChannelProgram(createRuntime(), {
    name: "random",
    controls: {
      cpa: controls.cpa,
      key: controls.key,
      format: controls.format,
      suspend: controls.suspend ? "allowed" : "refused",
      initialStatus: controls.initialStatus ? "reported" : "quiet",
      idawFormat: controls.idawFormat,
      idawBlock: controls.idawBlock,
      immediateLength: controls.format === 1 && !controls.ils ? "checked" : "ignored",
    },
    storage: lookAtStorage(storage),
    device,
    path: { chpid: 0x40, mask: 0x80 },
    limits: { ccws: controls.limit },
    intermediate: ({ reason, cpa }) => events.push({ kind: reason, cpa }),
  });
  const outcomes: Outcome[] = [];
  for (const how of [...resumes, null]) {
    const conclusion = await program.run();
    outcomes.push(outcomeOf(conclusion));
    if (conclusion.state !== "suspended" || how === null) break;
    touch(storage.bytes, conclusion.cpa, how, controls.format);
  }
  return { outcomes, events, memory: storage.bytes };
}

function outcomeOf(conclusion: Conclusion): Outcome {
  const { cpa, count } = conclusion;
  switch (conclusion.state) {
    case "suspended": {
      const cstat = conclusion.pci === "asked" ? 0x80 : 0;
      return { state: "suspended", cpa, count, dstat: 0, cstat, deferred: 0, sense: null, later: false };
    }
    case "ended": {
      const { dstat, cstat, deferred, sense, deviceEnd } = conclusion;
      const later = deviceEnd !== null;
      return { state: "ended", cpa, count, dstat, cstat, deferred, sense: sense && [...sense], later };
    }
    case "stopped":
      throw new Error("nobody stopped it");
  }
}

export function evaluate({ machine, controls, resumes }: Trial, bends: Bends = {}): Account {
  return evaluateFrom(start(machine, controls, bends), machine, controls, resumes, bends);
}

function evaluateFrom(
  now: ReturnType<typeof start>,
  machine: Machine,
  controls: Controls,
  resumes: Scenario["resumes"],
  bends: Bends,
): Account {
  const [how, ...others] = resumes;
  const { outcome, world } = now;
  if (outcome.state !== "suspended" || how === undefined) {
    return { outcomes: [outcome], events: world.events, memory: world.memory };
  }
  const memory = world.memory.slice();
  touch(memory, outcome.cpa, how, controls.format);
  const next = resume(machine, controls, world, memory, bends);
  const rest = evaluateFrom(next, machine, controls, others, bends);
  return { ...rest, outcomes: [outcome, ...rest.outcomes] };
}
