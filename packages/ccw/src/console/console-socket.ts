/** A console's terminal as a Unix socket: `socat - UNIX-CONNECT:PATH` sits down at it. */
import { lstat } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { isKernelError, KernelError } from "parhelion-core";
import { listenAt } from "parhelion-vfio";
import { type HeldName, holdName, isHeld } from "../held-name.js";
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
  await refuseConsole(path);
  await listen(server, path);
  const name = await nameOf(path);
  const held: HeldName | "taken" = name === undefined ? "taken" : await holdName(name);
  return {
    path,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      if (held !== "taken") await held.release();
    },
  };
}

/** Whether another console is there must not be asked by connecting: its operator would have to leave. @throws KernelError EBUSY */
async function refuseConsole(path: string): Promise<void> {
  const name = await nameOf(path);
  if (name !== undefined && (await isHeld(name)))
    throw new KernelError("EBUSY", `socket path ${path}: it is another console's; take another one`);
}

/** What a console holds beside its socket, by which others know that it lives. Undefined where there is no socket. */
async function nameOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await lstat(path, { bigint: true });
    return `parhelion-console/${dev}:${ino}`;
  } catch {
    return undefined;
  }
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
