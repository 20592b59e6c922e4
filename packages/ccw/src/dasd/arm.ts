/**
 * Where the arm is: a track, and on it the place between index, counts, keys and data that the next command starts from. Moving on
 * over the end of a track turns back to its index, or goes to the next one for a multi-track command.
 */
import { trackAddress } from "../image/geometry.js";
import type { CkdRecord, Track } from "../image/track.js";
import type { Disk } from "./disk.js";
import { checkExtent, type Extent } from "./extent.js";
import { endOfCylinder, fileProtected, noRecordFound } from "./sense.js";

/** Behind what the arm stands: `end` is behind the last record. */
export type Orientation = "index" | "count" | "key" | "data" | "end";

export interface NextRecord {
  /** Record zero counts as a record. */
  readonly zero: "counts" | "is-passed";
  readonly tracks: "one" | "several";
  /** fails: the end of the track ends the search at once. */
  readonly trackEnd: "turns" | "fails";
  readonly search: boolean;
}

export class Arm {
  readonly #disk: Disk;
  #track = 0;
  #content: Track | undefined;
  /** Of the record that the arm is at; -1 before the first. */
  #index = -1;
  orientation: Orientation = "index";
  /** Whether the index went by without data in between: the second time, what is searched is not there. */
  indexSeen: "no" | "yes" = "no";

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  get track(): number {
    return this.#track;
  }

  get address() {
    return trackAddress(this.#disk.geometry, this.#track);
  }

  /** The record at the arm. Only with orientation count, key or data. */
  get record(): CkdRecord {
    return (this.#content as Track).records[this.#index] as CkdRecord;
  }

  /** What is on the track. */
  async content(): Promise<Track> {
    this.#content ??= await this.#disk.read(this.#track);
    return this.#content;
  }

  /** To the index of a track. */
  async seek(track: number): Promise<void> {
    this.#track = track;
    this.#content = undefined;
    this.#toIndex();
    await this.content();
  }

  /** Forgets what is on the track: another program may have changed it. */
  restart(): void {
    this.#content = undefined;
    this.#toIndex();
    this.indexSeen = "no";
  }

  #toIndex(): void {
    this.#index = -1;
    this.orientation = "index";
  }

  toIndex(): void {
    this.#toIndex();
  }

  /** Behind the last record. */
  async toEnd(): Promise<void> {
    this.#index = (await this.content()).records.length - 1;
    this.orientation = "end";
  }

  /**
   * To the next count.
   * @throws UnitCheck no record found, end of cylinder, file protected
   */
  async next(how: NextRecord, extent: Extent, domain: "inside" | "outside"): Promise<CkdRecord> {
    if (this.orientation === "end" && how.tracks === "several") await this.advance(extent, domain);
    for (;;) {
      const { records } = await this.content();
      let next = this.#index + 1;
      if (next === 0 && how.zero === "is-passed") next = 1;
      const found = records[next];
      if (found !== undefined) {
        this.#index = next;
        this.orientation = "count";
        return found;
      }
      this.orientation = "end";
      const beyond = how.tracks === "several" && domain === "outside";
      if (how.trackEnd === "fails" || (this.indexSeen === "yes" && !beyond)) throw noRecordFound();
      if (how.tracks === "several") await this.advance(extent, domain);
      else this.#toIndex();
      if (how.tracks === "one" || !how.search) this.indexSeen = "yes";
    }
  }

  /** To the next track's index. @throws UnitCheck file protected, end of cylinder */
  async advance(extent: Extent, domain: "inside" | "outside", to = this.#track + 1): Promise<void> {
    const { heads } = this.#disk.geometry;
    if (domain === "outside") {
      if (extent.mask.seek === "none") throw fileProtected();
      if (Math.floor(to / heads) !== Math.floor(this.#track / heads)) throw endOfCylinder();
    }
    checkExtent(extent, to);
    await this.seek(to);
  }

  /** Replaces the record at the arm: its key and data; the arm stands behind them. */
  async update(record: CkdRecord): Promise<void> {
    const track = await this.content();
    await this.#put({ home: track.home, records: track.records.with(this.#index, record) });
    this.orientation = "data";
  }

  /** What the track would hold with `record` behind the arm and nothing after it. */
  async appended(record: CkdRecord): Promise<readonly CkdRecord[]> {
    const track = await this.content();
    return [...track.records.slice(0, this.#index + 1), record];
  }

  /** Puts `records` on the track; the arm stands behind the last. */
  async format(records: readonly CkdRecord[]): Promise<void> {
    await this.#put({ home: (await this.content()).home, records });
    this.#index = records.length - 1;
    this.orientation = "data";
  }

  /** Erases what is behind the arm. */
  async truncate(): Promise<void> {
    const { records } = await this.content();
    await this.format(records.slice(0, Math.max(this.#index + 1, 1)));
  }

  async #put(track: Track): Promise<void> {
    await this.#disk.write(this.#track, track);
    this.#content = track;
  }
}
