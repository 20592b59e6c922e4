/**
 * Channel programs a second time, as a function: no state that changes, a byte at a time, the rules as the tables of the
 * Principles of Operation have them. It shares nothing with the interpreter but names of bits, and is as slow as it may
 * be. Its rules can be bent, to see that a difference is found.
 */
import { Cstat, ccw0, ccw1, Dstat } from "parhelion-buses";
import type {
  Act,
  Bends,
  Controls,
  Event,
  Machine,
  Outcome,
  Step,
  World,
} from "./model-types.test.fixture.js";
import {
  type Cursor,
  type Flow,
  flagCc,
  flagCd,
  flagIda,
  flagMida,
  flagPci,
  flagSkip,
  flagSli,
  flagSuspend,
  is,
  isWrong,
  type Kind,
  kindOf,
  note,
  past,
  program,
  unusual,
  type Word,
  type Wrong,
} from "./model-words.test.fixture.js";
import { pattern, restLimit } from "./scripted-device.test.fixture.js";

export function start(
  machine: Machine,
  controls: Controls,
  bends: Bends = {},
): { outcome: Outcome; world: World } {
  const world: World = {
    memory: machine.memory,
    events: [],
    commands: 0,
    fetched: 0,
    cpa: past(controls.cpa),
    count: 0,
    at: controls.cpa,
  };
  return new Evaluator(machine, controls, bends).from(world, controls.cpa, "start");
}

/** @param memory what software has made of it while the program was suspended */
export function resume(
  machine: Machine,
  controls: Controls,
  world: World,
  memory: Uint8Array,
  bends: Bends = {},
): { outcome: Outcome; world: World } {
  const reason = bends.resumeIgnoresFlag === true ? "resume past the flag" : "resume";
  return new Evaluator(machine, controls, bends).from({ ...world, memory }, world.at, reason);
}

type Reason = "start" | "command" | "data" | "resume" | "resume past the flag";

/** No more than the three constants that every rule needs. */
class Evaluator {
  readonly machine: Machine;
  readonly controls: Controls;
  readonly bends: Bends;

  constructor(machine: Machine, controls: Controls, bends: Bends) {
    this.machine = machine;
    this.controls = controls;
    this.bends = bends;
  }

  from(world: World, at: number, reason: Reason): { outcome: Outcome; world: World } {
    const found = this.find(world, at, reason);
    if (isWrong(found.word)) {
      const cpa = found.word.cpa ?? world.cpa;
      return this.end({ ...found.world, cpa }, { cstat: found.word.wrong });
    }
    const word = found.word;
    const next = { ...found.world, cpa: past(word.at), count: word.count };
    if (is(word, flagSuspend) && reason !== "resume past the flag") {
      const cstat = is(word, flagPci) ? Cstat.PCI : 0;
      const { outcome } = this.end(next, { cstat });
      return { outcome: { ...outcome, state: "suspended" }, world: { ...next, at: word.at } };
    }
    return this.command(next, word);
  }

  command(before: World, word: Word): { outcome: Outcome; world: World } {
    const { steps } = this.machine;
    const step = steps[before.commands % steps.length] as Step;
    const event: Event = { kind: "command", code: word.cmd, chained: before.commands > 0 };
    const world = { ...before, commands: before.commands + 1, events: [...before.events, event] };
    const kind = kindOf(word.cmd) as Kind;
    const flow = step.acts.reduce<Flow>(
      (now, act) => this.act(now, act, kind, before.commands),
      this.begin(world, word, kind),
    );
    return this.conclude(flow, step, word, before.commands === 0);
  }

  conclude(flow: Flow, step: Step, first: Word, isFirst: boolean): { outcome: Outcome; world: World } {
    const { status } = step;
    const ended = status & Dstat.CHN_END;
    const refused = !flow.accepted && ended === 0 && status !== 0;
    const immediate = !flow.accepted && ended !== 0;
    const pci: readonly Event[] =
      immediate && is(first, flagPci) ? [{ kind: "pci", cpa: past(first.at) }] : [];
    const world = {
      ...flow.world,
      cpa: flow.cpa,
      count: this.bends.residualOfBlock === true ? Math.min(flow.left, first.count) : flow.left,
      events: [...flow.world.events, ...pci],
    };
    const seen = flow.wrong | step.channelStatus;
    if (refused) return this.end(world, { step, cstat: seen, deferred: isFirst && seen === 0 ? 1 : 0 });
    const complete = ended !== 0 && ((status & Dstat.DEV_END) !== 0 || step.later !== null);
    const faulty = seen | (complete ? 0 : Cstat.INTF_CTRL_CHK);
    const wrongLength = faulty === 0 && this.wrongLength(flow, immediate, status);
    const cstat = wrongLength ? Cstat.INCORR_LEN : faulty;
    const [cd, cc] = [is(flow.word, flagCd), is(flow.word, flagCc)];
    if (cstat !== 0 || cd || !cc || unusual(status)) return this.end(world, { step, cstat });
    const late = (status & Dstat.DEV_END) === 0;
    const final = late ? (step.later as number) | (status & Dstat.STAT_MOD) : status;
    if (late && (final & Dstat.DEV_END) === 0) {
      return this.end(world, { step: { ...step, status: final, later: null }, cstat: Cstat.INTF_CTRL_CHK });
    }
    if (unusual(final)) return this.end(world, { step: { ...step, status: final }, cstat: 0 });
    const skips = (final & Dstat.STAT_MOD) !== 0 && this.bends.modifierIgnored !== true;
    return this.from(world, flow.word.at + (skips ? 16 : 8), "command");
  }

  /** The table of chaining actions, by the flags CD and SLI of the CCW in use: "-" never, "i" where the length is wrong. */
  wrongLength(flow: Flow, immediate: boolean, status: number): boolean {
    const cd = is(flow.word, flagCd);
    const sli = is(flow.word, flagSli);
    const suppressed = sli && (!cd || this.bends.suppressionBesideDataChaining === true);
    if (suppressed) return false;
    if (!flow.accepted && (status & (Dstat.UNIT_CHECK | Dstat.BUSY)) !== 0) return false;
    if (immediate) {
      const suppressing = this.controls.format === 0 || this.controls.ils;
      return (!suppressing || this.bends.immediateLengthAlways === true) && flow.left !== 0;
    }
    return flow.left !== 0 || flow.exceeded;
  }

  begin(world: World, word: Word, kind: Kind): Flow {
    return {
      world,
      word,
      left: word.count,
      cursor: this.cursor(word, kind),
      wrong: 0,
      cpa: past(word.at),
      accepted: false,
      exceeded: false,
    };
  }

  act(flow: Flow, act: Act, kind: Kind, command: number): Flow {
    const accepted = this.accept(flow, command);
    if (act === "accept") return accepted;
    if (act === "rest") {
      if (kind !== "write" && kind !== "control") return accepted;
      const { flow: after, bytes } = this.receive(accepted, restLimit);
      return note({ ...after, exceeded: accepted.exceeded }, { kind: "received", bytes });
    }
    if (kind === "write" || kind === "control") {
      const { flow: after, bytes } = this.receive(accepted, act);
      return note(after, { kind: "received", bytes });
    }
    const offered = pattern(command, act);
    const after = offered.reduce<{ flow: Flow; taken: number }>(
      ({ flow: now, taken }, byte) => {
        const stored = this.store(now, byte, kind);
        return { flow: stored.flow, taken: taken + (stored.moved ? 1 : 0) };
      },
      { flow: accepted, taken: 0 },
    );
    return note(after.flow, { kind: "sent", taken: after.taken });
  }

  accept(flow: Flow, command: number): Flow {
    if (flow.accepted) return flow;
    const cpa = past(flow.word.at);
    const initial = command === 0 && this.controls.initialStatus;
    const told = initial ? note(flow, { kind: "initial-status", cpa }) : flow;
    return { ...(is(flow.word, flagPci) ? note(told, { kind: "pci", cpa }) : told), accepted: true };
  }

  receive(flow: Flow, wanted: number): { flow: Flow; bytes: readonly number[] } {
    const bytes: readonly number[] = [];
    return pattern(0, wanted).reduce(
      (now) => {
        const place = this.place(now.flow, "fetch", "write");
        if (!("flow" in place)) return { ...now, flow: place };
        const byte = place.flow.world.memory[place.address] as number;
        return { flow: this.moved(place.flow, "write"), bytes: [...now.bytes, byte] };
      },
      { flow, bytes },
    );
  }

  store(flow: Flow, byte: number, kind: Kind): { flow: Flow; moved: boolean } {
    const skipped = is(flow.word, flagSkip) && this.bends.skipStores !== true;
    if (skipped && flow.wrong === 0 && flow.left > 0) return { flow: this.moved(flow, kind), moved: true };
    const place = this.place(flow, "store", kind);
    if (!("flow" in place)) return { flow: place, moved: false };
    const memory = place.flow.world.memory.slice();
    memory[place.address] = byte;
    return { flow: this.moved({ ...place.flow, world: { ...place.flow.world, memory } }, kind), moved: true };
  }

  /** Where the next byte goes, with the flow after looking; or the flow when there is no such place. */
  place(flow: Flow, access: "fetch" | "store", kind: Kind): { flow: Flow; address: number } | Flow {
    if (flow.wrong !== 0) return flow;
    if (flow.left === 0) return { ...flow, exceeded: true };
    const cursor = flow.cursor.left > 0 ? flow.cursor : this.word(flow, kind);
    if (isWrong(cursor)) return { ...flow, wrong: cursor.wrong };
    const denied = this.denied(cursor.address, access);
    return denied === 0 ? { flow: { ...flow, cursor }, address: cursor.address } : { ...flow, wrong: denied };
  }

  /** After a byte: one fewer, and at the end of a count with CD the next CCW. */
  moved(flow: Flow, kind: Kind): Flow {
    const step = kind === "backward" ? -1 : 1;
    const { cursor } = flow;
    const one: Flow = {
      ...flow,
      left: flow.left - 1,
      cursor: { ...cursor, address: cursor.address + step, left: Math.max(0, cursor.left - 1) },
    };
    if (one.left > 0 || !is(flow.word, flagCd)) return one;
    if (this.bends.oldCcwAtBoundary === true)
      return { ...one, word: { ...one.word, flags: one.word.flags & ~flagCd } };
    const { word, world } = this.find(one.world, flow.word.at + 8, "data");
    if (isWrong(word)) return { ...one, world, wrong: word.wrong, cpa: word.cpa ?? one.cpa };
    const next: Flow = {
      ...one,
      world,
      word,
      left: word.count,
      cursor: this.cursor(word, kind),
      cpa: past(word.at),
    };
    const lost = this.bends.chainedInterruptLost === true;
    return is(word, flagPci) && !lost ? note(next, { kind: "pci", cpa: past(word.at) }) : next;
  }

  cursor(word: Word, kind: Kind): Cursor {
    if (is(word, flagIda)) return { list: word.cda, first: true, address: 0, left: 0 };
    const end = this.reach() + 1;
    return {
      list: null,
      first: false,
      address: word.cda,
      left: kind === "backward" ? word.cda + 1 : end - word.cda,
    };
  }

  /** The next indirect data address word. */
  word({ cursor, world }: Flow, kind: Kind): Cursor | Wrong {
    const { idawFormat } = this.controls;
    const block = this.bends.blocksOf2k === true ? 2048 : this.controls.idawBlock;
    const size = idawFormat * 4;
    if (cursor.list === null || cursor.list % size !== 0 || cursor.list > this.reach()) return program(null);
    const bytes = this.fetch(world, cursor.list, size);
    if (isWrong(bytes)) return { ...bytes, cpa: null };
    const address = bytes.reduce((value, byte) => value * 256 + byte, 0);
    if (idawFormat === 1 && address >= 2 ** 31) return program(null);
    const into = kind === "backward" ? (address + 1) % block : address % block;
    if (!cursor.first && into !== 0 && this.bends.unalignedWords !== true) return program(null);
    const left = kind === "backward" ? (address % block) + 1 : block - into;
    return { list: cursor.list + size, first: false, address, left };
  }

  /** The CCW that counts at `at`, transfers followed. */
  find(world: World, at: number, reason: Reason): { word: Word | Wrong; world: World } {
    const word = this.decode(world, at, past(at));
    const after = { ...world, fetched: world.fetched + 1 };
    if (isWrong(word)) return { word, world: after };
    return this.transfers(word)
      ? this.follow(after, word, reason)
      : { word: this.valid(word, reason), world: after };
  }

  follow(world: World, tic: Word, reason: Reason): { word: Word | Wrong; world: World } {
    const here = past(tic.at);
    if (reason === "start" && this.bends.firstTransfer !== true) return { word: program(here), world };
    if (this.controls.format === 1 && (tic.flags > 0 || tic.count > 0)) return { word: program(here), world };
    const blamed = this.bends.addressOfTarget === true ? past(tic.cda) : here;
    const word = this.decode(world, tic.cda, blamed);
    const after = { ...world, fetched: world.fetched + 1 };
    if (isWrong(word)) return { word, world: after };
    if (!this.transfers(word)) return { word: this.valid(word, reason), world: after };
    if (this.bends.transferToTransfer === true) return this.follow(after, word, "command");
    return { word: program(past(word.at)), world: after };
  }

  transfers({ cmd }: Word): boolean {
    return this.controls.format === 0 ? cmd % 16 === 8 : cmd === 8;
  }

  decode(world: World, at: number, blamed: number): Word | Wrong {
    if (world.fetched >= this.controls.limit) return program(null);
    if (at % 8 !== 0 || at > this.reach()) return program(blamed);
    const bytes = this.fetch(world, at, 8);
    if (isWrong(bytes)) return { ...bytes, cpa: bytes.wrong === Cstat.PROT_CHECK ? past(at) : blamed };
    const { cmd, flags, count, cda } = (this.controls.format === 0 ? ccw0 : ccw1).decode(
      Uint8Array.from(bytes),
    );
    return { at, cmd, flags, count, cda };
  }

  valid(word: Word, reason: Reason): Word | Wrong {
    const { format, suspend } = this.controls;
    const data = reason === "data";
    const cd = is(word, flagCd);
    const zeroIsWrong = (format === 0 || data || cd) && this.bends.zeroCountAnywhere !== true;
    const fine =
      !(word.count === 0 && zeroIsWrong) &&
      !is(word, flagMida) &&
      word.cda <= this.reach() &&
      (data || kindOf(word.cmd) !== null) &&
      (!is(word, flagSuspend) || (suspend && !data && !cd));
    return fine ? word : program(past(word.at));
  }

  fetch(world: World, at: number, size: number): readonly number[] | Wrong {
    const addresses = Array.from({ length: size }, (_, index) => at + index);
    const denied = addresses.reduce((worst, address) => worst || this.denied(address, "fetch"), 0);
    if (denied !== 0) return { wrong: denied, cpa: null };
    return addresses.map((address) => world.memory[address] as number);
  }

  /** Subchannel status when a byte can't be had, else 0. */
  denied(address: number, access: "fetch" | "store"): number {
    if (address < 0 || address >= this.machine.memory.length) return Cstat.PROG_CHECK;
    const block = this.machine.keys[Math.trunc(address / 4096)];
    if (block === undefined || this.controls.key === 0 || this.bends.protectionIgnored === true) return 0;
    const open = block.key === this.controls.key || (access === "fetch" && !block.fetch);
    return open ? 0 : Cstat.PROT_CHECK;
  }

  reach(): number {
    return this.controls.format === 0 ? 2 ** 24 - 1 : 2 ** 31 - 1;
  }

  end(
    world: World,
    how: { step?: Step; cstat: number; deferred?: 0 | 1 },
  ): { outcome: Outcome; world: World } {
    const dstat = how.step?.status ?? 0;
    const checked = (dstat & Dstat.UNIT_CHECK) !== 0;
    const both = dstat & (Dstat.CHN_END | Dstat.DEV_END);
    return {
      world,
      outcome: {
        state: "ended",
        cpa: world.cpa,
        count: world.count,
        dstat,
        cstat: how.cstat,
        deferred: how.deferred ?? 0,
        sense: checked ? (how.step?.sense ?? null) : null,
        later: both === Dstat.CHN_END && how.step !== undefined && how.step.later !== null,
      },
    };
  }
}
