/** The other end of the admin socket, for the command line and for tests. */
import { connect, type Socket } from "node:net";
import type { Clock, ClockTimer } from "parhelion-core";
import { HostError, messageOf } from "../host-error.js";
import { isRecord } from "./admin-server.js";
import { onLines, writeLine } from "./json-lines.js";

/** The host said no. `code` is the host's, `fields` all that the error carried. */
export class AdminError extends Error {
  override readonly name = "AdminError";
  readonly code: string;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(fields: Readonly<Record<string, unknown>>) {
    super(String(fields["message"]));
    this.code = String(fields["code"]);
    this.fields = fields;
  }
}

interface Waiting {
  readonly timer: ClockTimer;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class AdminClient {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  /** What the host said to the connection rather than to a request. */
  #farewell: string | undefined;

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    onLines(
      socket,
      (line) => this.#receive(line),
      () => socket.destroy(),
    );
    socket.on("error", () => undefined);
    socket.on("close", () => {
      for (const id of [...this.#waiting.keys()])
        this.#take(id)?.reject(gone(this.#farewell ?? "the host closed the connection"));
    });
  }

  /** @throws HostError host-gone when no host answers at `path` */
  static async connect(path: string, clock: Clock): Promise<AdminClient> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", (error) =>
        reject(
          new HostError("host-gone", `no host answers at ${path}: ${messageOf(error)}`, { cause: error }),
        ),
      );
    });
    return new AdminClient(socket, clock);
  }

  /**
   * @param deadlineMs default 30 000
   * @throws AdminError; HostError host-gone when the connection is or gets lost, or the deadline passes
   */
  request(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
    deadlineMs = 30_000,
  ): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      if (!this.#socket.writable) return reject(gone("the connection to the host is closed"));
      const timer = this.#clock.setTimer(deadlineMs, () => {
        this.#take(id)?.reject(gone(`the host did not answer ${method} within ${deadlineMs} ms`));
      });
      this.#waiting.set(id, { timer, resolve, reject });
      writeLine(this.#socket, { id, method, params });
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(line: string): void {
    let reply: unknown;
    try {
      reply = JSON.parse(line);
    } catch {
      this.#socket.destroy();
      return;
    }
    if (isRecord(reply) && reply["id"] === null && isRecord(reply["error"]))
      this.#farewell = String(reply["error"]["message"]);
    if (!isRecord(reply) || typeof reply["id"] !== "number") return;
    const waiting = this.#take(reply["id"]);
    if (isRecord(reply["error"])) waiting?.reject(new AdminError(reply["error"]));
    else waiting?.resolve(reply["result"]);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.timer.cancel();
    return waiting;
  }
}

function gone(message: string): HostError {
  return new HostError("host-gone", message);
}
