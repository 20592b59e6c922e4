// A GPU for machines that have none. `@sparticuz/chromium` carries SwiftShader, a Vulkan device that runs on the
// CPU, and a Vulkan loader, so neither root nor a system package is needed. They come compressed; Dawn wants
// files. This module keeps the unpacked files in a cache directory and tells the environment in which an engine
// process finds them.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, lstat, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar-stream";
import type { SoftwareAdapterErrorCode } from "./error-codes.js";

export type { SoftwareAdapterErrorCode } from "./error-codes.js";

export class SoftwareAdapterError extends Error {
  readonly code: SoftwareAdapterErrorCode;

  constructor(code: SoftwareAdapterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SoftwareAdapterError";
    this.code = code;
  }
}

/** The compressed tar that holds SwiftShader, and the version that keys the cache. */
export interface SoftwareAdapterArchive {
  readonly path: string;
  readonly version: string;
}

export interface SoftwareAdapterOptions {
  /** Directory to keep unpacked files in. With it there is no fallback: it works or the call fails. */
  readonly cacheRoot?: string;
  /** Environment that `XDG_CACHE_HOME`, `HOME`, `TMPDIR` and `LD_LIBRARY_PATH` are read from. Default: this process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Default: the archive in the installed `@sparticuz/chromium`. */
  readonly archive?: SoftwareAdapterArchive;
  /** `process.platform` and `process.arch` joined by a hyphen. Default: this process's. */
  readonly platform?: string;
}

export interface SoftwareAdapter {
  /** What to add to an engine process's environment before it loads Dawn. */
  readonly env: {
    readonly VK_DRIVER_FILES: string;
    readonly VK_ICD_FILENAMES: string;
    readonly LD_LIBRARY_PATH: string;
  };
  /** The directory that holds the driver and the loader. */
  readonly directory: string;
  readonly version: string;
  /** Whether this call found the files intact or had to unpack them. */
  readonly origin: "cached" | "unpacked";
}

const SUPPORTED_PLATFORM = "linux-x64";
const DRIVER_MANIFEST = "vk_swiftshader_icd.json";
/** The archive holds OpenGL libraries as well; Dawn has no use for them. */
const WANTED: readonly string[] = ["libvk_swiftshader.so", "libvulkan.so.1", DRIVER_MANIFEST];
/** Digests of the unpacked files; written last, so that its presence says "complete". */
const DIGESTS = "sha256.json";

type Digests = Readonly<Record<string, string>>;

/**
 * Makes SwiftShader's files available and returns the environment to start an engine process with.
 *
 * Safe to call from many processes at once: each unpacks beside the cache and puts every file in place by a
 * rename, and all of them put the same bytes. Damaged or missing files are replaced.
 *
 * The libraries need glibc, libm, libpthread, libdl and libgcc_s; Node's own binary needs the same.
 *
 * @throws {SoftwareAdapterError} see {@link SoftwareAdapterErrorCode}
 */
export async function prepareSoftwareAdapter(options: SoftwareAdapterOptions = {}): Promise<SoftwareAdapter> {
  const platform = options.platform ?? `${process.platform}-${process.arch}`;
  if (platform !== SUPPORTED_PLATFORM) {
    throw new SoftwareAdapterError(
      "SOFTWARE_ADAPTER_PLATFORM",
      `no software adapter for ${platform}: @sparticuz/chromium carries SwiftShader for ${SUPPORTED_PLATFORM} only. ` +
        "Install a Vulkan driver that runs on the CPU and name its manifest in VK_DRIVER_FILES.",
    );
  }
  const environment = options.environment ?? process.env;
  const archive = options.archive ?? (await locateArchive());
  const roots = options.cacheRoot === undefined ? defaultCacheRoots(environment) : [options.cacheRoot];
  const refusals: string[] = [];
  for (const root of roots) {
    const directory = join(root, `swiftshader-${archive.version}`);
    try {
      const origin = await fill(root, directory, archive);
      return { env: adapterEnvironment(directory, environment), directory, version: archive.version, origin };
    } catch (error) {
      if (error instanceof SoftwareAdapterError) {
        throw error;
      }
      refusals.push(`${directory}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new SoftwareAdapterError(
    "SOFTWARE_ADAPTER_CACHE",
    `cannot keep SwiftShader's files (about 7 MB): ${refusals.join("; ")}. ` +
      "Point XDG_CACHE_HOME at a directory that this user can write.",
  );
}

function adapterEnvironment(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): SoftwareAdapter["env"] {
  const manifest = join(directory, DRIVER_MANIFEST);
  const inherited = environment["LD_LIBRARY_PATH"];
  return {
    // VK_DRIVER_FILES outranks the older VK_ICD_FILENAMES: were only the latter set, an inherited value of the
    // former would choose another driver; and loaders before 1.3.207 know only the latter.
    VK_DRIVER_FILES: manifest,
    VK_ICD_FILENAMES: manifest,
    LD_LIBRARY_PATH: inherited ? `${directory}${delimiter}${inherited}` : directory,
  };
}

function defaultCacheRoots(environment: Readonly<Record<string, string | undefined>>): string[] {
  const configured = environment["XDG_CACHE_HOME"];
  const home = environment["HOME"] || homedir();
  // The XDG base directory specification says to ignore relative paths.
  const cache = configured && isAbsolute(configured) ? configured : join(home, ".cache");
  return [
    join(cache, "parhelion"),
    join(environment["TMPDIR"] || tmpdir(), `parhelion-${process.getuid?.() ?? "user"}`),
  ];
}

async function locateArchive(): Promise<SoftwareAdapterArchive> {
  try {
    const require = createRequire(import.meta.url);
    // The package's `exports` hide its package.json and its archives: walk up from its entry point.
    let directory = dirname(require.resolve("@sparticuz/chromium"));
    while (!(await isPackageRoot(directory))) {
      const parent = dirname(directory);
      if (parent === directory) {
        throw new Error("its package.json is missing");
      }
      directory = parent;
    }
    const description = JSON.parse(await readFile(join(directory, "package.json"), "utf8")) as {
      version: string;
    };
    const path = join(directory, "bin", "swiftshader.tar.br");
    await lstat(path);
    return { path, version: description.version };
  } catch (error) {
    throw new SoftwareAdapterError(
      "SOFTWARE_ADAPTER_PACKAGE",
      `SwiftShader's archive was not found in @sparticuz/chromium (${String(error)}). Install the package's version that parhelion-engine names.`,
      { cause: error },
    );
  }
}

async function isPackageRoot(directory: string): Promise<boolean> {
  try {
    const description: unknown = JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
    return (description as { name?: unknown }).name === "@sparticuz/chromium";
  } catch {
    return false;
  }
}

async function fill(
  root: string,
  directory: string,
  archive: SoftwareAdapterArchive,
): Promise<SoftwareAdapter["origin"]> {
  await refuseForeign(root);
  await refuseForeign(directory);
  if (await isIntact(directory)) {
    return "cached";
  }
  await makeDirectory(directory);
  await refuseForeign(root);
  await refuseForeign(directory);
  const staging = await mkdtemp(join(root, "unpacking-"));
  try {
    const digests = await unpack(archive, staging);
    await writeFile(join(staging, DIGESTS), JSON.stringify(digests));
    // File by file rather than the directory as a whole: a rename over a file replaces it without a moment in
    // which another process finds nothing, and a library that someone has mapped stays as it is.
    for (const name of [...WANTED, DIGESTS]) {
      await rename(join(staging, name), join(directory, name));
    }
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return "unpacked";
}

/** Not `mkdir`'s `recursive`: where a directory answers ENOENT to every name, as /proc does, that never returns. */
async function makeDirectory(directory: string): Promise<void> {
  const make = () => mkdir(directory, { mode: 0o700 });
  await make().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && !(await exists(dirname(directory)))) {
      await makeDirectory(dirname(directory));
      await make().catch(unlessExists);
    } else {
      unlessExists(error);
    }
  });
}

function unlessExists(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") {
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/**
 * The engine runs what lies in the cache, so nobody else may have put it there: a directory in a shared temporary
 * directory can be made by any user first.
 */
async function refuseForeign(directory: string): Promise<void> {
  const uid = process.getuid?.();
  const status = await lstat(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") {
      return undefined;
    }
    throw error;
  });
  if (status === undefined || uid === undefined) {
    return;
  }
  if (!status.isDirectory()) {
    throw new Error("not a directory");
  }
  if (status.uid !== uid) {
    throw new Error(`owned by user ${status.uid}, not by user ${uid}`);
  }
  if ((status.mode & 0o022) !== 0) {
    await chmod(directory, status.mode & 0o755);
  }
}

async function isIntact(directory: string): Promise<boolean> {
  try {
    const digests = JSON.parse(await readFile(join(directory, DIGESTS), "utf8")) as Digests;
    for (const name of WANTED) {
      if (sha256(await readFile(join(directory, name))) !== digests[name]) {
        return false;
      }
    }
    return true;
  } catch {
    return false;
  }
}

async function unpack(archive: SoftwareAdapterArchive, into: string): Promise<Digests> {
  const digests: Record<string, string> = {};
  const entries = extract();
  const feeding = pipeline(createReadStream(archive.path), createBrotliDecompress(), entries);
  // The loop below reports the failure; this only keeps it from being unhandled meanwhile.
  feeding.catch(() => undefined);
  try {
    for await (const entry of entries) {
      const { name, type } = entry.header;
      if (type !== "file" || !WANTED.includes(name)) {
        entry.resume();
        continue;
      }
      const chunks: Buffer[] = [];
      for await (const chunk of entry) {
        chunks.push(chunk as Buffer);
      }
      const content = Buffer.concat(chunks);
      digests[name] = sha256(content);
      await writeFile(join(into, name), content, { mode: 0o600 });
    }
    await feeding;
  } catch (error) {
    if (isFileSystemRefusal(error)) {
      throw error;
    }
    throw damagedArchive(archive, String(error), error);
  }
  const missing = WANTED.filter((name) => digests[name] === undefined);
  if (missing.length > 0) {
    throw damagedArchive(archive, `it lacks ${missing.join(", ")}`);
  }
  return digests;
}

function isFileSystemRefusal(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function damagedArchive(archive: SoftwareAdapterArchive, why: string, cause?: unknown): SoftwareAdapterError {
  return new SoftwareAdapterError(
    "SOFTWARE_ADAPTER_ARCHIVE",
    `${archive.path} cannot be unpacked: ${why}. Install @sparticuz/chromium again.`,
    { cause },
  );
}

function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
