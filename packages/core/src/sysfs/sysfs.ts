/**
 * The system as the tree that Linux shows under /sys, computed when somebody looks: a path is found in as many steps
 * as it has names, a list costs what is in that directory, and nothing is kept for devices that nobody looks at.
 *
 * Paths are absolute and start with /sys. On the way links are followed; at the end `list`, `read` and `write` follow
 * them and `stat`, `readlink` and `walk` do not.
 */
import { attributeLimit, byteLength } from "../attribute.js";
import type { ErrnoCode } from "../errno.js";
import { KernelError } from "../error.js";
import type { WaitOptions } from "../runtime.js";
import { busesDirectory } from "./bus-directory.js";
import { classesDirectory } from "./class-directory.js";
import { DeviceEntries } from "./device-directory.js";
import { directoryOf, type SysfsDirectory, type SysfsEntry } from "./entry.js";
import { numbersDirectory } from "./numbers-directory.js";
import { type SysfsSource, sysfsRoot } from "./source.js";

export interface SysfsStat {
  readonly kind: SysfsEntry["kind"];
  /** Permission bits. */
  readonly mode: number;
}

export interface SysfsVisit extends SysfsStat {
  readonly path: string;
}

/** What every call can answer: ENOENT, ENOTDIR, and for paths without end ELOOP and ENAMETOOLONG. */
export class Sysfs {
  readonly #root: SysfsDirectory;

  constructor(source: SysfsSource) {
    const devices = new DeviceEntries(source);
    this.#root = directoryOf({
      bus: busesDirectory(source),
      class: classesDirectory(source),
      dev: numbersDirectory(source),
      devices: devices.root(),
    });
  }

  /** The names in a directory. @throws KernelError ENOTDIR, and as every call */
  list(path: string): readonly string[] {
    const { entry } = this.#find(path, "follow");
    if (entry.kind !== "directory") throw refused("ENOTDIR", path, "is not a directory");
    return [...new Set(entry.names())];
  }

  stat(path: string): SysfsStat {
    return statOf(this.#find(path, "stop").entry);
  }

  /** Whether anything stands there; a link may lead nowhere. */
  has(path: string): boolean {
    try {
      this.#find(path, "stop");
      return true;
    } catch {
      return false;
    }
  }

  /** Where a link leads, relative to the directory that it is in. @throws KernelError EINVAL no link */
  readlink(path: string): string {
    const { at, entry } = this.#find(path, "stop");
    if (entry.kind !== "link") throw refused("EINVAL", path, "is not a link");
    return relative(at.slice(0, -1), entry.target.split("/").slice(1));
  }

  /** The path without links, `.` and `..`. */
  realpath(path: string): string {
    return `/${this.#find(path, "follow").at.join("/")}`;
  }

  /**
   * @throws KernelError EISDIR, EACCES the mode forbids it, EIO it can't be read, ENODEV it is being removed, and what
   * reading it throws
   */
  async read(path: string, options?: WaitOptions): Promise<string> {
    const file = this.#file(path);
    if ((file.mode & 0o444) === 0) throw refused("EACCES", path, "has a mode without read");
    if (file.read === undefined) throw refused("EIO", path, "can't be read");
    return file.read(options);
  }

  /**
   * @returns how many bytes were taken
   * @throws KernelError EISDIR, EACCES the mode forbids it, EIO it can't be written, EINVAL too much or not understood,
   * ENODEV it is being removed, and what writing it throws
   */
  async write(path: string, text: string, options?: WaitOptions): Promise<number> {
    const file = this.#file(path);
    if ((file.mode & 0o222) === 0) throw refused("EACCES", path, "has a mode without write");
    if (file.write === undefined) throw refused("EIO", path, "can't be written");
    const bytes = byteLength(text);
    if (bytes >= attributeLimit) {
      const why = `takes at most ${attributeLimit - 1} bytes, not ${bytes}; write less`;
      throw refused("EINVAL", path, why);
    }
    return (await file.write(text, options)) ?? bytes;
  }

  /** What is at the path and under it, parents first. What goes meanwhile is left out. */
  *walk(path: string): Generator<SysfsVisit> {
    const { at, entry } = this.#find(path, "stop");
    yield* walkFrom(`/${at.join("/")}`, entry);
  }

  #file(path: string): SysfsEntry & { kind: "file" } {
    const { entry } = this.#find(path, "follow");
    if (entry.kind === "file") return entry;
    throw refused("EISDIR", path, "is a directory");
  }

  #find(path: string, lastLink: "follow" | "stop"): { at: readonly string[]; entry: SysfsEntry } {
    if (path.length >= longestPath) {
      throw new KernelError(
        "ENAMETOOLONG",
        `a path of ${path.length}; at most ${longestPath - 1} are walked`,
      );
    }
    if (path !== sysfsRoot && !path.startsWith(`${sysfsRoot}/`)) {
      throw refused("ENOENT", path, `does not start with ${sysfsRoot}`);
    }
    // Names still to walk, the next one last.
    const names = path.split("/").slice(2).reverse();
    let links = 0;
    let at: [name: string, entry: SysfsEntry][] = [["sys", this.#root]];
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const [, parent] = at.at(-1) as [string, SysfsEntry];
      if (parent.kind !== "directory") throw refused("ENOTDIR", path, `goes through ${at.at(-1)?.[0]}`);
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (at.length > 1) at.pop();
        continue;
      }
      const entry = parent.get(name);
      if (entry === undefined) throw refused("ENOENT", path, `there is no ${name}`);
      if (entry.kind === "link" && (names.length > 0 || lastLink === "follow")) {
        links += 1;
        if (links > mostLinks) throw refused("ELOOP", path, `goes through more than ${mostLinks} links`);
        names.push(...entry.target.split("/").slice(2).reverse());
        at = [["sys", this.#root]];
      } else at.push([name, entry]);
    }
    const [, entry] = at.at(-1) as [string, SysfsEntry];
    return { at: at.map(([name]) => name), entry };
  }
}

/** PATH_MAX, and as many links as a path may go through (include/linux/namei.h, MAXSYMLINKS). */
const longestPath = 4096;
const mostLinks = 40;

function* walkFrom(path: string, entry: SysfsEntry): Generator<SysfsVisit> {
  yield { path, ...statOf(entry) };
  if (entry.kind !== "directory") return;
  for (const name of new Set(entry.names())) {
    const child = entry.get(name);
    if (child !== undefined) yield* walkFrom(`${path}/${name}`, child);
  }
}

function statOf(entry: SysfsEntry): SysfsStat {
  const mode = entry.kind === "file" ? entry.mode : entry.kind === "link" ? 0o777 : 0o755;
  return { kind: entry.kind, mode };
}

/** As Linux writes it: the target's own name always stands in it, even in a link to a directory that it is under. */
function relative(from: readonly string[], to: readonly string[]): string {
  let common = 0;
  while (common < from.length && common < to.length - 1 && from[common] === to[common]) common += 1;
  return [...from.slice(common).map(() => ".."), ...to.slice(common)].join("/");
}

function refused(code: ErrnoCode, path: string, why: string): KernelError {
  return new KernelError(code, `${path}: ${why}`);
}
