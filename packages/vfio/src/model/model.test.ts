/** Random sequences of what users, drivers and administrators do, against the reference. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isKernelError } from "parhelion-core";
import {
  bytesMemory,
  type ContainerFile,
  containerCall,
  type DeviceFile,
  DirtyFlag,
  deviceCall,
  Extension,
  type GroupFile,
  groupCall,
  type IommufdFile,
  type VfioDevice,
} from "../index.js";
import {
  openContainer,
  openDevice,
  openGroup,
  openIommufd,
  type Rig,
  rig,
  Toy,
} from "../toy.test.fixture.js";
import { page, pages, ReferenceDevice } from "./reference.test.fixture.js";

const bytesOfPage = Number(page);

/** What really happens, beside what should. */
class Both {
  readonly model = new ReferenceDevice();
  readonly memory = new Uint8Array(2 * pages * bytesOfPage);
  readonly toy = new Toy();
  readonly rig: Rig;
  readonly device: VfioDevice;
  group: GroupFile | null = null;
  readonly files: DeviceFile[] = [];
  own: DeviceFile | null = null;
  readonly container: ContainerFile;
  readonly iommufd: IommufdFile;

  private constructor(r: Rig, device: VfioDevice, toy: Toy, container: ContainerFile, iommufd: IommufdFile) {
    this.rig = r;
    this.device = device;
    this.toy = toy;
    this.container = container;
    this.iommufd = iommufd;
  }

  static async make(): Promise<Both> {
    const r = await rig({ revokeMs: 0 });
    const toy = new Toy();
    const device = await r.registered(toy);
    return new Both(r, device, toy, await openContainer(r.system), await openIommufd(r.system));
  }

  async end(): Promise<void> {
    for (const file of this.files) await file.close();
    await this.group?.close();
    await this.own?.close();
    await this.container.close();
    await this.iommufd.close();
    if (this.model.present) await this.rig.gone(this.device);
    await this.rig.end();
    const opens = this.toy.trace.filter((line) => line === "open").length;
    const closes = this.toy.trace.filter((line) => line === "close").length;
    assert.equal(opens, closes);
    assert.equal(this.toy.trace.at(-1), "release");
    assert.equal(this.toy.trace.filter((line) => line === "release").length, 1);
  }

  get open(): number {
    return this.model.files + (this.model.own === "bound" ? 1 : 0);
  }
}

type Step = (both: Both) => Promise<void>;

async function answerOf(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return (await run()) ?? "ok";
  } catch (error) {
    if (isKernelError(error)) return error.code;
    throw error;
  }
}

/** What a step should answer, unless the device is gone: then ENODEV from everything that reaches for it. */
const steps: Readonly<Record<string, (a: number, b: number, c: number) => Step>> = {
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
  setContainer: () => async (both) => {
    const { group, container, model } = both;
    if (group === null) return;
    const got = await answerOf(() => groupCall(group, "SET_CONTAINER", { container }));
    assert.equal(got, model.present ? model.setContainer() : "ENODEV", "SET_CONTAINER");
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
    assert.equal(got, model.present ? model.setIommu() : "EINVAL", "SET_IOMMU");
  },
  getDevice: () => async (both) => {
    const { group, model } = both;
    if (group === null) return;
    const got = await answerOf(async () => {
      both.files.push(await groupCall(group, "GET_DEVICE_FD", { name: "toy0" }));
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
    both.model.own = "closed";
  },
  map: (at, count, from) => async (both) => {
    const { container, model, memory } = both;
    const size = BigInt(count) * page;
    const writable = (at + from) % 3 !== 0;
    const vaddr = BigInt(from) * page;
    const got = await answerOf(() =>
      containerCall(container, "MAP_DMA", {
        argsz: 32,
        flags: writable ? 3 : 1,
        iova: BigInt(at) * page,
        size,
        vaddr,
        memory: bytesMemory(memory),
      }),
    );
    const wanted = isReady(both) ? model.space.map(at, count, writable, from) : "EINVAL";
    assert.equal(got, wanted, `MAP_DMA ${at} ${count}`);
  },
  unmap: (at, count) => async (both) => {
    const { container, model } = both;
    const got = await answerOf(async () => {
      const call = { argsz: 24, flags: 0, iova: BigInt(at) * page, size: BigInt(count) * page };
      return Number((await containerCall(container, "UNMAP_DMA", call)).size / page);
    });
    assert.equal(got, isReady(both) ? model.space.unmap(at, count) : "EINVAL", `UNMAP_DMA ${at} ${count}`);
  },
  track: (on) => async (both) => {
    const flags = on % 2 === 0 ? DirtyFlag.START : DirtyFlag.STOP;
    const got = await answerOf(async () => {
      await containerCall(both.container, "DIRTY_PAGES", { argsz: 8, flags });
    });
    assert.equal(got, isReady(both) ? "ok" : "EINVAL");
    if (!isReady(both)) return;
    both.model.space.tracked = on % 2 === 0;
    if (on % 2 === 1) both.model.space.dirty.clear();
  },
  dirty: (at, given, all) => async (both) => {
    // Pages that cut no mapping are rare: often ask for all.
    const count = all > 3 ? pages - at : given;
    const range = { iova: BigInt(at) * page, size: BigInt(count) * page, pgsize: page, bytes: 8 };
    const got = await answerOf(async () => {
      const call = { argsz: 48, flags: DirtyFlag.GET_BITMAP, range };
      return (await containerCall(both.container, "DIRTY_PAGES", call)).bitmap?.[0];
    });
    const wanted = isReady(both) ? both.model.space.takeDirty(at, count) : "EINVAL";
    assert.equal(got, wanted, `dirty ${at} ${count}`);
  },
  dma: (at, offset, value) => async (both) => {
    const iova = at * bytesOfPage + offset * 511;
    const length = 1 + value * 900;
    const got = await answerOf(async () => [...(await both.device.dma.read(BigInt(iova), length))]);
    assert.deepEqual(got, expectedRead(both, iova, length), `DMA read of ${length} at ${iova}`);
  },
  dmaWrite: (at, offset, value) => async (both) => {
    const iova = at * bytesOfPage + offset * 511;
    const bytes = new Uint8Array(1 + value * 900).fill(at + 1);
    const expected = both.memory.slice();
    const wanted = expectedWrite(both, iova, bytes, expected);
    const got = await answerOf(() => both.device.dma.write(BigInt(iova), bytes));
    assert.equal(got, wanted, `DMA write of ${bytes.length} at ${iova}`);
    assert.deepEqual(both.memory, expected);
  },
  region: (at, value) => async (both) => {
    const file = both.files.at(-1) ?? both.own;
    if (file === null) return;
    const { model } = both;
    const bytes = Uint8Array.of(value, at);
    const offset = BigInt(at * 585);
    const got = await answerOf(async () => {
      await deviceCall(file, "WRITE", { offset, bytes });
      return [...(await deviceCall(file, "READ", { offset, length: 2 }))];
    });
    const bound = both.files.length > 0 || model.own === "bound";
    const wanted = !model.present ? "ENODEV" : bound && at * 585 + 2 <= 4096 ? [value, at] : "EINVAL";
    assert.deepEqual(got, wanted, "a region");
  },
  remove: () => async (both) => {
    if (!both.model.present) return;
    await both.rig.vfio.unregister(both.device);
    both.device.put();
    both.model.present = false;
  },
};

function isReady({ model }: Both): boolean {
  return model.present && model.group === "ready";
}

function expectedRead(both: Both, iova: number, length: number): unknown {
  const { model, memory } = both;
  if (!model.present || both.open === 0) return "ENODEV";
  if (model.own === "bound") return "EFAULT";
  const bytes: number[] = [];
  for (let at = iova; at < iova + length; at += 1) {
    const found = model.space.find(at);
    if (found === null) return "EFAULT";
    bytes.push(memory[found.address] as number);
  }
  return bytes;
}

/** What is written before the first byte that can't be stays written. */
function expectedWrite(both: Both, iova: number, bytes: Uint8Array, memory: Uint8Array): unknown {
  const { model } = both;
  if (!model.present || both.open === 0) return "ENODEV";
  if (model.own === "bound") return "EFAULT";
  for (const [index, byte] of bytes.entries()) {
    const found = model.space.find(iova + index);
    if (found === null) return "EFAULT";
    if (!found.piece.writable) return "EPERM";
    memory[found.address] = byte;
    model.space.wrote(iova + index);
  }
  return "ok";
}

const memorySteps = "map map unmap track dirty dirty dirty dma dmaWrite dmaWrite dmaWrite region".split(" ");
const lifeSteps = Object.keys(steps).filter((name) => name !== "remove" && !memorySteps.includes(name));

/** Mostly of memory, now and then of who has the device, or the other way round. */
const stepOf = (mostly: readonly string[], rarely: readonly string[]) =>
  fc
    .tuple(
      fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...mostly) },
        { weight: 1, arbitrary: fc.constantFrom(...rarely) },
      ),
      fc.nat({ max: pages - 1 }),
      fc.nat({ max: 3 }),
      fc.nat({ max: 7 }),
    )
    .map(([name, a, b, c]) => ({ name, a, b, c }));

type Begin = readonly (readonly [name: string, a?: number, b?: number, c?: number])[];
const ready: Begin = [["openGroup"], ["setContainer"], ["setIommu"], ["getDevice"]];
/** Ways in that random steps find too rarely, to begin with. */
const begins: readonly Begin[] = [
  [],
  ready,
  [...ready, ["map", 0, 3, 1], ["map", 3, 2, 5], ["map", 6, 2, 4], ["track", 0]],
  [["openOwn"], ["bind"]],
];

test("random calls of a device, its group, its container and its memory answer as the reference says", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...begins),
      fc.oneof(
        fc.array(stepOf(memorySteps, lifeSteps), { maxLength: 60 }),
        fc.array(stepOf(lifeSteps, memorySteps), { maxLength: 40 }),
      ),
      fc.option(fc.nat({ max: 60 })),
      async (begin, random, removedAt) => {
        const both = await Both.make();
        for (const [name, a = 0, b = 0, c = 0] of begin) await steps[name]?.(a, b, c)(both);
        for (const [index, { name, a, b, c }] of random.entries()) {
          if (index === removedAt) await steps["remove"]?.(0, 0, 0)(both);
          await steps[name]?.(a, b, c)(both);
          assert.equal(both.device.openCount, both.model.present ? both.open : 0);
        }
        await steps["dirty"]?.(0, 0, pages)(both);
        await both.end();
      },
    ),
    { numRuns: 400, seed: 1 },
  );
});
