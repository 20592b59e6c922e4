/** A device tree on a Unix socket. Who may open the socket is its permission's affair: the owner, and nobody else. */
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import net from "node:net";
import type { Clock } from "../clock.js";
import { Newcomers } from "../newcomers.js";
import { SysConnection } from "./connection.js";
import type { SysSource } from "./tree.js";

/** The socket's name, in a guest's run directory and in a host's state directory. */
export const SYS_SOCKET = "sys";
/** Most connections at a time. */
export const SYS_CONNECTIONS = 64;

export interface SysServerInit {
  readonly path: string;
  readonly source: SysSource;
  readonly clock: Clock;
}

export class SysServer {
  readonly #server: net.Server;
  readonly #connections = new Set<SysConnection>();

  private constructor({ source, clock }: SysServerInit) {
    const newcomers = new Newcomers(SYS_CONNECTIONS);
    this.#server = net.createServer((socket) => {
      // Who has not said HELLO gives way; who has stays, whatever comes.
      if (this.#connections.size >= SYS_CONNECTIONS && !newcomers.dropOldest()) {
        socket.destroy();
        return;
      }
      newcomers.add(socket);
      const connection = new SysConnection({
        socket,
        source,
        clock,
        greeted: () => newcomers.known(socket),
        ended: () => this.#connections.delete(connection),
      });
      this.#connections.add(connection);
    });
  }

  /** Precondition: nothing stands at the path. @throws the operating system's errors */
  static async listen(init: SysServerInit): Promise<SysServer> {
    const server = new SysServer(init);
    server.#server.listen(init.path);
    await once(server.#server, "listening");
    await chmod(init.path, 0o600);
    return server;
  }

  /** Takes the socket away and ends the connections, telling nothing: their end says it. Waits for no reader longer than it lingers. */
  async close(why: string): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const connection of this.#connections) connection.close(why);
    await closed;
  }
}
