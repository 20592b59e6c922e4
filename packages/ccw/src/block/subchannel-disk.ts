/** A disk behind a subchannel, track by track, whatever its records are: to look into, as into an image. One track is read at a time. */
import { Mutex, noDeadline, type Runtime } from "parhelion-core";
import { loadKoffi, type OpenDevice, VfioUserDevice } from "parhelion-vfio";
import { diskTypeOf, imageTrackSize } from "../image/device-types.js";
import { type Geometry, geometryOf, trackAddress } from "../image/geometry.js";
import { decodeTrack, homeAddressSize, type Track } from "../image/track.js";
import type { TrackSource } from "../image/track-source.js";
import { blockBytes, type Disk, defineExtent, diskOf, EckdCommand, locateTrack, orderBytes } from "./eckd.js";
import { BlockError } from "./error.js";
import { letGo, type OpenedSubchannel, openSubchannel, type SubchannelChoices } from "./opened-subchannel.js";

/** A CCW counts no more bytes; no track has more. */
const mostTrackBytes = 0xffff;

export class SubchannelDisk implements TrackSource {
  readonly path: string;
  readonly geometry: Geometry;
  readonly #disk: Disk;
  readonly #parts: OpenedSubchannel;
  readonly #turns: Mutex;
  #state: "open" | "closed" = "open";

  private constructor(runtime: Runtime, parts: OpenedSubchannel, disk: Disk, geometry: Geometry) {
    this.path = parts.device.name;
    this.geometry = geometry;
    this.#disk = disk;
    this.#parts = parts;
    this.#turns = new Mutex(runtime, `turns of ${parts.device.name}`);
  }

  /** The disk that another process serves at that socket. @throws KernelError, BlockError as `CcwBlockDevice.openAt`; ImageError no disk that is known */
  static async openAt(
    runtime: Runtime,
    socketPath: string,
    choices: SubchannelChoices = {},
  ): Promise<SubchannelDisk> {
    const device = await VfioUserDevice.connect(runtime, socketPath, { koffi: await loadKoffi() });
    return SubchannelDisk.use(runtime, device, choices);
  }

  /** The same, of a device that is open; it is closed with this, also when this fails. @throws as `openAt` */
  static async use(
    runtime: Runtime,
    device: OpenDevice,
    choices: SubchannelChoices = {},
  ): Promise<SubchannelDisk> {
    const blocks = Math.ceil(mostTrackBytes / blockBytes);
    const made: { it: SubchannelDisk | null } = { it: null };
    // It is asked back: what is being read ends first.
    const requested = (): void =>
      runtime.scheduler.spawn(`close ${device.name}`, async () => made.it?.close());
    const parts = await openSubchannel(runtime, device, blocks, { requested }, choices);
    try {
      const disk = diskOf(parts.characteristics);
      const geometry = geometryIn(device.name, parts.characteristics, disk);
      made.it = new SubchannelDisk(runtime, parts, disk, geometry);
      return made.it;
    } catch (error) {
      await parts.user.close();
      await letGo(device);
      throw error;
    }
  }

  /** @throws BlockError; ImageError what comes is no track */
  async read(track: number): Promise<Track> {
    const { area, runner } = this.#parts;
    if (!Number.isInteger(track) || track < 0 || track >= this.geometry.tracks)
      throw new BlockError(
        "block-range",
        `read track ${track}: there are ${this.geometry.tracks}, from 0 on`,
      );
    const home = new Uint8Array(homeAddressSize);
    const { cylinder, head } = trackAddress(this.geometry, track);
    new DataView(home.buffer).setUint16(1, cylinder);
    new DataView(home.buffer).setUint16(3, head);
    const records = await this.#turns.withLock(
      async () => {
        if (this.#state === "closed") throw new BlockError("block-closed", `${this.path} was closed`);
        const extent = area.order(0, defineExtent(this.#disk, "read", track, track));
        const locate = area.order(1, locateTrack(this.#disk, track));
        const at = area.block(0);
        await runner.run(`read track ${track}`, [
          { code: EckdCommand.defineExtent, at: extent, count: orderBytes },
          { code: EckdCommand.locateRecord, at: locate, count: orderBytes },
          { code: EckdCommand.readTrack, at, count: mostTrackBytes, length: "may differ" },
        ]);
        return area.take(at, mostTrackBytes);
      },
      { deadline: noDeadline },
    );
    return decodeTrack(Buffer.concat([home, records]), this.geometry, track, { file: this.path });
  }

  /** Waits for the track that is being read. Idempotent. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    await this.#turns.withLock(
      async () => {
        await this.#parts.user.close();
        await letGo(this.#parts.device);
      },
      { deadline: noDeadline },
    );
  }
}

/** @throws ImageError image-geometry */
function geometryIn(file: string, characteristics: Uint8Array, { cylinders, heads }: Disk): Geometry {
  const typeByte = characteristics[4] ?? 0;
  const type = diskTypeOf(typeByte);
  const trackSize = type === undefined ? 0 : imageTrackSize(type);
  return geometryOf({ file }, { typeByte, heads, trackSize, cylinders });
}
