/**
 * The engine's first program: takes away from this process what an engine needs not, then becomes the engine (execve: same process,
 * same parent, same channel to the host). Landlock and capabilities are a thread's own; what is set before the new program begins
 * holds for all of its threads. CommonJS, because nothing may happen between the process's start and the execve: the event loop
 * would read the host's first messages, and they would be lost.
 *
 * Each measure is taken where the system has it. `PARHELION_SANDBOX_APPLIED` tells the engine which ones were.
 */
/** What is used of koffi; the library is optional, and without it the engine runs as it is. */
interface Koffi {
  load(path: string): { func(signature: string): unknown };
  errno(): number;
}

type Call = (...args: readonly unknown[]) => number;

const enterFs = require("node:fs") as typeof import("node:fs");
const enterPath = require("node:path") as typeof import("node:path");
const enterUrl = require("node:url") as typeof import("node:url");

/** Descriptors of an engine: a connection for each device, as many that have not said what they are, and the driver's own. */
const mostDescriptors = 8192n;
const rlimits = { core: [4, 0n], files: [7, mostDescriptors], messageQueues: [12, 0n] } as const;

const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
/** Kernels name about 41 capabilities; asking beyond the last one fails. */
const mostCapabilities = 64;
const CLONE_NEWUTS = 0x04000000;
const CLONE_NEWIPC = 0x08000000;
const CLONE_NEWNET = 0x40000000;
const F_SETFD = 2;
const CLOSE_RANGE_CLOEXEC = 4;

/** The same on every processor. */
const landlockCall = { createRuleset: 444, addRule: 445, restrictSelf: 446 } as const;
const LANDLOCK_CREATE_RULESET_VERSION = 1;
const LANDLOCK_RULE_PATH_BENEATH = 1;
const access = {
  execute: 1n << 0n,
  writeFile: 1n << 1n,
  readFile: 1n << 2n,
  readDirectory: 1n << 3n,
  removeFile: 1n << 5n,
  makeSocket: 1n << 9n,
  ioctl: 1n << 15n,
} as const;
/** Rights that each version knows, all of which are taken away unless a rule gives them. */
const accessOfVersion = [0n, 0x1fffn, 0x3fffn, 0x7fffn, 0x7fffn, 0xffffn] as const;
const bindAndConnect = 3n;
const abstractSocketsAndSignals = 3n;

const readOnly = access.readFile | access.readDirectory;
const programs = readOnly | access.execute;
const devices = access.readFile | access.writeFile | access.readDirectory | access.ioctl;
const ownDirectory = access.makeSocket | access.removeFile;

/** What Node, Dawn and the Vulkan loader with the drivers behind it read. */
const systemFiles: Readonly<Record<string, bigint>> = {
  "/usr": programs,
  "/lib": programs,
  "/lib32": programs,
  "/lib64": programs,
  "/bin": programs,
  "/nix/store": programs,
  "/opt": programs,
  "/run/opengl-driver": programs,
  "/etc/ld.so.cache": readOnly,
  "/etc/ld.so.conf": readOnly,
  "/etc/ld.so.conf.d": readOnly,
  "/etc/alternatives": readOnly,
  "/etc/ssl/openssl.cnf": readOnly,
  "/etc/localtime": readOnly,
  "/etc/vulkan": readOnly,
  "/etc/glvnd": readOnly,
  "/etc/egl": readOnly,
  "/etc/drirc": readOnly,
  "/etc/nvidia": readOnly,
  "/etc/OpenCL": readOnly,
  "/proc": readOnly,
  "/sys": readOnly,
  "/run/udev/data": readOnly,
  "/dev/null": devices,
  "/dev/zero": devices,
  "/dev/full": devices,
  "/dev/random": readOnly,
  "/dev/urandom": readOnly,
  "/dev/dri": devices,
  "/dev/kfd": devices,
  "/dev/udmabuf": devices,
  "/dev/dxg": devices,
  "/dev/nvidia-caps": devices,
};

function becomeEngine(): void {
  const engine = enterPath.join(__dirname, "..", "main.js");
  const koffi = process.platform === "linux" ? loadKoffiNow() : undefined;
  const channel = process.channel as unknown as { readonly fd?: unknown } | undefined;
  if (koffi === undefined || process.env["PARHELION_SANDBOX"] === "off" || typeof channel?.fd !== "number") {
    void import(enterUrl.pathToFileURL(engine).href);
    return;
  }
  const libc = koffi.load("libc.so.6");
  const bind = (signature: string): Call => libc.func(signature) as Call;
  const applied = applyMeasures(bind, enterFs.realpathSync(process.cwd()));
  process.chdir("/");
  const fcntl = bind("int fcntl(int fd, int command, int argument)");
  const closeRange = bind(
    "long syscall(long number, unsigned long first, unsigned long last, unsigned long flags)",
  );
  // Everything that was inherited, or is this program's own, ends here; then what the engine is given stays open.
  closeRange(436, 0, 0xffff_ffff, CLOSE_RANGE_CLOEXEC);
  for (const fd of [0, 1, 2, channel.fd]) fcntl(fd, F_SETFD, 0);
  const environment = Object.entries({
    ...process.env,
    NODE_CHANNEL_FD: String(channel.fd),
    NODE_CHANNEL_SERIALIZATION_MODE: "json",
    PARHELION_SANDBOX_APPLIED: applied.join(" "),
  }).map(([name, value]) => `${name}=${value}`);
  const execve = bind("int execve(const char *path, const char **argv, const char **envp)");
  execve(
    process.execPath,
    [process.execPath, ...process.execArgv, engine, ...whose(), null],
    [...environment, null],
  );
  process.stderr.write(`the engine cannot be started: execve failed with errno ${koffi.errno()}\n`);
  process.exit(71);
}

/** A later host finds what a killed one has left by this: the environment of a process that is not dumpable can't be read. */
function whose(): string[] {
  const mark = process.env["PARHELION_ENGINE_OF"];
  return mark === undefined ? [] : [`PARHELION_ENGINE_OF=${mark}`];
}

function loadKoffiNow(): Koffi | undefined {
  try {
    return require("koffi") as Koffi;
  } catch {
    return undefined;
  }
}

/** @param own the directory that the engine's socket will stand in. @returns the names of what holds from now on */
function applyMeasures(bind: (signature: string) => Call, own: string): string[] {
  const prctl = bind(
    "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)",
  );
  const applied: string[] = [];
  // First, because the directory tree as it is decides about nothing that comes after.
  if (process.geteuid?.() === 0) {
    const unshare = bind("int unshare(int flags)");
    if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) === 0) applied.push("namespaces");
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) === 0) applied.push("no-new-privileges");
  if (setLimits(bind)) applied.push("limits");
  const version = applyLandlock(bind, own);
  if (version > 0) applied.push(`landlock-${version}`);
  // Last: what is above may need them. They go with the execve, which gives no more than the bounding set.
  if (dropCapabilities(prctl)) applied.push("no-capabilities");
  return applied;
}

function setLimits(bind: (signature: string) => Call): boolean {
  const setrlimit = bind("int setrlimit(int resource, const void *limit)");
  return Object.values(rlimits)
    .map(([resource, most]) => setrlimit(resource, BigUint64Array.of(most, most)))
    .every((result) => result === 0);
}

function dropCapabilities(prctl: Call): boolean {
  if (!/^Cap(Eff|Prm|Amb|Inh):\s*0*[1-9a-f]/m.test(enterFs.readFileSync("/proc/self/status", "latin1")))
    return true;
  for (let number = 0; number < mostCapabilities; number++) {
    if (prctl(PR_CAPBSET_READ, number, 0, 0, 0) !== 1) continue;
    if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) !== 0) return false;
  }
  // A program started by root is given its bounding set, anybody else's only what it inherits.
  return process.geteuid?.() === 0;
}

/** @returns the version of Landlock that holds, 0: none */
function applyLandlock(bind: (signature: string) => Call, own: string): number {
  const create = bind(
    "long syscall(long number, const void *attributes, unsigned long size, unsigned long flags)",
  );
  const add = bind(
    "long syscall(long number, long ruleset, long type, const void *rule, unsigned long flags)",
  );
  const restrict = bind("long syscall(long number, long ruleset, unsigned long flags)");
  const version = Number(create(landlockCall.createRuleset, null, 0, LANDLOCK_CREATE_RULESET_VERSION));
  if (!(version >= 1)) return 0;
  const handled = accessOfVersion[Math.min(version, 5)] ?? 0n;
  const attributes = BigUint64Array.of(
    handled,
    version >= 4 ? bindAndConnect : 0n,
    version >= 6 ? abstractSocketsAndSignals : 0n,
  );
  const size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const ruleset = Number(create(landlockCall.createRuleset, attributes, size, 0));
  if (ruleset < 0) return 0;
  const rules: Record<string, bigint> = {
    ...systemFiles,
    ...nvidiaDevices(),
    ...ownFiles(),
    [own]: ownDirectory,
  };
  for (const [path, rights] of Object.entries(rules)) allow(add, ruleset, path, rights & handled);
  const result = Number(restrict(landlockCall.restrictSelf, ruleset, 0));
  enterFs.closeSync(ruleset);
  return result === 0 ? Math.min(version, 6) : 0;
}

/** A path that is not there needs no rule. */
function allow(add: Call, ruleset: number, path: string, rights: bigint): void {
  let fd: number;
  try {
    fd = enterFs.openSync(path, 0o10000000 /* O_PATH */);
  } catch {
    return;
  }
  const isDirectory = enterFs.fstatSync(fd).isDirectory();
  const rule = Buffer.alloc(12);
  // The kernel refuses rights that only directories have for anything else.
  rule.writeBigUInt64LE(
    isDirectory ? rights : rights & (access.execute | access.writeFile | access.readFile | access.ioctl),
  );
  rule.writeInt32LE(fd, 8);
  add(landlockCall.addRule, ruleset, LANDLOCK_RULE_PATH_BENEATH, rule, 0);
  enterFs.closeSync(fd);
}

function nvidiaDevices(): Record<string, bigint> {
  const names = enterFs.readdirSync("/dev").filter((name) => name.startsWith("nvidia"));
  return Object.fromEntries(names.map((name) => [`/dev/${name}`, devices]));
}

/** Node, the engine and its dependencies; and the drivers that the environment names. */
function ownFiles(): Record<string, bigint> {
  const found: Record<string, bigint> = {};
  const add = (path: string, rights: bigint): void => {
    if (enterPath.isAbsolute(path) && path !== "/" && enterFs.existsSync(path))
      found[enterFs.realpathSync(path)] = rights;
  };
  add(process.execPath, programs);
  add(enterPath.join(enterPath.dirname(process.execPath), "..", "lib"), readOnly);
  addPackage(enterPath.join(__dirname, "..", ".."), add);
  const { env } = process;
  for (const directory of (env["LD_LIBRARY_PATH"] ?? "").split(":")) add(directory, programs);
  for (const list of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES", "VK_LAYER_PATH"])
    for (const path of (env[list] ?? "").split(":")) add(enterPath.dirname(path), readOnly);
  for (const base of [
    env["XDG_CONFIG_HOME"],
    env["XDG_DATA_HOME"],
    ...(env["HOME"] === undefined ? [] : [`${env["HOME"]}/.config`, `${env["HOME"]}/.local/share`]),
  ])
    if (base !== undefined) add(enterPath.join(base, "vulkan"), readOnly);
  return found;
}

/** A package and all that it depends on, wherever a package manager has put them and linked them from. */
function addPackage(
  directory: string,
  add: (path: string, rights: bigint) => void,
  seen = new Set<string>(),
): void {
  const real = enterFs.realpathSync(directory);
  if (seen.has(real)) return;
  seen.add(real);
  add(real, readOnly);
  const described = JSON.parse(enterFs.readFileSync(enterPath.join(real, "package.json"), "utf8")) as Record<
    "dependencies" | "optionalDependencies",
    Readonly<Record<string, string>> | undefined
  >;
  for (const name of Object.keys({ ...described.dependencies, ...described.optionalDependencies })) {
    // These unpack the software adapter, which has happened by now.
    if (name === "@sparticuz/chromium" || name === "tar-stream") continue;
    for (let at = real; ; at = enterPath.dirname(at)) {
      const found = enterPath.join(at, "node_modules", name);
      if (enterFs.existsSync(found)) addPackage(found, add, seen);
      if (enterFs.existsSync(found) || at === enterPath.dirname(at)) break;
    }
  }
}

becomeEngine();
