/** A bus on a small machine, and a driver that notes what it is called for. */
import assert from "node:assert/strict";
import { type Bus, createRuntime, System } from "parhelion-core";
import { CssBus, type CssDriver, type Subchannel } from "./index.js";
import { SmallMachine } from "./machine.test.fixture.js";

/** Waits for nothing that time brings. */
export async function round(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

export async function createRig(...plugged: number[]) {
  const runtime = createRuntime();
  const system = new System(runtime);
  const machine = new SmallMachine(runtime);
  for (const schno of plugged) machine.plug(schno);
  const css = new CssBus(system, machine, { retryMs: 1 });
  await css.start();
  return { runtime, system, machine, css };
}

export type Rig = Awaited<ReturnType<typeof createRig>>;

export function one({ css }: Rig, name = "0.0.0001"): Subchannel {
  const subchannel = css.find(name);
  assert.ok(subchannel, `there is no ${name}`);
  return subchannel;
}

/** Enables the subchannel, and notes what it is called for. */
export function recorder(
  css: CssBus,
  events: string[],
  change: Partial<CssDriver<number>> = {},
): CssDriver<number> {
  return {
    name: "recorder",
    bus: css.bus as Bus,
    async probe(subchannel) {
      events.push(`probe ${subchannel.name}`);
      await subchannel.lock.withLock(() => subchannel.cio.enable(7, 3));
      return subchannel.id.schno;
    },
    quiesce: (subchannel, state) => void events.push(`quiesce ${state} ${subchannel.published}`),
    remove: (subchannel, state) => void events.push(`remove ${state} ${subchannel.published}`),
    irq: (_subchannel, state, { scsw }) => void events.push(`irq ${state} ${scsw.stctl}`),
    chpEvent(subchannel, state, { chpid, mask }, event) {
      const { opm, lpm } = subchannel;
      events.push(
        `${event} ${state} ${chpid.toString(16)} ${mask.toString(16)} ${opm.toString(16)} ${lpm.toString(16)}`,
      );
      return "done";
    },
    schEvent: (_subchannel, state) => {
      events.push(`event ${state}`);
      return "done";
    },
    shutdown: (_subchannel, state) => void events.push(`shutdown ${state}`),
    ...change,
  };
}
