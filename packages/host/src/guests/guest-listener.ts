/** Where guest kernels come in: a Unix socket in the state directory and, when wished, a TCP port. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { identifyConnection } from "parhelion-buses";
import type { Runtime } from "parhelion-core";
import { Newcomers, type QueueConnect } from "parhelion-protocol";
import { listenOnPath } from "../admin/admin-server.js";
import { HostError, messageOf } from "../host-error.js";
import { LogThrottle } from "../log-throttle.js";

/** How long a connection may stay silent before it says what it is for, in ms. */
const firstWordsMs = 10_000;
/** Connections that have not said what they are for, on each socket. */
const maxUndecided = 1024;
/** A peer whose machine vanished is noticed after some multiple of this, in ms. */
const keepAliveMs = 10_000;

export type GuestReach = "local" | "remote";

export interface GuestListenerOptions {
  readonly runtime: Runtime;
  /** Takes a guest kernel's connection over and resumes it. */
  readonly onKernel: (socket: Socket, reach: GuestReach) => void;
  /** Takes one queue of a remote guest over and resumes it. */
  readonly onQueue: (socket: Socket, connect: QueueConnect) => void;
}

export class GuestListener {
  readonly #options: GuestListenerOptions;
  readonly #servers: Server[] = [];
  readonly #undecided: Newcomers[] = [];
  readonly #strangers: LogThrottle;

  constructor(options: GuestListenerOptions) {
    this.#options = options;
    this.#strangers = new LogThrottle(options.runtime);
  }

  /** @throws HostError listen-failed, socket-path-too-long */
  async listenOnPath(path: string): Promise<void> {
    const server = this.#serve("local");
    await listenOnPath(server, path);
  }

  /** @returns where it listens. @throws HostError listen-failed */
  listenOnPort(host: string, port: number): Promise<{ readonly host: string; readonly port: number }> {
    const server = this.#serve("remote");
    return new Promise((resolve, reject) => {
      server.once("error", (error) =>
        reject(
          new HostError("listen-failed", `cannot listen on ${host}:${port}: ${messageOf(error)}`, {
            cause: error,
          }),
        ),
      );
      server.listen(port, host, () => {
        const { address, port } = server.address() as AddressInfo;
        resolve({ host: address, port });
      });
    });
  }

  /** No new connections; those that have not said what they are for end. */
  async close(): Promise<void> {
    for (const undecided of this.#undecided) undecided.drop();
    // A server's close waits for its connections; those that were handed over have other owners.
    for (const server of this.#servers) server.close();
  }

  #serve(reach: GuestReach): Server {
    // Of its own: a crowd at the port keeps nobody from the socket.
    const undecided = new Newcomers(maxUndecided);
    this.#undecided.push(undecided);
    const server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs },
      (socket) => {
        socket.on("error", () => undefined);
        undecided.add(socket);
        this.#options.runtime.scheduler.spawn("first words of a connection", async () => {
          await this.#identify(socket, reach);
          undecided.known(socket);
        });
      },
    );
    this.#servers.push(server);
    return server;
  }

  async #identify(socket: Socket, reach: GuestReach): Promise<void> {
    const { runtime, onKernel, onQueue } = this.#options;
    try {
      const identity = await identifyConnection(runtime, socket, {
        deadline: runtime.clock.now() + firstWordsMs,
      });
      if (identity.kind === "vmbus") onKernel(socket, reach);
      else onQueue(socket, identity.connect);
    } catch (error) {
      const from = socket.remoteAddress;
      this.#strangers.tell("info", "connection.unidentified", { reach, from, reason: messageOf(error) });
    }
  }
}
