/** Ways to a host. */
import net from "node:net";
import type { Duplex } from "node:stream";
import { Completion, KernelError, type Runtime } from "parhelion-core";

export type ConnectTarget =
  | { readonly path: string }
  | { readonly host: string; readonly port: number }
  /** An in-process connection; `openQueue` makes further ones, for queues that the guest kernel has to carry. */
  | { readonly duplex: Duplex; readonly openQueue?: () => Promise<Duplex> };

/** How long the host may take to accept a connection, in ms. */
const connectMs = 10_000;

/** @throws KernelError ECONNREFUSED nobody listens there, ETIMEDOUT */
export async function dial(runtime: Runtime, target: ConnectTarget): Promise<Duplex> {
  if ("duplex" in target) return target.duplex;
  const where = "path" in target ? target.path : `${target.host}:${target.port}`;
  const socket = "path" in target ? net.connect(target.path) : net.connect({ ...target, noDelay: true });
  const connected = new Completion(runtime, `connection to ${where}`);
  const onError = (cause: Error): void => {
    connected.fail(
      new KernelError("ECONNREFUSED", `no host at ${where}: ${cause.message}; is the daemon running?`, {
        cause,
      }),
    );
  };
  socket.once("connect", () => connected.completeAll());
  socket.on("error", onError);
  try {
    await connected.wait({ deadline: runtime.clock.now() + connectMs });
    socket.off("error", onError);
    return socket;
  } catch (error) {
    socket.on("error", () => {});
    socket.destroy();
    throw error;
  }
}

/** How a queue gets to the same host, or null. */
export function queueDialer(runtime: Runtime, target: ConnectTarget): (() => Promise<Duplex>) | null {
  if (!("duplex" in target)) return () => dial(runtime, target);
  return target.openQueue ?? null;
}
