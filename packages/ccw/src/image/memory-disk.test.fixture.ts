/**
 * A directory of files in memory that forgets what a crash forgets: each write lasts from the next sync on; what comes between is lost, kept
 * or kept in part, sector by sector. It can also be full, and fail.
 */
import { randomBytes } from "node:crypto";
import { ImageError } from "./error.js";
import type { Access, ImageDisk, ImageFile } from "./image-file.js";
import type { ImageLock } from "./lock.js";

type Operation =
  | { readonly kind: "write"; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly length: number };

interface Stored {
  durable: Buffer;
  content: Buffer;
  pending: Operation[];
}

const sector = 512;

export class CrashError extends Error {}

export class MemoryDisk implements ImageDisk {
  readonly #files = new Map<string, Stored>();
  readonly #locked = new Set<string>();
  /** Writes and syncs so far. */
  steps = 0;
  /** From this step on, everything fails as if the process were dead. */
  crashAt = Number.POSITIVE_INFINITY;
  /** No file gets longer than this. */
  limit = Number.POSITIVE_INFINITY;
  /** Counts writes that were asked for. */
  writes = 0;

  put(path: string, bytes: Uint8Array): void {
    this.#files.set(path, { durable: Buffer.from(bytes), content: Buffer.from(bytes), pending: [] });
  }

  get(path: string): Buffer | undefined {
    return this.#files.get(path)?.content;
  }

  names(): string[] {
    return [...this.#files.keys()];
  }

  /** What is there after a crash; `keep` says for each sector of what was not synced whether it lasted. */
  afterCrash(keep: () => boolean): MemoryDisk {
    const next = new MemoryDisk();
    for (const [path, { durable, pending }] of this.#files) {
      let bytes: Buffer = Buffer.from(durable);
      for (const operation of pending) bytes = survive(bytes, operation, keep);
      next.put(path, bytes);
    }
    return next;
  }

  step(): void {
    if (this.steps >= this.crashAt) throw new CrashError("the process is dead");
    this.steps += 1;
  }

  async open(path: string, access: Access): Promise<ImageFile> {
    const stored = this.#files.get(path);
    if (stored === undefined)
      throw new ImageError("image-missing", { file: path }, "it can't be opened (ENOENT)");
    return new MemoryFile(this, path, stored, access);
  }

  async openOrCreate(path: string): Promise<ImageFile> {
    if (!this.#files.has(path)) {
      this.step();
      this.put(path, new Uint8Array(0));
    }
    return this.open(path, "read-write");
  }

  async openIfThere(path: string, access: Access): Promise<ImageFile | undefined> {
    return this.#files.has(path) ? this.open(path, access) : undefined;
  }

  async remove(path: string): Promise<void> {
    this.step();
    this.#files.delete(path);
  }

  random(length: number): Uint8Array {
    return randomBytes(length);
  }

  async canonical(path: string): Promise<string> {
    return path;
  }

  async lock(file: ImageFile): Promise<ImageLock> {
    const path = await file.identity();
    if (this.#locked.has(path)) throw new ImageError("image-locked", { file: path }, "it is locked");
    this.#locked.add(path);
    return {
      release: async () => {
        this.#locked.delete(path);
      },
    };
  }
}

class MemoryFile implements ImageFile {
  readonly path: string;
  readonly #disk: MemoryDisk;
  readonly #stored: Stored;
  readonly #access: Access;

  constructor(disk: MemoryDisk, path: string, stored: Stored, access: Access) {
    this.#disk = disk;
    this.path = path;
    this.#stored = stored;
    this.#access = access;
  }

  async size(): Promise<number> {
    return this.#stored.content.length;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const { content } = this.#stored;
    if (position + length > content.length)
      throw new ImageError("image-truncated", { file: this.path, offset: content.length }, "it ends here");
    return Uint8Array.from(content.subarray(position, position + length));
  }

  async readEach(
    position: number,
    length: number,
    count: number,
  ): Promise<readonly [Uint8Array, ...Uint8Array[]]> {
    const first = await this.read(position, length);
    const whole = Math.min(count, Math.floor((this.#stored.content.length - position) / length));
    const more: Uint8Array[] = [];
    for (let index = 1; index < whole; index += 1)
      more.push(await this.read(position + index * length, length));
    return [first, ...more];
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    this.#disk.writes += 1;
    this.#change({ kind: "write", position, bytes: Uint8Array.from(bytes) }, position + bytes.length);
  }

  async truncate(length: number): Promise<void> {
    this.#change({ kind: "truncate", length }, length);
  }

  #change(operation: Operation, length: number): void {
    if (this.#access === "read-only") throw new Error(`${this.path} was opened read-only and is written`);
    this.#disk.step();
    if (length > this.#disk.limit && length > this.#stored.content.length)
      throw new ImageError("image-full", { file: this.path, offset: length }, "writing failed (ENOSPC)");
    this.#stored.content = applied(this.#stored.content, operation);
    this.#stored.pending.push(operation);
  }

  async sync(): Promise<void> {
    this.#disk.step();
    this.#stored.durable = Buffer.from(this.#stored.content);
    this.#stored.pending = [];
  }

  async identity(): Promise<string> {
    return this.path;
  }

  async close(): Promise<void> {}
}

function applied(bytes: Buffer, operation: Operation): Buffer {
  if (operation.kind === "truncate") {
    const next = Buffer.alloc(operation.length);
    bytes.copy(next);
    return next;
  }
  const end = operation.position + operation.bytes.length;
  const next =
    end > bytes.length ? Buffer.concat([bytes, Buffer.alloc(end - bytes.length)]) : Buffer.from(bytes);
  next.set(operation.bytes, operation.position);
  return next;
}

/** A write that was not synced may be there in any of its sectors. */
function survive(bytes: Buffer, operation: Operation, keep: () => boolean): Buffer {
  if (operation.kind === "truncate") return keep() ? applied(bytes, operation) : bytes;
  let next = bytes;
  let at = 0;
  while (at < operation.bytes.length) {
    const position = operation.position + at;
    const length = Math.min(sector - (position % sector), operation.bytes.length - at);
    if (keep())
      next = applied(next, { kind: "write", position, bytes: operation.bytes.subarray(at, at + length) });
    at += length;
  }
  return next;
}
