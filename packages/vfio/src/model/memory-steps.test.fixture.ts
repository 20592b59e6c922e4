/** What users and the device do with the user's memory, each step with what it should answer. */
import assert from "node:assert/strict";
import {
  bytesMemory,
  containerCall,
  DirtyFlag,
  deviceCall,
  Feature,
  FeatureFlag,
  IoasMapFlag,
  iommufdCall,
} from "../index.js";
import { answerOf, type Both } from "./both.test.fixture.js";
import type { SpaceName } from "./reference.test.fixture.js";
import { page, pageBytes, pages } from "./reference-space.test.fixture.js";
import type { Steps } from "./steps.test.fixture.js";

/** Mostly the address space that the device is in, if that can be said. */
function spaceOf({ model }: Both, number: number): SpaceName {
  if (number < 6) return model.attached ?? "type1";
  return number === 6 ? "compat" : "own";
}

/** What a call to an address space that is not there answers. */
function missing(name: SpaceName): "EINVAL" | "ENODEV" {
  return name === "compat" ? "ENODEV" : "EINVAL";
}

/** Type1's calls, of a container or of an iommufd that stands in for one. */
function type1Of(both: Both, name: SpaceName) {
  return name === "compat" ? both.iommufd : both.container;
}

export const memorySteps: Steps = {
  map: (at, count, from) => async (both) => {
    const name = spaceOf(both, from);
    const size = BigInt(count) * page;
    const writable = (at + from) % 3 !== 0;
    const vaddr = BigInt(from) * page;
    const memory = bytesMemory(both.memory);
    const iova = BigInt(at) * page;
    const { FIXED_IOVA, READABLE, WRITEABLE } = IoasMapFlag;
    const got = await answerOf(async () => {
      if (name === "own") {
        const flags = FIXED_IOVA | READABLE | (writable ? WRITEABLE : 0);
        const { ioasId, iommufd } = both;
        await iommufdCall(iommufd, "IOAS_MAP", { ioasId, flags, iova, length: size, userVa: vaddr, memory });
      } else {
        const flags = writable ? 3 : 1;
        const call = { argsz: 32, flags, iova, size, vaddr, memory };
        await containerCall(type1Of(both, name) as never, "MAP_DMA", call);
      }
    });
    const { model } = both;
    const wanted = model.has(name) ? model.spaces[name].map(at, count, writable, from) : missing(name);
    assert.equal(got, wanted, `map ${at} ${count} in ${name}`);
  },
  unmap: (at, count, from) => async (both) => {
    const name = spaceOf(both, from);
    const [iova, size] = [BigInt(at) * page, BigInt(count) * page];
    const got = await answerOf(async () => {
      if (name === "own") {
        const { ioasId, iommufd } = both;
        return Number(
          (await iommufdCall(iommufd, "IOAS_UNMAP", { ioasId, iova, length: size })).length / page,
        );
      }
      const call = { argsz: 24, flags: 0, iova, size };
      return Number((await containerCall(type1Of(both, name) as never, "UNMAP_DMA", call)).size / page);
    });
    const wanted = both.model.has(name) ? both.model.unmap(name, at, count) : missing(name);
    assert.equal(got, wanted, `unmap ${at} ${count} in ${name}`);
  },
  track: (on, _b, c) => async (both) => {
    const name = c === 6 ? "compat" : both.model.attached === "compat" ? "compat" : "type1";
    const flags = on % 2 === 0 ? DirtyFlag.START : DirtyFlag.STOP;
    const got = await answerOf(async () => {
      await containerCall(type1Of(both, name) as never, "DIRTY_PAGES", { argsz: 8, flags });
    });
    assert.equal(got, both.model.has(name) ? "ok" : missing(name), "DIRTY_PAGES");
    if (got === "ok") both.model.spaces[name].track(on % 2 === 0);
  },
  dirty: (at, given, all) => async (both) => {
    const name = both.model.attached === "compat" ? "compat" : "type1";
    // Pages that cut no mapping are rare: often ask for all.
    const count = all > 3 ? pages - at : given;
    const range = { iova: BigInt(at) * page, size: BigInt(count) * page, pgsize: page, bytes: 8 };
    const got = await answerOf(async () => {
      const call = { argsz: 48, flags: DirtyFlag.GET_BITMAP, range };
      return (await containerCall(type1Of(both, name) as never, "DIRTY_PAGES", call)).bitmap?.[0];
    });
    const { model } = both;
    const wanted = model.has(name)
      ? model.spaces[name].takeDirty(at, count, model.pinned(name))
      : missing(name);
    assert.equal(got, wanted, `dirty ${at} ${count}`);
  },
  log: (a) => async (both) => {
    const to = both.file;
    if (to === null) return;
    const on = a < 6;
    const data = new Uint8Array(32);
    const view = new DataView(data.buffer);
    view.setBigUint64(0, page, true);
    view.setUint32(8, 1, true);
    view.setBigUint64(24, BigInt(pages) * page, true);
    const feature = on ? Feature.DMA_LOGGING_START : Feature.DMA_LOGGING_STOP;
    const got = await answerOf(async () => {
      await deviceCall(to.file, "FEATURE", { argsz: 40, flags: feature | FeatureFlag.SET, data });
    });
    assert.equal(got, to.answer ?? (on ? both.model.startLog() : "ok"), "log");
    if (got === "ok" && !on) both.model.stopLog();
  },
  report: (at, count) => async (both) => {
    const to = both.file;
    if (to === null) return;
    const data = new Uint8Array(24);
    const view = new DataView(data.buffer);
    view.setBigUint64(0, BigInt(at) * page, true);
    view.setBigUint64(8, BigInt(count) * page, true);
    view.setBigUint64(16, page, true);
    const flags = Feature.DMA_LOGGING_REPORT | FeatureFlag.GET;
    const got = await answerOf(
      async () => (await deviceCall(to.file, "FEATURE", { argsz: 64, flags, data })).data[24],
    );
    assert.equal(got, to.answer ?? both.model.report(at, count), `report ${at} ${count}`);
  },
  dma: (at, offset, value) => async (both) => {
    const iova = at * pageBytes + offset * 511;
    const length = 1 + value * 900;
    const got = await answerOf(async () => [...(await both.device.dma.read(BigInt(iova), length))]);
    assert.deepEqual(got, expectedRead(both, iova, length), `DMA read of ${length} at ${iova}`);
  },
  dmaWrite: (at, offset, value) => async (both) => {
    const iova = at * pageBytes + offset * 511;
    const bytes = new Uint8Array(1 + value * 900).fill(at + 1);
    const expected = both.memory.slice();
    const wanted = expectedWrite(both, iova, bytes, expected);
    const got = await answerOf(() => both.device.dma.write(BigInt(iova), bytes));
    assert.equal(got, wanted, `DMA write of ${bytes.length} at ${iova}`);
    assert.deepEqual(both.memory, expected);
  },
  pin: (at, b, c) => async (both) => {
    const count = 1 + b;
    const writes = c % 2 === 0;
    const got = await answerOf(async () => {
      both.pins.push(
        both.device.dma.pin(BigInt(at) * page, count * pageBytes, writes ? "read-write" : "read"),
      );
    });
    assert.equal(got, both.model.pin(at, count, writes), `pin ${count} at ${at}`);
  },
  unpin: (a) => async (both) => {
    const number = both.pins.length - 1 - a;
    both.pins[number]?.unpin();
    both.model.unpin(number);
  },
  pinWrite: (a, b, value) => async (both) => {
    const number = both.pins.length - 1 - a;
    const pin = both.pins[number];
    const wanted = both.model.pins[number];
    if (pin === undefined || wanted === undefined) return;
    const bytes = Uint8Array.of(value);
    const expected = both.memory.slice();
    const got = await answerOf(() => pin.write(b * 1000, bytes));
    const { model } = both;
    const alive = wanted.state === "pinned" ? (model.still ? "EBUSY" : "ok") : "EFAULT";
    assert.equal(got, wanted.writes ? alive : "EPERM", `write of pin ${number}`);
    if (got === "ok") expectedWrite(both, wanted.at * pageBytes + b * 1000, bytes, expected);
    assert.deepEqual(both.memory, expected);
  },
};

function expectedRead({ model, memory }: Both, iova: number, length: number): unknown {
  const { space } = model;
  if (typeof space === "string") return space;
  const bytes: number[] = [];
  for (let at = iova; at < iova + length; at += 1) {
    const found = space.find(at);
    if (found === null) return "EFAULT";
    bytes.push(memory[found.address] as number);
  }
  return bytes;
}

/** What is written before the first byte that can't be stays written. */
function expectedWrite({ model }: Both, iova: number, bytes: Uint8Array, memory: Uint8Array): unknown {
  const { space } = model;
  if (typeof space === "string") return space;
  for (const [index, byte] of bytes.entries()) {
    const found = space.find(iova + index);
    if (found === null) return "EFAULT";
    if (!found.piece.writable) return "EPERM";
    memory[found.address] = byte;
    model.wrote(Math.floor((iova + index) / pageBytes));
  }
  return "ok";
}
