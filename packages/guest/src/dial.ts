/** Ways to a host. */
import net from "node:net";
import type { Duplex } from "node:stream";
import { Completion, KernelError, type Runtime } from "parhelion-core";

export type ConnectTarget =
  | { readonly path: string }
  | { readonly host: string; readonly port: number }
  /** An in-process connection; `openQueue` makes further ones, for queues that the guest kernel has to carry. */
  | {
      readonly duplex: Duplex;
      readonly openQueue?: () => Promise<Duplex>;
      /** A fresh one, when that one has ended; without it the guest kernel ends with it. */
      readonly redial?: () => Promise<Duplex>;
    };

/** How long the host may take to accept a connection, in ms. */
const connectMs = 10_000;

/** A host that has no time to accept is asked again after this, in ms. */
const againMs = 50;

/** @throws KernelError ECONNREFUSED nobody listens there, ETIMEDOUT, ECANCELED aborted */
export async function dial(runtime: Runtime, target: ConnectTarget, abort?: AbortSignal): Promise<Duplex> {
  if ("duplex" in target) return target.duplex;
  for (const deadline = runtime.clock.now() + connectMs; ; ) {
    try {
      return await connectTo(runtime, target, deadline, abort);
    } catch (error) {
      if (!isBusy(error) || runtime.clock.now() + againMs > deadline) throw error;
      const again = new Completion(runtime, "another try to connect");
      runtime.clock.setTimer(againMs, () => again.completeAll());
      await again.wait({ deadline });
    }
  }
}

/** How a guest kernel gets to its host: first, and each time that it has lost it; null: there is no second time. */
export function hostDialer(
  runtime: Runtime,
  target: ConnectTarget,
): { readonly connect: Dialer; readonly redial: Dialer | null } {
  const connect: Dialer = (abort) => dial(runtime, target, abort);
  if (!("duplex" in target)) return { connect, redial: connect };
  return { connect, redial: target.redial ?? null };
}

/** @param abort fires when nobody wants the connection any more */
export type Dialer = (abort: AbortSignal) => Promise<Duplex>;

/** EAGAIN of a Unix socket: as many wait there as the system keeps. */
function isBusy(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "EAGAIN";
}

async function connectTo(
  runtime: Runtime,
  target: Exclude<ConnectTarget, { readonly duplex: Duplex }>,
  deadline: number,
  abort: AbortSignal | undefined,
): Promise<Duplex> {
  const where = "path" in target ? target.path : `${target.host}:${target.port}`;
  const socket = "path" in target ? net.connect(target.path) : net.connect({ ...target, noDelay: true });
  const connected = new Completion(runtime, `connection to ${where}`);
  const onError = (cause: Error): void => {
    const busy = "code" in cause && cause.code === "EAGAIN";
    const text = busy
      ? `the host at ${where} accepts nothing: ${cause.message}; too many connect to it, or it is stopped`
      : `no host at ${where}: ${cause.message}; is the daemon running?`;
    connected.fail(new KernelError("ECONNREFUSED", text, { cause }));
  };
  socket.once("connect", () => connected.completeAll());
  socket.on("error", onError);
  const onAbort = (): void =>
    connected.fail(new KernelError("ECANCELED", `nobody wants the connection to ${where} any more`));
  abort?.addEventListener("abort", onAbort, { once: true });
  try {
    if (abort?.aborted === true) onAbort();
    await connected.wait({ deadline });
    socket.off("error", onError);
    return socket;
  } catch (error) {
    socket.on("error", () => {});
    socket.destroy();
    throw error;
  } finally {
    abort?.removeEventListener("abort", onAbort);
  }
}

/** How a queue gets to the same host, or null. */
export function queueDialer(runtime: Runtime, target: ConnectTarget): (() => Promise<Duplex>) | null {
  if (!("duplex" in target)) return () => dial(runtime, target);
  return target.openQueue ?? null;
}
