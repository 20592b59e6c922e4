/** A machine with disks on real images, and everything that passes one through, up to the VFIO device's node. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CssBus, MdevBus, type Subchannel, type SubchannelId, subchannelName } from "parhelion-buses";
import { createRuntime, type LogRecord, type Runtime, System } from "parhelion-core";
import { Vfio } from "parhelion-vfio";
import { Dasd3390, type Dasd3390Options } from "../dasd/dasd-3390.js";
import { GatedDisk } from "../dasd/gated-disk.test.fixture.js";
import { DiskImage } from "../image/disk-image.js";
import { type NullFormat, nullTrack } from "../image/null-track.js";
import { encodeTrack } from "../image/track.js";
import { ChannelSubsystem } from "../subsystem/channel-subsystem.js";
import { VfioCcw } from "./drivers.js";
import { HostStorage } from "./host-storage.js";

const heads = 15;
const trackSize = 56_832;

export interface Rig {
  readonly runtime: Runtime;
  readonly system: System;
  readonly storage: HostStorage;
  readonly machine: ChannelSubsystem;
  readonly css: CssBus;
  readonly mdev: MdevBus;
  readonly vfio: Vfio;
  readonly ccw: VfioCcw;
  readonly log: LogRecord[];
  /** Makes an image of a disk, opens it, and puts it behind a subchannel. */
  disk(init?: DiskInit): Promise<RigDisk>;
  /** Makes a mediated device of the subchannel. @returns the name of its VFIO device's node */
  passThrough(id: SubchannelId): Promise<string>;
  subchannel(id: SubchannelId): Subchannel;
  /** Takes everything down; nothing may be left. @param look at the images' files, when nobody has them open any more */
  end(look?: () => Promise<void>): Promise<void>;
}

export interface DiskInit extends Dasd3390Options {
  readonly cylinders?: number;
  /** How its tracks are at first. Default 2: blocks of zeroes. */
  readonly format?: NullFormat;
  readonly chpids?: readonly number[];
  /** The image, instead of one that is made. */
  readonly content?: Uint8Array;
}

export interface RigDisk {
  readonly id: SubchannelId;
  readonly image: DiskImage;
  readonly path: string;
  readonly gated: GatedDisk;
}

export async function rig(
  options: { revokeMs?: number; quiesceMs?: number; clearMs?: number } = {},
): Promise<Rig> {
  const { revokeMs = 200, quiesceMs = 20_000, clearMs = 10_000 } = options;
  const log: LogRecord[] = [];
  const runtime = createRuntime({ log: (record) => log.push(record), patienceMs: 20_000 });
  const system = new System(runtime);
  const storage = new HostStorage(runtime);
  const machine = new ChannelSubsystem(runtime, { storage, clearMs });
  const css = new CssBus(system, machine);
  const mdev = new MdevBus(system);
  const vfio = await Vfio.create(system, { revokeMs });
  await css.start();
  const ccw = new VfioCcw({ css, mdev, vfio, storage, quiesceMs });
  await ccw.register();
  const folder = await mkdtemp(join(tmpdir(), "parhelion-ccw-"));
  const disks: RigDisk[] = [];
  let mdevs = 0;

  function subchannel(id: SubchannelId): Subchannel {
    const found = css.find(subchannelName(id));
    if (found === undefined) throw new Error(`there is no subchannel ${subchannelName(id)}`);
    return found;
  }

  return {
    runtime,
    system,
    storage,
    machine,
    css,
    mdev,
    vfio,
    ccw,
    log,
    subchannel,
    async disk({ cylinders = 2, format = 2, chpids = [0x10], content, ...dasd } = {}) {
      const path = join(folder, `disk${disks.length}.ckd`);
      await writeFile(path, content ?? imageOf(cylinders, format));
      const image = await DiskImage.open(path, { access: "read-write" });
      const gated = new GatedDisk(new Dasd3390(image, { durable: "close", ...dasd }));
      const id = machine.attach({
        device: gated,
        devno: 0x100 + disks.length,
        chpids,
      });
      await css.settle();
      const disk = { id, image, path, gated };
      disks.push(disk);
      return disk;
    },
    async passThrough(id) {
      mdevs += 1;
      const uuid = `00000000-0000-4000-8000-${String(mdevs).padStart(12, "0")}`;
      const types = `/sys${subchannel(id).devpath}/mdev_supported_types/vfio_ccw-io`;
      await system.sysfs.write(`${types}/create`, uuid);
      const made = mdev.find(uuid);
      const vdev = [...(made?.children ?? [])].find(({ name }) => name.startsWith("vfio"));
      if (vdev === undefined) throw new Error(`mdev ${uuid} has no VFIO device`);
      return vdev.name;
    },
    async end(look) {
      await ccw.unregister();
      await vfio.close();
      await mdev.unregister();
      await css.stop();
      for (const { image } of disks) await image.close();
      await look?.();
      await rm(folder, { recursive: true });
    },
  };
}

/** An uncompressed image, as `dasdinit` makes them. */
function imageOf(cylinders: number, format: NullFormat): Uint8Array {
  const tracks = cylinders * heads;
  const bytes = new Uint8Array(512 + tracks * trackSize);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from("CKD_P370", "latin1"));
  view.setUint32(8, heads, true);
  view.setUint32(12, trackSize, true);
  bytes[16] = 0x90;
  for (let track = 0; track < tracks; track += 1) {
    bytes.set(encodeTrack(nullTrack({ heads }, track, format)), 512 + track * trackSize);
  }
  return bytes;
}
