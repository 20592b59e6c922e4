/**
 * Serves one VFIO device on a Unix socket, in the vfio-user protocol, to one client at a time. It ends with its device, or when it is
 * closed; a client's end leaves the device as it is for the next one.
 */
import { createServer, type Server, type Socket } from "node:net";
import { Completion, KernelError, type NodeWatcher, type System, type WaitOptions } from "parhelion-core";
import { AttachedDevice } from "../../iommufd/attached-device.js";
import { ClientSocket } from "../socket/client-socket.js";
import { type Intake, PlainIntake } from "../socket/intake.js";
import { defaultDataBytes, overheadBytes } from "../wire/limits.js";
import { within } from "../within.js";
import { sendAway } from "./busy.js";
import { Descriptors } from "./descriptors.js";
import { listenAt } from "./listen.js";
import { defaultPatience, type Patience, type VfioUserOptions } from "./options.js";
import { Session } from "./session.js";

interface Serving {
  readonly session: Session;
  readonly gone: Completion;
}

/** Clients that are being sent away at a time; more are cut off. */
const mostSentAway = 8;
/** Those that wait for their turn included; more are cut off unheard. */
const mostConnections = 16;
/** For what is done with once it is told to be: threads, sockets. In ms. */
const teardownMs = 5_000;
const messageBytes = overheadBytes + defaultDataBytes;

export class VfioUserServer {
  readonly socketPath: string;
  /** "none": and why, for people. */
  readonly descriptors: "passed" | { readonly none: string };
  readonly #system: System;
  readonly #options: VfioUserOptions;
  readonly #patience: Patience;
  readonly #listening: Server;
  readonly #descriptors: Descriptors | null;
  readonly #ended: Completion<string>;
  readonly #unwatch: () => void;
  #state: "open" | "closed" = "open";
  #serving: Serving | null = null;
  #clients = 0;
  readonly #others = new Set<ClientSocket>();
  /** All that are connected. */
  readonly #sockets = new Set<Socket>();

  private constructor(system: System, options: VfioUserOptions, listening: Server) {
    this.#system = system;
    this.#options = options;
    this.#patience = { ...defaultPatience, ...options.patience };
    this.#listening = listening;
    this.socketPath = options.socketPath;
    const descriptors = Descriptors.open(options.koffi, (error) =>
      system.runtime.log("error", "vfio-user.listening-failed", { device: options.device, error }),
    );
    this.#descriptors = typeof descriptors === "string" ? null : descriptors;
    this.descriptors = typeof descriptors === "string" ? { none: descriptors } : "passed";
    this.#ended = new Completion(system.runtime, `end of ${options.socketPath}`);
    const watcher: NodeWatcher = {
      added: () => undefined,
      removed: (node) => {
        if (node.name === options.device) this.#deviceGone();
      },
    };
    this.#unwatch = system.nodes.watch(watcher);
  }

  /**
   * Clients can connect when this settles.
   * @throws KernelError ENODEV there is no such device, ENAMETOOLONG, EBUSY the path is in use; and the system's error
   */
  static async listen(system: System, options: VfioUserOptions): Promise<VfioUserServer> {
    if (system.nodes.get(options.device) === undefined)
      throw new KernelError("ENODEV", `there is no VFIO device ${options.device}`);
    const listening = createServer({ pauseOnConnect: true });
    listening.maxConnections = mostConnections;
    await listenAt(listening, options.socketPath, (error) =>
      system.runtime.log("error", "vfio-user.accept-failed", { error }),
    );
    const server = new VfioUserServer(system, options, listening);
    listening.on("connection", (socket) => server.#connected(socket));
    return server;
  }

  /** How many are served at this moment: one at most. */
  get clients(): number {
    return this.#serving === null ? 0 : 1;
  }

  /** Settles when the server has ended, and says why: it was closed, or its device went. */
  ended(options?: WaitOptions): Promise<string> {
    return this.#ended.wait(options);
  }

  /** Sends the client away and removes the socket. Idempotent; settles when nothing of it is left. */
  async close(reason = "the server was closed"): Promise<void> {
    await this.#close(new KernelError("ESHUTDOWN", reason));
  }

  #deviceGone(): void {
    const reason = new KernelError("ENODEV", `${this.#options.device} was removed`);
    this.#system.runtime.scheduler.spawn("vfio-user.device-gone", () => this.#close(reason));
  }

  async #close(reason: KernelError): Promise<void> {
    if (this.#state === "closed") {
      const { openMs, commandMs } = this.#patience;
      const most = openMs + commandMs + 2 * teardownMs;
      await this.#ended.wait({ deadline: this.#system.runtime.clock.now() + most });
      return;
    }
    this.#state = "closed";
    this.#unwatch();
    const { runtime } = this.#system;
    const closed = new Completion(runtime, `end of the socket ${this.socketPath}`);
    this.#listening.close(() => closed.completeAll());
    this.#serving?.session.end(reason);
    const { openMs, commandMs } = this.#patience;
    const deadline = runtime.clock.now() + openMs + commandMs;
    try {
      for (const other of [...this.#others]) await other.close();
      await this.#serving?.gone.wait({ deadline });
    } finally {
      // Whoever is connected still was not to be ended otherwise.
      for (const socket of this.#sockets) socket.destroy();
      await this.#finish(closed, reason);
    }
  }

  async #finish(closed: Completion, reason: KernelError): Promise<void> {
    const { runtime } = this.#system;
    const deadline = runtime.clock.now() + teardownMs;
    try {
      await closed.wait({ deadline });
      await within(runtime, "end of descriptors", async () => this.#descriptors?.end(), { deadline });
    } catch (error) {
      runtime.log("error", "vfio-user.teardown-failed", { device: this.#options.device, error });
    } finally {
      this.#ended.completeAll(reason.message);
    }
  }

  #connected(socket: Socket): void {
    // Nobody else listens for it while nobody serves it.
    socket.on("error", () => undefined);
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const { runtime } = this.#system;
    // The one before may have hung up already: that is seen a turn later, or when it is looked at.
    runtime.clock.setTimer(0, () => runtime.scheduler.spawn("vfio-user.client", () => this.#admit(socket)));
  }

  async #admit(socket: Socket): Promise<void> {
    this.#serving?.session.look();
    const before = this.#serving;
    if (before?.session.state === "ending") {
      try {
        await before.gone.wait({ deadline: this.#system.runtime.clock.now() + this.#patience.openMs });
      } catch {
        // The device takes its time: the client is told that it is in use.
      }
    }
    if (this.#state === "closed") socket.destroy();
    else if (this.#serving === null) await this.#serve(socket);
    else await this.#sendAway(socket);
  }

  async #serve(socket: Socket): Promise<void> {
    const { runtime } = this.#system;
    this.#clients += 1;
    const name = `client ${this.#clients} of ${this.#options.device}`;
    const client = this.#clientSocket(socket, this.#intakeFor(socket));
    const session = new Session({
      runtime,
      name,
      socket: client,
      descriptors: client.descriptors === "passed" ? this.#descriptors : null,
      patience: this.#patience,
      open: () => this.#open(),
      memory: (map) => this.#options.memory?.(map) ?? "descriptor",
    });
    const serving = { session, gone: new Completion(runtime, `end of ${name}`) };
    this.#serving = serving;
    runtime.log("info", "vfio-user.client-came", { client: name });
    try {
      await session.run();
    } finally {
      this.#serving = null;
      serving.gone.completeAll();
    }
  }

  async #sendAway(socket: Socket): Promise<void> {
    if (this.#others.size >= mostSentAway) {
      socket.destroy();
      return;
    }
    const { runtime } = this.#system;
    runtime.log("info", "vfio-user.client-sent-away", { device: this.#options.device });
    const client = this.#clientSocket(socket, new PlainIntake(socket));
    this.#others.add(client);
    try {
      await sendAway(runtime, client, this.#patience.negotiateMs);
    } finally {
      this.#others.delete(client);
    }
  }

  #open(): Promise<AttachedDevice> {
    const { clock } = this.#system.runtime;
    return AttachedDevice.open(
      this.#system,
      this.#options.device,
      { comm: "vfio-user" },
      { deadline: clock.now() + this.#patience.openMs },
    );
  }

  #clientSocket(socket: Socket, intake: Intake): ClientSocket {
    const closeFd = (fd: number): void => this.#descriptors?.close(fd);
    return new ClientSocket(this.#system.runtime, socket, intake, messageBytes, closeFd);
  }

  /** Without memory for it the client is served all the same. */
  #intakeFor(socket: Socket): Intake {
    try {
      return this.#descriptors?.intake(socket) ?? new PlainIntake(socket);
    } catch {
      return new PlainIntake(socket);
    }
  }
}
