/** A Unix socket's path to listen at: one that a server before left behind, which nobody listens at any more, is taken over. */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { connect, type Server } from "node:net";
import { dirname, join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { KernelError } from "parhelion-core";

/** sizeof(sockaddr_un.sun_path), less the NUL. */
const maxPathBytes = 107;
/** Of Linux; Node has no name for it. */
const O_PATH = 0x20_0000;

/**
 * Only for this user, from the first moment on, until somebody changes the mode. (In a worker thread, which can't set the umask, a
 * moment later than the first.)
 * @param failed what comes to nothing later is one connection (no descriptors are left, say): the next one may do
 * @throws KernelError EINVAL, ENAMETOOLONG, EBUSY somebody listens there, or it is no socket; and the system's error
 */
export async function listenAt(
  server: Server,
  path: string,
  failed: (error: Error) => void = () => undefined,
): Promise<void> {
  check(path);
  try {
    await tryListen(server, path);
  } catch (error) {
    if (!isCode(error, "EADDRINUSE")) throw error;
    await removeLeft(path, error);
    await tryListen(server, path);
  }
  server.on("error", failed);
  try {
    chmodSync(path, 0o600);
  } catch (error) {
    server.close();
    throw error;
  }
}

function check(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes === 0 || bytes > maxPathBytes)
    throw new KernelError(
      "ENAMETOOLONG",
      `socket path ${path}: ${bytes} bytes; 1 … ${maxPathBytes} are possible`,
    );
  if (path.includes("\0"))
    throw new KernelError("EINVAL", `socket path ${JSON.stringify(path)}: a file's path has no NUL`);
}

function tryListen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error);
    server.once("error", failed);
    // `listen` makes the file before it returns. Directories that others make meanwhile stay usable.
    const before = isMainThread ? process.umask(0o077) : undefined;
    try {
      server.listen(path, () => {
        server.off("error", failed);
        resolve();
      });
    } finally {
      if (before !== undefined) process.umask(before);
    }
  });
}

/** Removes a socket that nobody listens at, and nothing else, whatever comes to its place meanwhile. @throws KernelError EBUSY */
async function removeLeft(path: string, cause: unknown): Promise<void> {
  const busy = (why: string): KernelError =>
    new KernelError("EBUSY", `socket path ${path}: ${why}; take another one`, { cause });
  const held = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const { dev, ino, ...left } = fstatSync(held, { bigint: true });
    if ((left.mode & BigInt(constants.S_IFMT)) !== BigInt(constants.S_IFSOCK))
      throw busy("there is something else");
    if (await isAnswered(path)) throw busy("a server listens there");
    // Whoever has come to its place since is put back. The number is not another file's as long as this one is held.
    const aside = mkdtempSync(join(dirname(path), ".left-"));
    try {
      const moved = join(aside, "socket");
      renameSync(path, moved);
      const found = lstatSync(moved, { bigint: true });
      if (found.dev === dev && found.ino === ino) return;
      linkSync(moved, path);
      throw busy("a server has just come");
    } finally {
      rmSync(aside, { recursive: true });
    }
  } finally {
    closeSync(held);
  }
}

/** Only one that refuses counts as left behind. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => resolve(!isCode(error, "ECONNREFUSED")));
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
