/**
 * The guest kernel: a system with the VMBus and PCI buses, the dxg driver, and sockets in a run directory for its nodes. As
 * many as one likes run in one process without noticing each other.
 */

import { createPciBus, createPciPassthroughDriver, createVmbus, VmbusConnection } from "parhelion-buses";
import {
  type Bus,
  createRuntime,
  type Driver,
  type LogSink,
  type Runtime,
  type RuntimeInit,
  System,
  type Uevent,
} from "parhelion-core";
import { type ConnectTarget, dial, queueDialer } from "./dial.js";
import { registerDxg } from "./dxg/driver.js";
import { addControlNode, dxgClass, liveVgpus } from "./dxg/node.js";
import { NodeServer } from "./node-server/node-server.js";
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
}

export type GuestKernelState = "running" | "disconnected" | "stopped";

export interface GuestKernel {
  readonly system: System;
  readonly directory: string;
  readonly state: GuestKernelState;
  /** Names of the vGPUs' nodes there are now. */
  readonly nodes: readonly string[];
  /** Every uevent of the system. @returns a function that ends the subscription */
  onUevent(listener: (event: Uevent) => void): () => void;
  /** The host has gone and with it every vGPU; called once, also when it has happened already. Not called by `stop`. */
  onDisconnect(listener: (reason: Error) => void): void;
  /** Waits until the run directory shows the nodes there are. @throws KernelError ETIMEDOUT */
  settled(): Promise<void>;
  /** Ends all files, says good-bye to the host, clears the run directory. Idempotent. @throws KernelError ETIMEDOUT */
  stop(): Promise<void>;
}

/**
 * Returns when the vGPUs that the host offers at once have their sockets.
 * @throws KernelError EINVAL, EBUSY (the run directory), ECONNREFUSED (nobody there, or the host's refusal), ETIMEDOUT
 */
export async function startGuestKernel(init: GuestKernelInit): Promise<GuestKernel> {
  const { log, directory } = init;
  const runtime = createRuntime({ ...init.runtime, ...(log === undefined ? {} : { log }) });
  await claimRunDirectory(directory);
  const kernel = new Kernel(runtime, init);
  try {
    await kernel.start();
    return kernel;
  } catch (error) {
    await kernel.stop();
    throw error;
  }
}

class Kernel implements GuestKernel {
  readonly system: System;
  readonly directory: string;
  readonly #runtime: Runtime;
  readonly #init: GuestKernelInit;
  readonly #nodeServer: NodeServer;
  readonly #queues: QueueGateway;
  readonly #disconnectListeners: ((reason: Error) => void)[] = [];
  /** What undoes what has been done, in reverse. */
  readonly #undo: (() => void | Promise<void>)[] = [];
  #disconnected: Error | null = null;
  #state: GuestKernelState = "running";
  #stopping: Promise<void> | null = null;

  constructor(runtime: Runtime, init: GuestKernelInit) {
    this.#runtime = runtime;
    this.#init = init;
    this.directory = init.directory;
    this.system = new System(runtime);
    this.#nodeServer = new NodeServer(this.system, init.directory);
    this.#undo.push(() => this.#nodeServer.stop());
    this.#queues = new QueueGateway({
      runtime,
      directory: init.directory,
      credential: init.credential,
      dial: queueDialer(runtime, init.connect),
    });
    this.#undo.push(() => this.#queues.close());
  }

  get state(): GuestKernelState {
    return this.#state;
  }

  get nodes(): readonly string[] {
    return liveVgpus(this.system).map((node) => node.name);
  }

  onUevent(listener: (event: Uevent) => void): () => void {
    return this.system.onUevent(listener);
  }

  onDisconnect(listener: (reason: Error) => void): void {
    if (this.#disconnected !== null) listener(this.#disconnected);
    else this.#disconnectListeners.push(listener);
  }

  async settled(): Promise<void> {
    await this.#nodeServer.settled();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async start(): Promise<void> {
    const { system } = this;
    const vmbus = createVmbus();
    const pci = createPciBus();
    system.registerBus(vmbus as Bus);
    system.registerBus(pci as Bus);
    system.registerClass(dxgClass);
    const control = await addControlNode(system);
    this.#undo.push(() => system.unregisterDevice(control));
    await system.registerDriver(createPciPassthroughDriver(system, vmbus, pci) as Driver);
    const changed = (): void => this.#nodeServer.attributesChanged();
    await registerDxg({ system, vmbus, pci, queues: this.#queues, changed });
    const { connect, credential, name = "guest" } = this.#init;
    const stream = await dial(this.#runtime, connect);
    const connection = await VmbusConnection.connect(system, vmbus, stream, { name, credential });
    this.#undo.push(() => connection.close());
    connection.onClose((reason) => this.#onDisconnect(reason));
    await this.settled();
  }

  async #stop(): Promise<void> {
    this.#state = "stopped";
    const errors: unknown[] = [];
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        await undo();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  #onDisconnect(reason: Error): void {
    if (this.#state !== "running") return;
    this.#state = "disconnected";
    this.#disconnected = reason;
    this.#runtime.log("warn", "guest.disconnected", { reason: reason.message });
    for (const listener of this.#disconnectListeners.splice(0)) listener(reason);
  }
}
