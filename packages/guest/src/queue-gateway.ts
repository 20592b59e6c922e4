/**
 * Queues whose engine the application can't reach by itself: the guest kernel serves a socket in the run directory and carries
 * its bytes to the host, over a connection that begins with QUEUE_CONNECT. One connection a queue: the token is good for
 * no more.
 */
import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { type Duplex, pipeline } from "node:stream";
import { KernelError, type Runtime } from "parhelion-core";
import { encodeFrame, queueMessage } from "parhelion-protocol";
import type { QueueDoor, Queues, QueueTicket } from "./dxg/queues.js";

export interface QueueGatewayInit {
  readonly runtime: Runtime;
  /** The run directory. */
  readonly directory: string;
  readonly credential: string;
  /** A fresh connection to the host, null when there is no way to make one. */
  readonly dial: (() => Promise<Duplex>) | null;
}

export class QueueGateway implements Queues {
  readonly #init: QueueGatewayInit;
  readonly #doors = new Set<QueueDoor>();

  constructor(init: QueueGatewayInit) {
    this.#init = init;
  }

  async open(ticket: QueueTicket): Promise<QueueDoor> {
    const { runtime, directory, dial } = this.#init;
    if (dial === null) {
      throw new KernelError(
        "EOPNOTSUPP",
        "the host's queues can't be reached from here; give the guest kernel a way to dial",
      );
    }
    const endpoint = `q${runtime.ids.next("queue socket")}`;
    const streams = new Set<Duplex>();
    const server = net.createServer({ pauseOnConnect: true }, (client) => {
      server.close();
      streams.add(client);
      client.on("error", () => client.destroy());
      runtime.scheduler.spawn(`queue ${endpoint}`, () => this.#carry(client, ticket, dial, streams));
    });
    server.maxConnections = 1;
    // A guest kernel that was killed may have left one of this name.
    await rm(path.join(directory, endpoint), { force: true });
    server.listen(path.join(directory, endpoint));
    await once(server, "listening");
    await chmod(path.join(directory, endpoint), 0o600);
    const door: QueueDoor = {
      endpoint,
      close: () => {
        this.#doors.delete(door);
        server.close();
        for (const stream of streams) stream.destroy();
      },
    };
    this.#doors.add(door);
    return door;
  }

  close(): void {
    for (const door of this.#doors) door.close();
  }

  async #carry(
    client: net.Socket,
    { token, slice, generation }: QueueTicket,
    dial: () => Promise<Duplex>,
    streams: Set<Duplex>,
  ): Promise<void> {
    try {
      const host = await dial();
      if (client.destroyed) {
        host.destroy();
        return;
      }
      streams.add(host);
      const body = queueMessage.connect.body.encode({
        token,
        credential: this.#init.credential,
        slice,
        generation,
      });
      host.write(encodeFrame(queueMessage.connect.type, 0, 0, body));
      // A pipeline reads only as fast as the other end takes, and ends both when one ends.
      pipeline(client, host, client, () => {
        client.destroy();
        host.destroy();
      });
    } catch (error) {
      this.#init.runtime.log("warn", "queue.unreachable", { error });
      client.destroy();
    }
  }
}
