/**
 * A descriptor comes with the first bytes of a connection and is lost to whoever reads them without asking for it, as Node does. So
 * these bytes are taken before Node reads anything. Node says only by reading that there is something to read: it is looked for, at
 * once, and then less and less often.
 */
import type { Socket } from "node:net";
import type { SharedMemoryProvider } from "../mapped-memory/provider.js";
import type { CarrierRuntime } from "../runtime.js";

/** Between two looks, in ms. Who connects sends at once: the first looks nearly always find it. */
const firstPauseMs = 1;
const longestPauseMs = 16;

export interface FirstBytes {
  readonly bytes: Uint8Array;
  /** -1: none. Whoever gets it closes it. */
  readonly descriptor: number;
}

const nothing: FirstBytes = { bytes: new Uint8Array(0), descriptor: -1 };

/**
 * @param socket paused since it was accepted (`pauseOnConnect`); nothing is taken from one that is being read already
 * @returns nothing when the connection ends before anything comes, or that takes too long: reading it tells why
 */
export function takeFirstBytes(
  socket: Socket,
  runtime: CarrierRuntime,
  deadlineMs: number,
  provider: SharedMemoryProvider | undefined,
): Promise<FirstBytes> {
  if (provider === undefined || !socket.isPaused()) return Promise.resolve(nothing);
  const until = runtime.clock.now() + deadlineMs;
  // A socket that nobody reads keeps no process alive, and somebody waits for this one.
  const relax = runtime.keepAlive();
  return new Promise((resolve) => {
    const done = (found: FirstBytes): void => {
      relax();
      resolve(found);
    };
    const look = (pauseMs: number): void => {
      const found = receive(provider, socket);
      if (found !== "later") done(found === "end" ? nothing : found);
      else if (runtime.clock.now() >= until) done(nothing);
      else runtime.clock.setTimer(pauseMs, () => look(Math.min(2 * pauseMs, longestPauseMs)));
    };
    look(firstPauseMs);
  });
}

function receive(
  provider: SharedMemoryProvider,
  socket: Socket,
): ReturnType<SharedMemoryProvider["receive"]> {
  try {
    return provider.receive(socket);
  } catch {
    // Node's own reading will find the same.
    return "end";
  }
}
