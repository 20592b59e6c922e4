/** A console's terminal as a Unix socket: `socat - UNIX-CONNECT:PATH` sits down at it. */
import { createServer, type Server, type Socket } from "node:net";
import { isKernelError, KernelError } from "parhelion-core";
import { listenAt } from "parhelion-vfio";
import type { Console3215 } from "./console-3215.js";

export interface ConsoleSocket {
  readonly path: string;
  /** Whoever sits at the terminal is sent away; the socket is removed. */
  close(): Promise<void>;
}

/**
 * One terminal at a time: a newcomer takes the place of who was there. Only this user may connect.
 * @throws KernelError ENAMETOOLONG; EBUSY there is something else, or somebody listens; EIO it can't be made at `path`
 */
export async function serveConsole(console: Console3215, path: string): Promise<ConsoleSocket> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    console.connect(socket, { echo: "there" });
  });
  await listen(server, path);
  return {
    path,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function listen(server: Server, path: string): Promise<void> {
  try {
    await listenAt(server, path);
  } catch (error) {
    if (isKernelError(error)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new KernelError("EIO", `no console at ${path}: ${why}`, { cause: error });
  }
}
