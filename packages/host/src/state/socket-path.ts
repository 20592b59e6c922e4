/** Unix sockets as files: how long their paths may be, and which of them a dead owner left behind. */
import { unlink } from "node:fs/promises";
import { connect } from "node:net";
import type { Clock } from "parhelion-core";
import { HostError, systemCode } from "../host-error.js";

/** `sun_path` in struct sockaddr_un is 108 bytes on Linux, the terminating zero included. */
export const maxSocketPathBytes = 107;

/**
 * The longest name that a guest's run directory needs below the state directory: "/g/", an id of 8, "/dxg999".
 * A state directory that has no room for it is refused at the start rather than when the first guest comes.
 */
export const longestSocketSuffix = "/g/00000000/dxg999";

/** @throws HostError socket-path-too-long */
export function checkSocketPath(path: string): string {
  const bytes = Buffer.byteLength(path);
  if (bytes > maxSocketPathBytes) {
    throw new HostError(
      "socket-path-too-long",
      `socket path ${path} has ${bytes} bytes, a Unix socket's path at most ${maxSocketPathBytes}.`,
      { details: { path, bytes, limit: maxSocketPathBytes }, remedy: "Use a shorter state directory." },
    );
  }
  return path;
}

/** How long a socket's owner may take to accept before it counts as alive but busy, in ms. */
const answerPatienceMs = 1000;

export type SocketFile = "absent" | "stale" | "alive";

/** Whether somebody still listens at `path`. */
export function examineSocket(path: string, clock: Clock): Promise<SocketFile> {
  return new Promise<SocketFile>((resolve) => {
    const socket = connect(path);
    const timer = clock.setTimer(answerPatienceMs, () => settle("alive"));
    const settle = (found: SocketFile) => {
      timer.cancel();
      socket.destroy();
      resolve(found);
    };
    socket.once("connect", () => settle("alive"));
    socket.once("error", (error) => {
      const code = systemCode(error);
      // EAGAIN: the backlog is full, which only a living owner has.
      settle(code === "ENOENT" ? "absent" : code === "EAGAIN" ? "alive" : "stale");
    });
  });
}

/** Removes what a dead owner left at `path`. @returns what was found; "alive" is left alone */
export async function clearStaleSocket(path: string, clock: Clock): Promise<SocketFile> {
  const found = await examineSocket(path, clock);
  if (found === "stale") await unlink(path).catch(ignoreAbsent);
  return found;
}

export function ignoreAbsent(error: unknown): void {
  if (systemCode(error) !== "ENOENT") throw error;
}
