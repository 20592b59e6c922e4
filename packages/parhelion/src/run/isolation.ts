/**
 * How a guest's command is shut in. Three levels, chosen by trying them (a tool that is installed may still be forbidden
 * by the machine), each saying what holds and what is weaker, because a sandbox that is thinner than its user believes is
 * worse than none.
 */
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";

export type IsolationLevel = "bubblewrap" | "namespaces" | "none";

export interface Isolation {
  readonly level: IsolationLevel;
  /** What this level guarantees, one sentence each. */
  readonly holds: readonly string[];
  /** What a stronger level would add, one sentence each; empty for the strongest. */
  readonly weaker: readonly string[];
}

/** What the command may see of the machine's files. All paths absolute. */
export interface Visible {
  /** The guest's run directory: sockets in it can be connected to. */
  readonly runDirectory: string;
  readonly readOnly: readonly string[];
  readonly writable: readonly string[];
  /** Directories that stay hidden where a parent of theirs is visible: a socket can be connected to through a read-only mount. */
  readonly hidden?: readonly string[];
  readonly workingDirectory: string;
}

const DEVICES = ["null", "zero", "full", "random", "urandom"];

const LEVELS: Readonly<Record<IsolationLevel, Isolation>> = {
  bubblewrap: {
    level: "bubblewrap",
    holds: [
      "no network",
      "no host devices",
      "only the run directory, the program and the system's libraries are visible, all but the run directory read-only",
      "the host's processes are invisible",
    ],
    weaker: [],
  },
  namespaces: {
    level: "namespaces",
    holds: ["no network", "no host devices", "the host's processes are invisible"],
    weaker: [
      "the host's files stay visible and, to the same user, writable: install bubblewrap (apt-get install bubblewrap) to hide them",
    ],
  },
  none: {
    level: "none",
    holds: ["the command gets the run directory and nothing else of Parhelion"],
    weaker: [
      "network, host devices, files and processes stay visible: install bubblewrap (apt-get install bubblewrap), and allow it user namespaces",
    ],
  },
};

export function isolationOf(level: IsolationLevel): Isolation {
  return LEVELS[level];
}

function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore", timeout: 5_000 }).status === 0;
}

/** The strongest level that really works on this machine, found by running `true` in it. Takes some 50 ms. */
export function strongestIsolation(): Isolation {
  const probe: Visible = { runDirectory: "/tmp", readOnly: [], writable: [], workingDirectory: "/" };
  for (const level of ["bubblewrap", "namespaces"] as const) {
    const [command, ...args] = isolatedCommand(level, probe, ["true"]);
    if (command !== undefined && succeeds(command, args)) return LEVELS[level];
  }
  return LEVELS.none;
}

/** The command line that runs `command` at `level`. */
export function isolatedCommand(
  level: IsolationLevel,
  visible: Visible,
  command: readonly string[],
): string[] {
  switch (level) {
    case "bubblewrap":
      // Through a shell, for its exit statuses: bwrap itself has 1 for whatever it can't start.
      return ["bwrap", ...bubblewrapArguments(visible), "--", "sh", "-c", 'exec "$@"', "sh", ...command];
    case "namespaces":
      return [...unshareCommand(), "sh", "-c", namespaceScript(), "sh", visible.workingDirectory, ...command];
    case "none":
      return [...command];
  }
}

function bubblewrapArguments(visible: Visible): string[] {
  const args = [
    "--unshare-all",
    "--die-with-parent",
    "--new-session",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--tmpfs",
    "/tmp",
  ];
  for (const path of [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/alternatives",
  ]) {
    if (!existsSync(path)) continue;
    if (lstatSync(path).isSymbolicLink()) args.push("--symlink", readlinkSync(path), path);
    else args.push("--ro-bind", path, path);
  }
  // The program may live anywhere: under nvm in a home directory, say.
  if (!process.execPath.startsWith("/usr/")) {
    const prefix = dirname(dirname(process.execPath));
    args.push("--ro-bind", prefix, prefix);
  }
  // All of "/" would cover what was put in place above.
  const readOnly = visible.readOnly.filter((path) => path !== "/");
  for (const path of parentsFirst(readOnly)) args.push("--ro-bind", path, path);
  for (const path of parentsFirst(visible.writable)) args.push("--bind", path, path);
  for (const path of visible.hidden ?? []) args.push("--tmpfs", path);
  args.push("--bind", visible.runDirectory, visible.runDirectory, "--chdir", visible.workingDirectory);
  return args;
}

/** A bind of a parent after its child would cover it. */
function parentsFirst(paths: readonly string[]): string[] {
  return [...new Set(paths)].sort((a, b) => a.length - b.length);
}

function unshareCommand(): string[] {
  const asRoot = process.getuid?.() === 0;
  return [
    "unshare",
    ...(asRoot ? [] : ["--map-root-user"]),
    "--mount",
    "--net",
    "--pid",
    "--ipc",
    "--uts",
    "--fork",
    "--kill-child",
    "--mount-proc",
  ];
}

/**
 * Replaces /dev by one with harmless nodes only, then runs the command. `$1` is the working directory. The shell stays, because the
 * first process of a pid namespace gets no signal that it does not handle.
 */
function namespaceScript(): string {
  return [
    "set -e",
    "d=$(mktemp -d)",
    'mount -t tmpfs -o mode=755 tmpfs "$d"',
    ...DEVICES.map((name) => `: > "$d/${name}"; mount --bind /dev/${name} "$d/${name}"`),
    'mkdir "$d/shm"; mount -t tmpfs -o mode=1777 tmpfs "$d/shm"',
    'ln -s /proc/self/fd "$d/fd"; ln -s fd/0 "$d/stdin"; ln -s fd/1 "$d/stdout"; ln -s fd/2 "$d/stderr"',
    'mount --move "$d" /dev',
    'rmdir "$d"',
    'cd "$1"; shift',
    "set +e",
    '"$@"',
    'exit "$?"',
  ].join("\n");
}
