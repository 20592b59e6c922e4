/**
 * At most one host per state directory. The lock is a listening socket in Linux's abstract namespace: it ends with the
 * process however that ends, so nothing has to be cleaned up after a kill -9, and asking it tells who holds it.
 */
import { stat } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import type { Clock } from "parhelion-core";
import { HostError, messageOf, systemCode } from "../host-error.js";
import { clearStaleSocket } from "./socket-path.js";

/** How long the holder may take to say who it is, in ms. */
const holderPatienceMs = 1000;

export interface HostLock {
  release(): Promise<void>;
}

/** @throws HostError host-already-running (details.pid: the holder's, when it said so) */
export async function acquireHostLock(directory: string, clock: Clock): Promise<HostLock> {
  const address = await lockAddress(directory, clock);
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(`${process.pid}\n`);
  });
  try {
    await listen(server, address);
  } catch (error) {
    if (systemCode(error) !== "EADDRINUSE") {
      throw new HostError("state-directory-unusable", `cannot lock ${directory}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    const pid = await askHolder(address, clock);
    throw new HostError(
      "host-already-running",
      `a host ${pid === undefined ? "that does not answer" : `with pid ${pid}`} holds ${directory}.`,
      { details: { directory, pid }, remedy: "Stop it, or start this one with another state directory." },
    );
  }
  server.unref();
  return {
    release: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
  };
}

/**
 * Named after the directory's identity rather than its path: links and bind mounts lead to the same lock.
 * Elsewhere than on Linux there is no abstract namespace; a socket file takes its place, cleared when its owner is dead.
 */
async function lockAddress(directory: string, clock: Clock): Promise<string> {
  if (process.platform === "linux") {
    const { dev, ino } = await stat(directory, { bigint: true });
    return `\0parhelion-host-${dev}-${ino}`;
  }
  const path = join(directory, "lock");
  await clearStaleSocket(path, clock);
  return path;
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function askHolder(address: string, clock: Clock): Promise<number | undefined> {
  return new Promise((resolve) => {
    let said = "";
    const socket = connect(address);
    const settle = () => {
      timer.cancel();
      socket.destroy();
      const pid = Number.parseInt(said, 10);
      resolve(Number.isSafeInteger(pid) && pid > 0 ? pid : undefined);
    };
    const timer = clock.setTimer(holderPatienceMs, settle);
    socket.setEncoding("utf8");
    socket.on("data", (text) => {
      said += String(text).slice(0, 32);
      if (said.includes("\n") || said.length > 32) settle();
    });
    socket.on("error", settle);
    socket.on("close", settle);
  });
}
