/**
 * Where the arm is: a track, and on it the place between index, counts, keys and data that the next command starts from. Moving on
 * over the end of a track turns back to its index, or goes to the next one for a multi-track command.
 */
import { trackAddress } from "../image/geometry.js";
import type { CkdRecord, Track } from "../image/track.js";
import { type Answer, after } from "../storage/answer.js";
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
  content(): Answer<Track> {
    return this.#content ?? this.#read(0);
  }

  /** To the index of a track. @param ahead so many tracks behind it are likely to be wanted next */
  seek(track: number, ahead = 0): Answer<Track> {
    this.#track = track;
    this.#content = undefined;
    this.#toIndex();
    return this.#read(ahead);
  }

  #read(ahead: number): Answer<Track> {
    const track = this.#track;
    return after(this.#disk.content(track, ahead), (content) => {
      if (this.#track === track) this.#content = content;
      return content;
    });
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
  toEnd(): Answer<void> {
    return after(this.content(), ({ records }) => {
      this.#index = records.length - 1;
      this.orientation = "end";
    });
  }

  /**
   * To the next count.
   * @throws UnitCheck no record found, end of cylinder, file protected
   */
  next(how: NextRecord, extent: Extent, domain: "inside" | "outside"): Answer<CkdRecord> {
    if (this.orientation !== "end" || how.tracks !== "several") return this.#following(how, extent, domain);
    return after(this.advance(extent, domain), () => this.#following(how, extent, domain));
  }

  #following(how: NextRecord, extent: Extent, domain: "inside" | "outside"): Answer<CkdRecord> {
    for (;;) {
      const content = this.content();
      if (content instanceof Promise) return content.then(() => this.#following(how, extent, domain));
      const next = this.#index + 1;
      const passed = next === 0 && how.zero === "is-passed" ? 1 : next;
      const found = content.records[passed];
      if (found !== undefined) {
        this.#index = passed;
        this.orientation = "count";
        return found;
      }
      this.orientation = "end";
      const beyond = how.tracks === "several" && domain === "outside";
      if (how.trackEnd === "fails" || (this.indexSeen === "yes" && !beyond)) throw noRecordFound();
      if (how.tracks === "one" || !how.search) this.indexSeen = "yes";
      if (how.tracks === "one") this.#toIndex();
      else {
        const advanced = this.advance(extent, domain);
        if (advanced instanceof Promise) return advanced.then(() => this.#following(how, extent, domain));
      }
    }
  }

  /** To the next track's index. @throws UnitCheck file protected, end of cylinder */
  advance(extent: Extent, domain: "inside" | "outside", to = this.#track + 1): Answer<Track> {
    const { heads } = this.#disk.geometry;
    if (domain === "outside") {
      if (extent.mask.seek === "none") throw fileProtected();
      if (Math.floor(to / heads) !== Math.floor(this.#track / heads)) throw endOfCylinder();
    }
    checkExtent(extent, to);
    return this.seek(to);
  }

  /**
   * Replaces the record at the arm: its key and data; the arm stands behind them. The others are as they are on the disk now: a device
   * beside this one may have written them while this one's data came.
   * @throws UnitCheck no record found: that one is not there any more
   */
  update(record: CkdRecord): Answer<void> {
    return after(this.#disk.content(this.#track), ({ home, records }) => {
      const there = records[this.#index];
      if (there === undefined || !isSame(there, record)) throw noRecordFound();
      return after(this.#put({ home, records: records.with(this.#index, record) }), () => {
        this.orientation = "data";
      });
    });
  }

  /** What the track would hold with `record` behind the arm and nothing after it. */
  appended(record: CkdRecord): Answer<readonly CkdRecord[]> {
    return after(this.#disk.content(this.#track), ({ records }) => [
      ...records.slice(0, this.#index + 1),
      record,
    ]);
  }

  /** Puts `records` on the track; the arm stands behind the last. */
  format(records: readonly CkdRecord[]): Answer<void> {
    return after(this.content(), ({ home }) =>
      after(this.#put({ home, records }), () => {
        this.#index = records.length - 1;
        this.orientation = "data";
      }),
    );
  }

  /** Erases what is behind the arm. */
  truncate(): Answer<void> {
    return after(this.#disk.content(this.#track), ({ records }) =>
      this.format(records.slice(0, Math.max(this.#index + 1, 1))),
    );
  }

  #put(track: Track): Answer<void> {
    return after(this.#disk.write(this.#track, track), () => {
      this.#content = track;
    });
  }
}

/** Whether the counts say the same. */
function isSame(one: CkdRecord, other: CkdRecord): boolean {
  return (
    one.cylinder === other.cylinder &&
    one.head === other.head &&
    one.record === other.record &&
    one.key.length === other.key.length &&
    one.data.length === other.data.length
  );
}
