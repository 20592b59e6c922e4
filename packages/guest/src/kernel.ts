/**
 * The guest kernel in its run directory, where its nodes are sockets. As many as one likes run in one process without noticing
 * each other.
 */

import path from "node:path";
import { type BootClock, systemBootClock } from "parhelion-buses";
import { type Clock, createRuntime, type LogSink, type RuntimeInit } from "parhelion-core";
import { SYS_SOCKET, SysServer } from "parhelion-protocol";
import { type ConnectTarget, hostDialer, queueDialer } from "./dial.js";
import { type GuestKernel, GuestMachine } from "./machine.js";
import { ATTRIBUTES_FILE } from "./node-server/node-server.js";
import { SocketShelf } from "./node-server/socket-shelf.js";
import { QueueGateway } from "./queue-gateway.js";
import { claimRunDirectory } from "./run-directory.js";

export interface GuestKernelInit {
  readonly connect: ConnectTarget;
  /** The secret that the host gave to this guest. */
  readonly credential: string;
  /** The run directory: $PARHELION_DIR of the applications. */
  readonly directory: string;
  /** In the host's log. Default "guest". */
  readonly name?: string;
  readonly log?: LogSink;
  /** Clock, ids, scheduler and patience, where they shall not be the platform's. */
  readonly runtime?: Omit<RuntimeInit, "log">;
  /** Default: the system's, as `uptime` has it. */
  readonly bootClock?: BootClock;
}

/**
 * Returns when the vGPUs that the host offers at once have their sockets.
 * @throws KernelError EINVAL, EBUSY (the run directory), ECONNREFUSED (nobody there, or the host's refusal), ETIMEDOUT
 */
export async function startGuestKernel(init: GuestKernelInit): Promise<GuestKernel> {
  const { log, directory, credential, connect, name = "guest" } = init;
  const runtime = createRuntime({ ...init.runtime, ...(log === undefined ? {} : { log }) });
  await claimRunDirectory(directory);
  const queues = new QueueGateway({ runtime, directory, credential, dial: queueDialer(runtime, connect) });
  const machine = new GuestMachine({
    runtime,
    name,
    credential,
    directory,
    shelf: new SocketShelf(runtime, directory, ATTRIBUTES_FILE),
    queues,
    ...hostDialer(runtime, connect),
    bootClock: init.bootClock ?? systemBootClock,
  });
  machine.atStop(() => queues.close());
  try {
    await serveTree(machine, name, runtime.clock);
    await machine.start();
    return machine;
  } catch (error) {
    await machine.stop();
    throw error;
  }
}

/** Whoever may use the nodes may look at the device tree, and change what there is to change. */
async function serveTree(machine: GuestMachine, name: string, clock: Clock): Promise<void> {
  const { system, directory } = machine;
  const server = await SysServer.listen({
    path: path.join(directory, SYS_SOCKET),
    source: { name, tree: system.sysfs, onUevent: (listener) => system.onUevent(listener) },
    clock,
  });
  machine.atStop(() => server.close("the guest kernel stopped"));
}
