/** The asking end of a device tree's socket. Every request settles: by its answer, its deadline, or the connection's end. */
import net from "node:net";
import { type Clock, platformClock } from "../clock.js";
import { ProtocolError } from "../error.js";
import type { Exchange } from "../messages/codec.js";
import { ControlConnection, type ControlConnectionState } from "../messages/control-connection.js";
import { controlError } from "../messages/control-error.js";
import type { SysEntry } from "../messages/generated/structs.js";
import { SysLost, SysMessage, SysUevent, sysMessage } from "../messages/generated/sys.js";
import { sysKindOf } from "./kinds.js";
import type { SysItem } from "./tree.js";

export interface SysClientOptions {
  readonly clock?: Clock;
  /** How long a request may take, in ms. Default 40 000: a little more than what it asks of a driver may take. */
  readonly timeoutMs?: number;
  /** Who asks, for the server's log. */
  readonly name?: string;
}

export interface SysMonitor {
  /** KEY=value, in the kernel's order. */
  uevent(keys: readonly string[]): void;
  /** So many uevents are missing here. */
  lost(count: number): void;
}

/** A Unix socket is accepted at once or not at all, in ms. */
const connectMs = 5_000;

export class SysClient {
  /** Whose tree it is. */
  readonly name: string;
  readonly #connection: ControlConnection;
  readonly #timeoutMs: number;
  readonly #events: { monitor: SysMonitor | null };

  private constructor(
    name: string,
    connection: ControlConnection,
    events: { monitor: SysMonitor | null },
    timeoutMs: number,
  ) {
    this.name = name;
    this.#connection = connection;
    this.#events = events;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws the system's error when the socket is not there, ControlError when who serves it does not answer */
  static async connect(path: string, options: SysClientOptions = {}): Promise<SysClient> {
    const { clock = platformClock, timeoutMs = 40_000, name: asker = "" } = options;
    const connection = new ControlConnection(await open(path, clock), { clock, peer: path });
    const events: { monitor: SysMonitor | null } = { monitor: null };
    connection.onEvent((type, body) => {
      if (type === SysMessage.UEVENT) events.monitor?.uevent(SysUevent.decode(body).keys);
      else if (type === SysMessage.LOST) events.monitor?.lost(SysLost.decode(body).count);
    });
    try {
      const hello = { features: 0n, process: process.pid, name: asker };
      const { name } = await connection.call(sysMessage.hello, hello, { timeoutMs: connectMs });
      return new SysClient(name, connection, events, timeoutMs);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** "closed" when who serves the tree has ended the connection, or `close` has. */
  get state(): ControlConnectionState {
    return this.#connection.state;
  }

  /** All of a directory, by names. @throws ControlError: the tree's refusal, ETIMEDOUT, ENODEV when the connection is gone */
  async list(path: string): Promise<readonly SysItem[]> {
    const all: SysItem[] = [];
    for (let after = ""; ; ) {
      const { entries, last, more } = await this.#call(sysMessage.list, { path, after });
      all.push(...entries.map(itemOf));
      if (more === 0) return all;
      if (last <= after) throw new ProtocolError("bad-value", `${path}: the pages of the list do not go on`);
      after = last;
    }
  }

  /** As `list`; a link at the path's end is not followed. */
  async stat(path: string): Promise<SysItem> {
    return itemOf((await this.#call(sysMessage.stat, { path })).entry);
  }

  /** As `list`. */
  async read(path: string): Promise<string> {
    return (await this.#call(sysMessage.read, { path })).value;
  }

  /** As `list`; what the value causes has happened then. */
  async write(path: string, value: string): Promise<void> {
    await this.#call(sysMessage.write, { path, value });
  }

  /** From here on `monitor` is told; once. @param subsystem only of this one; empty: of all. @throws as `list` */
  async monitor(subsystem: string, monitor: SysMonitor): Promise<void> {
    if (this.#events.monitor !== null)
      throw controlError("EBUSY", "this connection gets uevents already; open another one");
    this.#events.monitor = monitor;
    await this.#call(sysMessage.monitor, { subsystem });
  }

  /** Called once, also when it has ended already. */
  onClose(listener: (reason: Error) => void): void {
    this.#connection.onClose(listener);
  }

  close(): void {
    this.#connection.close();
  }

  #call<Q, R>(exchange: Exchange<Q, R>, request: Partial<Q>): Promise<R> {
    return this.#connection.call(exchange, request, { timeoutMs: this.#timeoutMs });
  }
}

function open(path: string, clock: Clock): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path);
    const fail = (error: Error): void => {
      timer.cancel();
      socket.destroy();
      reject(error);
    };
    const timer = clock.setTimer(connectMs, () =>
      fail(controlError("ETIMEDOUT", `${path} did not accept within ${connectMs} ms`)),
    );
    socket.once("error", fail);
    socket.once("connect", () => {
      timer.cancel();
      socket.off("error", fail);
      resolve(socket);
    });
  });
}

function itemOf({ name, kind, mode, target }: SysEntry): SysItem {
  return { name, kind: sysKindOf(kind), mode, target };
}
