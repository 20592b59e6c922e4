/**
 * The guest kernel apart from the operating system: a system with the VMBus and PCI buses, the dxg driver, and its nodes on a
 * shelf. What lies outside is handed in, so that the same machine runs on sockets and in memory.
 */
import { type BootClock, createPciBus, createPciPassthroughDriver, createVmbus } from "parhelion-buses";
import {
  type Bus,
  Completion,
  type Driver,
  invoke,
  type Named,
  noDeadline,
  type Runtime,
  System,
  type Uevent,
} from "parhelion-core";
import { registerDxg } from "./dxg/driver.js";
import { addControlNode, dxgClass, liveVgpus, MAX_VGPUS } from "./dxg/node.js";
import { NodeNumbers } from "./dxg/node-numbers.js";
import type { Queues } from "./dxg/queues.js";
import { type Connect, HostLink, type HostLinkState } from "./host-link.js";
import { NodeServer } from "./node-server/node-server.js";
import type { NodeShelf } from "./node-server/shelf.js";

export type GuestKernelState =
  | "running"
  /** The host has gone, and with it every vGPU; it is dialled again until it is there. The control node stays. */
  | "reconnecting"
  /** The host does not know this guest any more. The control node stays until `stop`. */
  | "refused"
  | "stopped";

export interface GuestKernel {
  readonly system: System;
  readonly directory: string;
  readonly state: GuestKernelState;
  /** Names of the vGPUs' nodes there are now. */
  readonly nodes: readonly string[];
  /** Every uevent of the system. @returns a function that ends the subscription */
  onUevent(listener: (event: Uevent) => void): () => void;
  /** Called at each change of the state, with its reason; not by `stop`. @returns ends it */
  onStateChange(listener: (state: GuestKernelState, reason: Error) => void): () => void;
  /** Waits until the run directory shows the nodes there are. @throws KernelError ETIMEDOUT */
  settled(): Promise<void>;
  /** Ends all files, says good-bye to the host, clears the run directory. Idempotent. @throws KernelError ETIMEDOUT */
  stop(): Promise<void>;
}

export interface GuestMachineInit {
  readonly runtime: Runtime;
  /** In the host's log. */
  readonly name: string;
  /** The secret that the host gave to this guest. */
  readonly credential: string;
  readonly directory: string;
  readonly shelf: NodeShelf;
  readonly queues: Queues;
  /** The way to the host. Called once. */
  readonly connect: Connect;
  /** The way to the host when it has gone. Default: there is none. */
  readonly redial?: Connect | null;
  /** Default: nobody looks whether a silent host is still there. */
  readonly bootClock?: BootClock | null;
}

export class GuestMachine implements GuestKernel, Named {
  readonly name: string;
  readonly system: System;
  readonly directory: string;
  readonly #init: GuestMachineInit;
  readonly #nodeServer: NodeServer;
  readonly #stateListeners = new Set<(state: GuestKernelState, reason: Error) => void>();
  readonly #numbers: NodeNumbers;
  /** What undoes what has been done, in reverse. */
  readonly #undo: (() => void | Promise<void>)[] = [];
  #state: GuestKernelState = "running";
  #stopped: Completion | null = null;

  constructor(init: GuestMachineInit) {
    this.#init = init;
    this.directory = init.directory;
    this.name = `kernel of ${init.name}`;
    this.system = new System(init.runtime);
    this.#numbers = new NodeNumbers(init.runtime, MAX_VGPUS);
    this.#nodeServer = new NodeServer(this.system, init.shelf);
    this.#undo.push(() => this.#nodeServer.stop());
  }

  get state(): GuestKernelState {
    this.#access("read");
    return this.#state;
  }

  get nodes(): readonly string[] {
    return liveVgpus(this.system).map((node) => node.name);
  }

  onUevent(listener: (event: Uevent) => void): () => void {
    return this.system.onUevent(listener);
  }

  onStateChange(listener: (state: GuestKernelState, reason: Error) => void): () => void {
    this.#access("write");
    this.#stateListeners.add(listener);
    return () => {
      this.#access("write");
      this.#stateListeners.delete(listener);
    };
  }

  /** Has `undo` called by `stop`, after what was set up later was undone. */
  atStop(undo: () => void | Promise<void>): void {
    this.#access("write");
    this.#undo.push(undo);
  }

  async settled(): Promise<void> {
    await this.#nodeServer.settled();
  }

  /** Returns when the vGPUs that the host offers at once have their nodes. Once. @throws what HostLink.start throws */
  async start(): Promise<void> {
    const { system } = this;
    const { name, credential, queues, connect, redial = null, bootClock = null } = this.#init;
    const vmbus = createVmbus();
    const pci = createPciBus();
    system.registerBus(vmbus as Bus);
    system.registerBus(pci as Bus);
    system.registerClass(dxgClass);
    const control = await addControlNode(system);
    this.atStop(() => system.unregisterDevice(control));
    await system.registerDriver(createPciPassthroughDriver(system, vmbus, pci) as Driver);
    const changed = (): void => this.#nodeServer.attributesChanged();
    await registerDxg({ system, vmbus, pci, queues, changed, numbers: this.#numbers });
    const link = new HostLink({
      ...{ system, vmbus, name, credential, connect, redial, bootClock },
      lost: () => {
        for (const { number, vgpu } of liveVgpus(system)) this.#numbers.hold(vgpu.instance, number);
      },
      changed: (state, reason) => this.#onChange(state, reason),
    });
    this.atStop(() => link.stop());
    await link.start();
    await this.settled();
  }

  async stop(): Promise<void> {
    this.#access("write");
    if (this.#stopped !== null) return this.#stopped.wait({ deadline: noDeadline });
    const stopped = new Completion(this.#init.runtime, `stop of ${this.name}`);
    this.#stopped = stopped;
    this.#state = "stopped";
    try {
      await this.#takeDown();
      stopped.completeAll();
    } catch (error) {
      stopped.fail(error);
      throw error;
    }
  }

  async #takeDown(): Promise<void> {
    const errors: unknown[] = [];
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        await invoke(this.#init.runtime, "guest.undo", this, undo);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  #onChange(state: HostLinkState, reason: Error): void {
    this.#access("write");
    if (this.#state === "stopped") return;
    this.#state = state === "reconnecting" || state === "refused" ? state : "running";
    for (const listener of [...this.#stateListeners]) listener(this.#state, reason);
  }

  #access(mode: "read" | "write"): void {
    this.#init.runtime.scheduler.access(this, mode);
  }
}
