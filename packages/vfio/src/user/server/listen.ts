/** A Unix socket's path to listen at: one that a server before left behind, which nobody listens at any more, is taken over. */
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { KernelError } from "parhelion-core";

/** sizeof(sockaddr_un.sun_path), less the NUL. */
const maxPathBytes = 107;

/** Only for this user, until somebody changes the mode. @throws KernelError ENAMETOOLONG, EBUSY somebody listens there, or it is no socket; and the system's error */
export async function listenAt(server: Server, path: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes === 0 || bytes > maxPathBytes)
    throw new KernelError(
      "ENAMETOOLONG",
      `socket path ${path}: ${bytes} bytes; 1 … ${maxPathBytes} are possible`,
    );
  try {
    await tryListen(server, path);
  } catch (error) {
    if (!isCode(error, "EADDRINUSE")) throw error;
    if (!lstatSync(path).isSocket())
      throw new KernelError("EBUSY", `socket path ${path}: there is something else; take another one`, {
        cause: error,
      });
    if (await isAnswered(path))
      throw new KernelError("EBUSY", `socket path ${path}: a server listens there; take another one`, {
        cause: error,
      });
    unlinkSync(path);
    await tryListen(server, path);
  }
  chmodSync(path, 0o600);
}

function tryListen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error);
    server.once("error", failed);
    server.listen(path, () => {
      server.off("error", failed);
      resolve();
    });
  });
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
