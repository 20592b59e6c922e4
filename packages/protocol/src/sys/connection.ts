/** One connection to a device tree's socket: requests, and at most one stream of uevents. */
import type { Socket } from "node:net";
import { posix } from "node:path";
import type { Clock } from "../clock.js";
import { ControlConnection } from "../messages/control-connection.js";
import { controlError } from "../messages/control-error.js";
import type { SysEntry } from "../messages/generated/structs.js";
import { SysMessage, sysMessage } from "../messages/generated/sys.js";
import { sysKinds } from "./kinds.js";
import type { SysSource, SysUevent } from "./tree.js";

/** Requests of one connection that may be under way at once. */
export const SYS_REQUESTS = 64;
/** Uevents that one connection has not read, in bytes; what comes beyond that is counted and told as lost. */
export const SYS_BACKLOG = 256 * 1024;
/** Entries of a directory in one reply: so many of the longest fit a control message. */
const pageEntries = 128;
/** Within this time a connection says HELLO, in ms. */
const helloMs = 10_000;
/** Nothing optional yet. */
const features = 0n;

export interface SysConnectionInit {
  readonly socket: Socket;
  readonly source: SysSource;
  readonly clock: Clock;
  /** Called once, when HELLO was said. */
  readonly greeted: () => void;
  /** Called once, when the connection has ended. */
  readonly ended: () => void;
}

export class SysConnection {
  readonly #socket: Socket;
  readonly #source: SysSource;
  readonly #connection: ControlConnection;
  readonly #greeted: () => void;
  #state: "new" | "greeted" | "monitoring" = "new";
  #stopMonitor: () => void = () => {};
  /** Uevents since the last one that was sent. */
  #lost = 0;

  constructor({ socket, source, clock, greeted, ended }: SysConnectionInit) {
    this.#socket = socket;
    this.#source = source;
    this.#greeted = greeted;
    this.#connection = new ControlConnection(socket, { clock, maxServing: SYS_REQUESTS, peer: "the asker" });
    this.#connection.onRequest((type, body) => this.#serve(type, body));
    const late = clock.setTimer(helloMs, () => {
      if (this.#state === "new") this.close(`no HELLO within ${helloMs} ms`);
    });
    socket.on("drain", this.#tellLost);
    this.#connection.onClose(() => {
      late.cancel();
      this.#stopMonitor();
      socket.off("drain", this.#tellLost);
      ended();
    });
  }

  close(why: string): void {
    this.#connection.close(new Error(why));
  }

  async #serve(type: number, body: Uint8Array): Promise<Uint8Array> {
    if (type === SysMessage.HELLO) return this.#hello(body);
    if (this.#state === "new") throw controlError("EPROTO", "the first message on this socket is HELLO");
    const { tree } = this.#source;
    switch (type) {
      case SysMessage.LIST:
        return this.#list(body);
      case SysMessage.STAT: {
        const { path } = sysMessage.stat.request.decode(body);
        return sysMessage.stat.reply.encode({ entry: await this.#entry(path, posix.basename(path)) });
      }
      case SysMessage.READ: {
        const { path } = sysMessage.read.request.decode(body);
        return sysMessage.read.reply.encode({ value: await tree.read(path) });
      }
      case SysMessage.WRITE: {
        const { path, value } = sysMessage.write.request.decode(body);
        await tree.write(path, value);
        return sysMessage.write.reply.encode({});
      }
      case SysMessage.MONITOR:
        return this.#monitor(body);
      default:
        throw controlError("ENOTTY", `message 0x${type.toString(16)} is not supported here`);
    }
  }

  #hello(body: Uint8Array): Uint8Array {
    sysMessage.hello.request.decode(body);
    if (this.#state !== "new") throw controlError("EPROTO", "HELLO was said before");
    this.#state = "greeted";
    this.#greeted();
    return sysMessage.hello.reply.encode({ features, name: this.#source.name });
  }

  async #list(body: Uint8Array): Promise<Uint8Array> {
    const { path, after } = sysMessage.list.request.decode(body);
    const names = [...(await this.#source.tree.list(path))].sort();
    // By name and not by number: what comes and goes between two pages moves nothing else.
    const rest = names.filter((name) => after === "" || name > after);
    const page = rest.slice(0, pageEntries);
    const entries = await Promise.all(page.map((name) => this.#entryIfThere(`${path}/${name}`, name)));
    return sysMessage.list.reply.encode({
      entries: entries.filter((entry) => entry !== null),
      last: page.at(-1) ?? "",
      more: rest.length > page.length ? 1 : 0,
    });
  }

  async #entry(path: string, name: string): Promise<SysEntry> {
    const { tree } = this.#source;
    const { kind, mode } = await tree.stat(path);
    return { name, kind: sysKinds[kind], mode, target: kind === "link" ? await tree.readlink(path) : "" };
  }

  /** Null for what has gone since its directory was listed. */
  async #entryIfThere(path: string, name: string): Promise<SysEntry | null> {
    try {
      return await this.#entry(path, name);
    } catch {
      return null;
    }
  }

  #monitor(body: Uint8Array): Uint8Array {
    const { subsystem } = sysMessage.monitor.request.decode(body);
    if (this.#state === "monitoring")
      throw controlError("EBUSY", "this connection gets uevents already; open another one");
    this.#state = "monitoring";
    this.#stopMonitor = this.#source.onUevent((event) => {
      if (subsystem === "" || event.subsystem === subsystem) this.#deliver(event);
    });
    return sysMessage.monitor.reply.encode({});
  }

  #deliver({ keys }: SysUevent): void {
    this.#tellLost();
    if (this.#lost === 0 && this.#hasRoom()) {
      try {
        this.#connection.notify(sysMessage.uevent, { keys: keys.map(([key, value]) => `${key}=${value}`) });
        return;
      } catch {
        // Longer than a message may be.
      }
    }
    this.#lost += 1;
    this.#tellLost();
  }

  readonly #tellLost = (): void => {
    if (this.#lost === 0 || !this.#hasRoom()) return;
    const count = this.#lost;
    this.#lost = 0;
    this.#connection.notify(sysMessage.lost, { count });
  };

  #hasRoom(): boolean {
    return this.#socket.writableLength < SYS_BACKLOG;
  }
}
