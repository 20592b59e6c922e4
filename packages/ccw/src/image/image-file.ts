/**
 * The one way an image's code reaches a file: whole reads and writes at a position, and an explicit sync. Nothing else opens a file, so
 * that a test can stand between and lose what was not synced.
 */
import { randomBytes } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open, realpath, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { ImageError } from "./error.js";
import { type ImageLock, lockForWriting } from "./lock.js";

export type Access = "read-only" | "read-write";

export interface ImageFile {
  readonly path: string;
  size(): Promise<number>;
  /** Exactly `length` bytes. @throws ImageError image-truncated where the file ends before */
  read(position: number, length: number): Promise<Uint8Array>;
  /**
   * Pieces that follow each other, each in memory of its own, as many of them as are there whole.
   * @throws ImageError image-truncated where the file ends before the end of the first
   */
  readEach(position: number, length: number, count: number): Promise<readonly [Uint8Array, ...Uint8Array[]]>;
  /** All of `bytes`. @throws ImageError image-full, image-io */
  write(position: number, bytes: Uint8Array): Promise<void>;
  truncate(length: number): Promise<void>;
  /** Returns once what was written before survives a crash of the machine. */
  sync(): Promise<void>;
  /** Of this very file, whatever is at its path by now: no other file on the machine has the same while it is open. */
  identity(): Promise<string>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Where images and their journals are: a directory of files. */
export interface ImageDisk {
  open(path: string, access: Access): Promise<ImageFile>;
  /** Empty if it is new; the directory's entry is durable when this returns. */
  openOrCreate(path: string): Promise<ImageFile>;
  /** Undefined where there is no such file. */
  openIfThere(path: string, access: Access): Promise<ImageFile | undefined>;
  /** Durable when it returns; no error where there is none. */
  remove(path: string): Promise<void>;
  /** So many bytes that nobody can know before. */
  random(length: number): Uint8Array;
  /** Where the file really is, through symbolic links: what belongs to it lies beside it there. */
  canonical(path: string): Promise<string>;
  /** One at a time has it, in this process or any other. @throws ImageError image-locked */
  lock(file: ImageFile): Promise<ImageLock>;
}

export class HostDisk implements ImageDisk {
  async open(path: string, access: Access): Promise<ImageFile> {
    const handle = await opened(path, access === "read-only" ? constants.O_RDONLY : constants.O_RDWR);
    let found: BigIntStats;
    try {
      found = await handle.stat({ bigint: true });
    } catch (error) {
      await handle.close();
      throw failed(path, "looking at it", error);
    }
    if (!found.isFile()) {
      await handle.close();
      throw new ImageError("image-missing", { file: path }, "it is no regular file");
    }
    return new HostFile(path, handle);
  }

  async openOrCreate(path: string): Promise<ImageFile> {
    const handle = await opened(path, constants.O_RDWR | constants.O_CREAT);
    try {
      await syncDirectory(path);
    } catch (error) {
      await handle.close();
      throw failed(path, "keeping its name", error);
    }
    return new HostFile(path, handle);
  }

  async openIfThere(path: string, access: Access): Promise<ImageFile | undefined> {
    try {
      return await this.open(path, access);
    } catch (error) {
      if (codeOf((error as Error).cause) === "ENOENT") return undefined;
      throw error;
    }
  }

  async remove(path: string): Promise<void> {
    try {
      await unlink(path);
      await syncDirectory(path);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw failed(path, "removing it", error);
    }
  }

  random(length: number): Uint8Array {
    return randomBytes(length);
  }

  async canonical(path: string): Promise<string> {
    try {
      return await realpath(path);
    } catch (error) {
      throw failed(path, "finding where it is", error);
    }
  }

  async lock(file: ImageFile): Promise<ImageLock> {
    return lockForWriting(file.path, await file.identity());
  }
}

class HostFile implements ImageFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #closing: Promise<void> | undefined;

  constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  async size(): Promise<number> {
    try {
      return (await this.#handle.stat()).size;
    } catch (error) {
      throw failed(this.path, "asking for its size", error);
    }
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const [bytes] = await this.readEach(position, length, 1);
    return bytes;
  }

  async readEach(
    position: number,
    length: number,
    count: number,
  ): Promise<readonly [Uint8Array, ...Uint8Array[]]> {
    const first = unfilled(length);
    const more = Array.from({ length: count - 1 }, () => unfilled(length));
    const there = await this.#fill(position, more.length === 0 ? first : [first, ...more]);
    if (there < length) await this.#rest(position, first, there);
    return [first, ...more.slice(0, Math.max(0, Math.floor(there / length) - 1))];
  }

  /** @returns how many bytes one read has filled */
  async #fill(position: number, buffers: Uint8Array | readonly Uint8Array[]): Promise<number> {
    try {
      const { bytesRead } = await (buffers instanceof Uint8Array
        ? this.#handle.read(buffers, 0, buffers.length, position)
        : this.#handle.readv(buffers, position));
      return bytesRead;
    } catch (error) {
      throw failed(this.path, "reading", error, position);
    }
  }

  async #rest(position: number, bytes: Uint8Array, from: number): Promise<void> {
    for (let done = from; done < bytes.length; ) {
      const count = await this.#fill(position + done, bytes.subarray(done));
      if (count === 0)
        throw new ImageError(
          "image-truncated",
          { file: this.path, offset: position + done },
          `the file ends here; ${bytes.length - done} more bytes should follow`,
        );
      done += count;
    }
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      try {
        const rest = bytes.length - done;
        done += (await this.#handle.write(bytes, done, rest, position + done)).bytesWritten;
      } catch (error) {
        throw failed(this.path, "writing", error, position + done);
      }
    }
  }

  async truncate(length: number): Promise<void> {
    try {
      await this.#handle.truncate(length);
    } catch (error) {
      throw failed(this.path, "setting its length", error, length);
    }
  }

  async sync(): Promise<void> {
    try {
      await this.#handle.datasync();
    } catch (error) {
      throw failed(this.path, "making it durable", error);
    }
  }

  async identity(): Promise<string> {
    try {
      const { dev, ino } = await this.#handle.stat({ bigint: true });
      return `${dev}:${ino}`;
    } catch (error) {
      throw failed(this.path, "looking at it", error);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#handle.close();
    return this.#closing;
  }
}

/** Memory with whatever was in it: it is handed out filled, or not at all. */
function unfilled(length: number): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(length);
  return new Uint8Array(buffer, byteOffset, length);
}

async function opened(path: string, flags: number): Promise<FileHandle> {
  try {
    // A pipe that nobody has at its other end would keep it waiting.
    return await open(path, flags | constants.O_NONBLOCK, 0o666);
  } catch (error) {
    throw new ImageError(
      "image-missing",
      { file: path },
      `it can't be opened (${codeOf(error) ?? String(error)})`,
      {
        cause: error,
      },
    );
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function failed(file: string, what: string, error: unknown, offset?: number): ImageError {
  const code = codeOf(error);
  const full = code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
  return new ImageError(
    full ? "image-full" : "image-io",
    { file, ...(offset === undefined ? {} : { offset }) },
    `${what} failed (${code ?? String(error)})`,
    { cause: error },
  );
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
