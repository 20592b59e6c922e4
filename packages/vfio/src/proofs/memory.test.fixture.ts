/** What users do with their memory while a device uses it: maps, unmaps, frees. */
import { outcomeOf, type Program, type World } from "parhelion-explorer";
import { type AttachedDevice, bytesMemory, IoasMapFlag, VfioDevice } from "../index.js";
import type { Ioas } from "../iommu/ioas.js";
import type { IovaMapping } from "../iommu/mapping.js";
import type { UserMemory } from "../iommu/user-memory.js";
import { IommufdOperations } from "../iommufd/file.js";
import { beginWithUser, type Going, named, VfioStage } from "./vfio-stage.test.fixture.js";

type WithUser = VfioStage & { user?: AttachedDevice };

/** The user's memory, which it frees when it has unmapped it. */
function lent(world: World): { view(): Uint8Array; free(): void } {
  const memory = world.allocate("user's memory", { byte: 1 });
  const bytes = new Uint8Array(4096);
  return {
    view: () => {
      bytes[0] = memory.byte;
      return bytes;
    },
    free: () => world.free(memory),
  };
}

/** @param plant the driver keeps the bytes, and uses them after it has waited */
export function unmapAndDma(plant?: "keeps the bytes"): Program<WithUser> {
  return {
    name: named("a device reads and writes memory while its user unmaps and frees it", plant),
    setup(world) {
      const memory = lent(world);
      const stage: WithUser = new VfioStage(world);
      world.task("device", async () => {
        const { dma } = stage.device;
        await outcomeOf(async () => {
          await dma.read(0n, 16);
          if (plant) {
            dma.view(0n, 16, "read");
            await world.point("busy");
            memory.view();
          }
          await dma.write(0n, Uint8Array.of(1, 2));
        }, "EFAULT");
      });
      world.task("user", async () => {
        const length = await stage.user?.unmap(0n, 4096n);
        world.expect(length === 4096n, `${length} bytes were unmapped`);
        memory.free();
      });
      return Object.assign(stage, { memory });
    },
    async before(stage) {
      await beginWithUser(stage);
      const { memory } = stage as WithUser & { memory: { view(): Uint8Array } };
      await stage.user?.map(0n, 4096n, viewOf(memory));
    },
    async after(stage) {
      await stage.user?.close();
      await stage.end();
    },
  };
}

/** @param plant the driver does not let go when it is asked to, and goes on */
export function unmapAndPins(plant?: "keeps its view"): Program<WithUser> {
  return {
    name: named("a device has memory pinned while its user unmaps and frees it", plant),
    setup(world) {
      const memory = lent(world);
      const pins: { unpin(): void; view(): Uint8Array | null }[] = [];
      const stage: WithUser = new VfioStage(world, {
        ops: () => ({
          dmaUnmap: async () => {
            await world.point("letting go");
            for (const pin of pins.splice(0)) pin.unpin();
          },
        }),
      });
      world.task("device", async () => {
        await outcomeOf(async () => {
          const pin = stage.device.dma.pin(0n, 16, "read-write");
          pins.push(pin);
          await world.point("at work");
          if (plant) memory.view();
          else pin.view();
          pin.unpin();
        }, "EFAULT");
      });
      world.task("user", async () => {
        await stage.user?.unmap(0n, 4096n);
        memory.free();
      });
      return Object.assign(stage, { memory });
    },
    async before(stage) {
      await beginWithUser(stage);
      const { memory } = stage as WithUser & { memory: { view(): Uint8Array } };
      await stage.user?.map(0n, 4096n, {
        read: () => memory.view(),
        write: () => void memory.view(),
        view: () => memory.view(),
      });
    },
    async after(stage, world) {
      world.expect(!world.log.some(({ event }) => event === "vfio.pins-left"), "a pin was left");
      await stage.user?.close();
      await stage.end();
    },
  };
}

/** What the user's mappings are in. */
function spaceOf(stage: WithUser): Ioas {
  const { user } = stage;
  if (user === undefined) throw new Error("not yet");
  return stage.vfio.iommufdOf(user.iommufd).find(user.ioasId);
}

/**
 * Drops the lock while it tells drivers of what goes, as vfio_iommu_type1.c does, and does not look again (which that
 * does). Or leaves it out.
 */
function withoutLock(world: World, ioas: Ioas): void {
  const { unmap } = ioas;
  Object.assign(ioas.mutex, { withLock: (run: () => unknown) => run() });
  Object.assign(ioas, {
    unmap: async (going: readonly IovaMapping[]) => {
      await world.point("drivers let go");
      await unmap.call(ioas, going);
    },
  });
}

const mapFlags = IoasMapFlag.FIXED_IOVA | IoasMapFlag.READABLE | IoasMapFlag.WRITEABLE;

/** Whatever is mapped is unmapped once. @param plant who unmaps holds no lock while drivers let go */
export function mapAndUnmap(plant?: "no lock"): Program<WithUser> {
  return {
    name: named("two map one range, and unmap it", plant),
    setup(world) {
      const stage: WithUser = new VfioStage(world);
      const tally = world.share("mappings", { mapped: 0, unmapped: 0n });
      for (const name of ["one", "two"]) {
        world.task(name, async () => {
          const { user } = stage;
          if (user === undefined) return;
          // Not by the file, which orders what has nothing to do with each other.
          const iommufd = new IommufdOperations(stage.vfio.iommufdOf(user.iommufd));
          const { ioasId } = user;
          const memory = bytesMemory(new Uint8Array(4096));
          const range = { ioasId, flags: mapFlags, iova: 0n, length: 4096n };
          const mapped = await outcomeOf(
            () => iommufd.request({ op: "IOAS_MAP", ...range, userVa: 0n, memory }),
            "EEXIST",
          );
          if (mapped === "done") tally.mapped += 1;
          await outcomeOf(async () => {
            const { length } = (await iommufd.request({ op: "IOAS_UNMAP", ...range })) as { length: bigint };
            tally.unmapped += length;
          }, "ENOENT");
        });
      }
      return Object.assign(stage, { tally });
    },
    async before(stage, world) {
      await beginWithUser(stage);
      if (plant) withoutLock(world, spaceOf(stage));
    },
    async after(stage, world) {
      const { tally } = stage as WithUser & { tally: { mapped: number; unmapped: bigint } };
      const expected = BigInt(tally.mapped) * 4096n;
      world.expect(
        tally.unmapped === expected,
        `${tally.mapped} were mapped, ${tally.unmapped} bytes unmapped`,
      );
      await stage.user?.close();
      await stage.end();
    },
  };
}

/**
 * A map needs no device to stand still, and after an unmap nothing reads what was mapped.
 * @param plant an unmap is answered before it is done, as when an IOMMU's flush is put off
 */
export function mapAndRead(plant?: "unmaps later"): Program<WithUser> {
  return {
    name: named("a range is mapped, unmapped and freed while the device reads it and another", plant),
    setup(world) {
      const stage: WithUser = new VfioStage(world);
      const memory = lent(world);
      world.task("user", async () => {
        await stage.user?.map(4096n, 4096n, viewOf(memory));
        await stage.user?.unmap(4096n, 4096n);
        memory.free();
      });
      world.task("device", async () => {
        await stage.device.dma.read(0n, 16);
        await outcomeOf(() => stage.device.dma.read(4096n, 16), "EFAULT");
      });
      return stage;
    },
    async before(stage, world) {
      await beginWithUser(stage);
      await stage.user?.map(0n, 4096n, bytesMemory(new Uint8Array(4096)));
      const ioas = spaceOf(stage);
      const { unmap } = ioas;
      const later = async (going: readonly IovaMapping[]): Promise<void> => {
        world.runtime.scheduler.spawn("flush", () => unmap.call(ioas, going));
      };
      if (plant) Object.assign(ioas, { unmap: later });
    },
    async after(stage) {
      await stage.user?.close();
      await stage.end();
    },
  };
}

function viewOf(memory: { view(): Uint8Array }): UserMemory {
  const bytes = (): UserMemory => bytesMemory(memory.view());
  return {
    read: (at, length) => bytes().read(at, length),
    write: (at, data) => bytes().write(at, data),
    view: (at, length) => bytes().view?.(at, length) ?? null,
  };
}

/** Takes what is mapped for it along. */
class Possessive extends VfioDevice {
  ioas: Ioas | null = null;

  override async revoke(): Promise<void> {
    await super.revoke();
    await this.ioas?.unmap(this.ioas.mappings);
  }
}

/**
 * The device goes while its user maps and unmaps: what the user has is its own.
 * @param plant the device takes the mappings with it
 */
export function mapAndRemove(how: Going, plant?: "mappings go too"): Program<WithUser> {
  return {
    name: named(`a user unmaps what a device reads while that is ${how}`, plant),
    setup(world) {
      const stage: WithUser = new VfioStage(world, {
        options: { revokeMs: 0 },
        ...(plant && { DeviceClass: Possessive }),
      });
      world.task("user", async () => {
        const answer = await outcomeOf(async () => stage.user?.unmap(0n, 4096n), "ENOENT");
        world.expect(answer === "done", "its mapping went with the device");
      });
      world.task("device", async () => {
        await outcomeOf(() => stage.device.dma.read(0n, 16), "EFAULT", "ENODEV");
      });
      world.task("remover", () => stage.go(how));
      return stage;
    },
    async before(stage) {
      await beginWithUser(stage);
      await stage.user?.map(0n, 4096n, bytesMemory(new Uint8Array(4096)));
      if (plant) Object.assign(stage.device, { ioas: spaceOf(stage) });
    },
    async after(stage) {
      await stage.user?.close();
      await stage.end();
    },
  };
}
