/**
 * Names that one process at a time holds: in Linux's abstract socket namespace, where the kernel takes a name back when its holder dies,
 * however it dies, so none is left stale. It holds within one network namespace.
 */
import { connect, createServer, type Server } from "node:net";

export interface HeldName {
  /** Idempotent. */
  release(): Promise<void>;
}

/** @returns "taken": somebody holds it. @throws the system's error */
export async function holdName(name: string): Promise<HeldName | "taken"> {
  const server = createServer((socket) => socket.destroy());
  // A name alone is no reason for a process to live on.
  server.unref();
  try {
    await new Promise<void>((done, failed) => {
      server.once("error", failed);
      server.listen(`\0${name}`, done);
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return "taken";
    throw error;
  }
  let closing: Promise<void> | undefined;
  return {
    release: () => {
      closing ??= closed(server);
      return closing;
    },
  };
}

/** Whether somebody holds it. */
export function isHeld(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(`\0${name}`);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((done) => server.close(() => done()));
}
