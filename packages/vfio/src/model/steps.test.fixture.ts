/** What users do with who has the device and what it is, each step with what it should answer. */
import assert from "node:assert/strict";
import {
  containerCall,
  deviceCall,
  EventCounter,
  Extension,
  Feature,
  FeatureFlag,
  groupCall,
  IrqSetFlag,
  migrationStates,
} from "../index.js";
import { openDevice, openGroup } from "../toy.test.fixture.js";
import { answerOf, type Both } from "./both.test.fixture.js";
import { kinds, type Listener } from "./reference-irqs.test.fixture.js";

export type Step = (both: Both) => Promise<void>;
/** Made of small numbers. */
export type Steps = Readonly<Record<string, (a: number, b: number, c: number) => Step>>;

/** Unless the device is gone: then ENODEV from everything that reaches for it. */
export const lifeSteps: Steps = {
  openGroup: () => async (both) => {
    if (both.group !== null || !both.model.present) return;
    const got = await answerOf(async () => {
      both.group = await openGroup(both.rig.system);
    });
    assert.equal(got, both.model.openGroup(), "open the group");
  },
  closeGroup: () => async (both) => {
    if (both.group === null) return;
    await both.group.close();
    both.group = null;
    both.model.closeGroup();
  },
  setContainer: (_a, b) => async (both) => {
    const { group, model } = both;
    if (group === null) return;
    const via = b === 3 ? "iommufd" : "container";
    const container = b === 3 ? both.iommufd : both.container;
    const got = await answerOf(() => groupCall(group, "SET_CONTAINER", { container }));
    assert.equal(got, model.present ? model.setContainer(via) : "ENODEV", "SET_CONTAINER");
  },
  unsetContainer: () => async (both) => {
    const { group, model } = both;
    if (group === null) return;
    const got = await answerOf(() => groupCall(group, "UNSET_CONTAINER", {}));
    assert.equal(got, model.present ? model.unsetContainer() : "ENODEV", "UNSET_CONTAINER");
  },
  setIommu: () => async (both) => {
    const { container, model } = both;
    const got = await answerOf(() => containerCall(container, "SET_IOMMU", { type: Extension.TYPE1v2 }));
    assert.equal(got, model.present && model.via === "container" ? model.setIommu() : "EINVAL", "SET_IOMMU");
  },
  getDevice: () => async (both) => {
    const { group, model } = both;
    if (group === null) return;
    const got = await answerOf(async () => {
      both.files.push(await groupCall(group, "GET_DEVICE_FD", { name: both.name }));
    });
    assert.equal(got, model.present ? model.getDevice() : "ENODEV", "GET_DEVICE_FD");
  },
  closeDevice: () => async (both) => {
    const file = both.files.pop();
    if (file === undefined) return;
    await file.close();
    if (both.model.present) both.model.closeDevice();
  },
  openOwn: () => async (both) => {
    if (both.own !== null || !both.model.present) return;
    both.own = await openDevice(both.rig.system);
    both.model.own = "open";
  },
  bind: () => async (both) => {
    const { own, iommufd, model } = both;
    if (own === null) return;
    const got = await answerOf(async () => {
      await deviceCall(own, "BIND_IOMMUFD", { argsz: 16, flags: 0, iommufd });
    });
    assert.equal(got, model.present ? model.bind() : "ENODEV", "BIND_IOMMUFD");
  },
  closeOwn: () => async (both) => {
    if (both.own === null) return;
    await both.own.close();
    both.own = null;
    both.model.closeOwn();
  },
  attach: (a) => async (both) => {
    const { own, model } = both;
    if (own === null) return;
    const to = a % 3 === 0 ? null : "own";
    const got = await answerOf(async () => {
      if (to === null) await deviceCall(own, "DETACH_IOMMUFD_PT", { argsz: 8, flags: 0 });
      else await deviceCall(own, "ATTACH_IOMMUFD_PT", { argsz: 12, flags: 0, ptId: both.ioasId });
    });
    const wanted = !model.present ? "ENODEV" : model.own === "bound" ? "ok" : "EINVAL";
    assert.equal(got, wanted, "ATTACH_IOMMUFD_PT");
    if (wanted === "ok") model.attach(to);
  },
};

/** A call of an open device. @param right what it should answer where it can be called */
async function call(both: Both, what: string, run: () => Promise<unknown>, right: () => unknown) {
  const got = await answerOf(run);
  assert.deepEqual(got, both.file?.answer ?? right(), what);
}

const { DATA_NONE, DATA_EVENTFD, ACTION_MASK, ACTION_UNMASK, ACTION_TRIGGER } = IrqSetFlag;

export const deviceSteps: Steps = {
  listen: (a, b, c) => async (both) => {
    const to = both.file;
    if (to === null) return;
    const index = c % kinds.length;
    const given = Array.from({ length: 1 + (a % 2) }, () => {
      const counter = new EventCounter(both.rig.runtime, `${index}.${b}`);
      return a === 7 ? null : { counter, listener: { told: 0, held: true } satisfies Listener };
    });
    const data = given.map((each) => each?.counter ?? null);
    const set = {
      argsz: 32,
      flags: DATA_EVENTFD | ACTION_TRIGGER,
      index,
      start: b,
      count: data.length,
      data,
    };
    const got = await answerOf(() => deviceCall(to.file, "SET_IRQS", set));
    const listeners = given.map((each) => each?.listener ?? null);
    assert.equal(got, to.answer ?? both.model.irqs.enable(index, b, listeners), `listen to ${index}.${b}`);
    if (got === "ok") both.listeners.push(...given.filter((each) => each !== null));
  },
  irqs: (a, b, c) => async (both) => {
    const to = both.file;
    if (to === null) return;
    const index = c % kinds.length;
    const { irqs } = both.model;
    const set = (flags: number, start: number, count: number) => () =>
      deviceCall(to.file, "SET_IRQS", { argsz: 32, flags, index, start, count });
    if (a < 2) {
      await call(both, "tear down", set(DATA_NONE | ACTION_TRIGGER, 0, 0), () => {
        irqs.disable(index);
        return "ok";
      });
    } else if (a < 4) {
      await call(both, "fire", set(DATA_NONE | ACTION_TRIGGER, b, 1), () => irqs.fire(index, b));
    } else {
      const [flag, masked] = a < 6 ? [ACTION_MASK, true] : [ACTION_UNMASK, false];
      await call(both, "mask", set(DATA_NONE | flag, 0, 1), () => irqs.mask(index, masked));
    }
  },
  interrupt: (a, b, c) => async (both) => {
    const { irqs } = both.device;
    const index = c % kinds.length;
    if (a < 5) assert.equal(irqs.trigger(index, b), both.model.irqs.trigger(index, b), "trigger");
    else {
      const level = a === 5 ? "low" : "high";
      irqs.drive(0, level);
      both.model.irqs.drive(level);
    }
  },
  migrate: (a, b) => async (both) => {
    const to = both.file;
    if (to === null) return;
    both.model.breaks = b === 3;
    const state = migrationStates[a] ?? "ERROR";
    const data = Uint8Array.of(a, 0, 0, 0, 255, 255, 255, 255);
    const flags = Feature.MIG_DEVICE_STATE | FeatureFlag.SET;
    const run = async (): Promise<void> => {
      await deviceCall(to.file, "FEATURE", { argsz: 16, flags, data });
    };
    await call(both, `migrate to ${state}`, run, () => both.model.migrate(state));
    both.model.breaks = false;
  },
  reset: () => async (both) => {
    const to = both.file;
    if (to === null) return;
    await call(
      both,
      "reset",
      () => deviceCall(to.file, "RESET", {}),
      () => {
        both.model.reset();
        return "ok";
      },
    );
  },
  region: (at, value) => async (both) => {
    const to = both.file;
    if (to === null) return;
    const bytes = Uint8Array.of(value, at);
    const offset = BigInt(at * 585);
    const run = async (): Promise<unknown> => {
      await deviceCall(to.file, "WRITE", { offset, bytes });
      return [...(await deviceCall(to.file, "READ", { offset, length: 2 }))];
    };
    await call(both, "a region", run, () => (at * 585 + 2 <= 4096 ? [value, at] : "EINVAL"));
  },
};
