/**
 * Requests and completions on one open channel, the same at both ends. Every request settles: by its completion, by its
 * deadline, or with ENODEV, before anything else happens, when the channel goes (waiting requests would otherwise keep
 * a driver's remove from ever getting its locks).
 */
import { Completion, invoke, isKernelError, KernelError, type Named, type Runtime } from "parhelion-core";
import {
  ControlError,
  ErrorDetail,
  type Exchange,
  errnoOfNtStatus,
  isProtocolError,
  type Notice,
  NtStatus,
  ntStatusOfErrno,
  StatusErrno,
} from "parhelion-protocol";
import { type ChannelIdentity, logStale, sameIdentity, staleDetail } from "./identity.js";
import { type Command, decodePacket, encodeCommand, encodeCompletion, type Packet } from "./packet.js";

export interface CommandHandlers {
  /** Serves one request: returns the reply's body. Throws an error with `errno` to refuse. */
  request?(command: Command): Uint8Array | Promise<Uint8Array>;
  /** Receives what wants no completion. */
  message?(command: Command): void;
}

export interface RequestInit {
  /** The host's handle of the process on whose behalf; default 0. */
  readonly process?: number;
  /** In ms from now; default the runtime's patience. */
  readonly timeoutMs?: number;
}

export interface AskInit<R> extends RequestInit {
  /** Gets the reply that comes after the deadline: what it says was made has an owner no more. Not after `cancel`. */
  readonly late?: (reply: R) => void;
}

/** Most requests of ours that wait at once on a channel, and most of the peer's that are served at once. */
export const MAX_OUTSTANDING = 4096;
/** Bytes of the peer's requests that are served at once on a channel: most have a hundred, and one may have MAX_PACKET. */
export const MAX_SERVED_BYTES = 4 * 1024 * 1024;

interface Pending {
  readonly process: number;
  readonly reply: Completion<Uint8Array>;
}

/** A request that missed its deadline, its reply being of interest. */
interface Overdue {
  readonly process: number;
  readonly take: (body: Uint8Array) => void;
}

export class PacketEndpoint {
  readonly name: string;
  readonly #runtime: Runtime;
  /** Stands for the fields below. */
  readonly #tables: Named;
  readonly #channelType: number;
  readonly #identity: ChannelIdentity | null;
  readonly #handlers: CommandHandlers;
  readonly #send: (packet: Uint8Array) => void;
  readonly #pending = new Map<bigint, Pending>();
  readonly #overdue = new Map<bigint, Overdue>();
  #lastTransaction = 0n;
  #serving = 0;
  #servedBytes = 0;
  #gone: KernelError | null = null;

  /**
   * @param name the channel, for messages
   * @param channelType goes into the header of what this end sends
   * @param identity named in all that is sent, and to be named in all that comes; null: the ends have not agreed on it
   */
  constructor(
    runtime: Runtime,
    name: string,
    channelType: number,
    identity: ChannelIdentity | null,
    handlers: CommandHandlers,
    send: (packet: Uint8Array) => void,
  ) {
    this.#runtime = runtime;
    this.name = name;
    this.#tables = { name: `requests of type ${channelType} on ${name}` };
    this.#channelType = channelType;
    this.#identity = identity;
    this.#handlers = handlers;
    this.#send = send;
  }

  /**
   * @throws KernelError ENODEV the channel is gone or goes meanwhile, EAGAIN too much is outstanding, ETIMEDOUT (the
   *   other end may still do it)
   * @throws ControlError what the other end refused with
   * @throws ProtocolError the request is too long, or the reply malformed
   */
  async request<Q, R>(exchange: Exchange<Q, R>, value: Partial<Q>, init: AskInit<R> = {}): Promise<R> {
    this.#access("write");
    if (this.#gone !== null) throw this.#gone;
    if (this.#pending.size + this.#overdue.size >= MAX_OUTSTANDING) {
      throw new KernelError(
        "EAGAIN",
        `${MAX_OUTSTANDING} requests are outstanding on ${this.name}; wait for some`,
      );
    }
    this.#lastTransaction += 1n;
    const transaction = this.#lastTransaction;
    const packet = encodeCommand(
      this.#command(exchange.type, exchange.request.encode(value), init),
      transaction,
      this.#identity,
    );
    const reply = new Completion<Uint8Array>(this.#runtime, `${exchange.name} on ${this.name}`);
    this.#pending.set(transaction, { process: init.process ?? 0, reply });
    this.#send(packet);
    try {
      const timeoutMs = init.timeoutMs ?? this.#runtime.patienceMs;
      return exchange.reply.decode(await reply.wait({ deadline: this.#runtime.clock.now() + timeoutMs }));
    } catch (error) {
      this.#access("write");
      const { late, process = 0 } = init;
      if (late !== undefined && isKernelError(error, "ETIMEDOUT") && this.#gone === null)
        this.#overdue.set(transaction, { process, take: (body) => late(exchange.reply.decode(body)) });
      throw error;
    } finally {
      this.#access("write");
      this.#pending.delete(transaction);
    }
  }

  /** Sends what wants no completion. @throws KernelError ENODEV the channel is gone */
  notify<T>(notice: Notice<T>, value: Partial<T>, init: RequestInit = {}): void {
    this.#access("read");
    if (this.#gone !== null) throw this.#gone;
    const command = this.#command(notice.type, notice.body.encode(value), init);
    this.#send(encodeCommand(command, 0n, this.#identity));
  }

  /** @throws ProtocolError when the packet is malformed: the connection can't go on */
  receive(bytes: Uint8Array): void {
    const packet = decodePacket(bytes);
    this.#access("read");
    if (this.#gone !== null) return;
    if (this.#identity !== null && !sameIdentity(this.#identity, packet.identity)) this.#refuseStale(packet);
    else if (packet.kind === "message") this.#handlers.message?.(packet.command);
    else if (packet.kind === "request") this.#serve(packet.transaction, packet.command);
    else this.#complete(packet.transaction, packet.status, packet.body);
  }

  /** It is of another slice or another generation: it changes nothing here. */
  #refuseStale(packet: Packet): void {
    if (packet.kind === "request") {
      const { transaction, identity } = packet;
      const detail = staleDetail(identity, this.#identity);
      // In the asker's own terms, or it would not be heard there.
      this.#send(encodeCompletion(transaction, NtStatus.FILE_HANDLE_REVOKED, detail, identity));
    }
    logStale(this.#runtime, packet.kind, this.name, packet.identity);
  }

  /** From here on nothing is sent, served or awaited; what waits gets `error` at once. Idempotent. */
  fail(error: KernelError): void {
    this.#access("write");
    if (this.#gone !== null) return;
    this.#gone = error;
    for (const { reply } of this.#pending.values()) reply.fail(error);
    this.#pending.clear();
    this.#overdue.clear();
  }

  /**
   * Gives up what waits on behalf of a process: it rejects with ECANCELED now. The other end may still do it, so the
   * process has to be destroyed there afterwards.
   */
  cancel(process: number): void {
    this.#access("write");
    for (const [transaction, overdue] of this.#overdue)
      if (overdue.process === process) this.#overdue.delete(transaction);
    for (const pending of this.#pending.values()) {
      if (pending.process !== process) continue;
      pending.reply.fail(
        new KernelError("ECANCELED", `${pending.reply.name}: process ${process} is closing`),
      );
    }
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this.#tables, mode);
  }

  #command(type: number, body: Uint8Array, init: RequestInit): Command {
    return { process: init.process ?? 0, channelType: this.#channelType, type, body };
  }

  #complete(transaction: bigint, status: number, body: Uint8Array): void {
    this.#access("write");
    const reply = this.#pending.get(transaction)?.reply;
    const errno = -errnoOfNtStatus(status);
    // Not there: it missed its deadline or was cancelled.
    if (reply === undefined) {
      const overdue = this.#overdue.get(transaction);
      this.#overdue.delete(transaction);
      if (errno === 0) overdue?.take(body);
      return;
    }
    if (errno === 0) {
      reply.completeAll(body);
      return;
    }
    const { text, privateData } = ErrorDetail.decode(body);
    reply.fail(
      new ControlError(errno, text === "" ? `${reply.name}: NTSTATUS 0x${status.toString(16)}` : text, {
        privateData,
      }),
    );
  }

  #serve(transaction: bigint, command: Command): void {
    const { request } = this.#handlers;
    const done = (status: number, body: Uint8Array): void => {
      this.#access("read");
      if (this.#gone === null) this.#send(encodeCompletion(transaction, status, body, this.#identity));
    };
    const bytes = command.body.length;
    const isFull = this.#serving >= MAX_OUTSTANDING;
    if (isFull || this.#servedBytes + bytes > MAX_SERVED_BYTES) {
      const much = isFull ? `${MAX_OUTSTANDING} requests` : `requests of ${this.#servedBytes} bytes`;
      const text = `${much} are being served on ${this.name}; wait for some`;
      done(NtStatus.RETRY, ErrorDetail.encode({ text }));
      return;
    }
    this.#access("write");
    this.#serving++;
    this.#servedBytes += bytes;
    this.#runtime.scheduler.spawn(`serve ${command.type} on ${this.name}`, async () => {
      try {
        this.#access("read");
        // What it makes would have no owner.
        if (this.#gone !== null) throw this.#gone;
        if (request === undefined)
          throw new ControlError(StatusErrno.ENOTTY, `nothing is served on ${this.name}`);
        done(
          NtStatus.SUCCESS,
          await invoke(this.#runtime, "channel.serve", this, () => request.call(this.#handlers, command)),
        );
      } catch (error) {
        done(...refusal(error));
        if (!hasErrno(error) && !isProtocolError(error)) throw error;
      } finally {
        this.#access("write");
        this.#serving--;
        this.#servedBytes -= bytes;
      }
    });
  }
}

function hasErrno(error: unknown): error is Error & { readonly errno: number } {
  return error instanceof Error && "errno" in error && typeof error.errno === "number" && error.errno > 0;
}

/** What becomes of an error that a handler throws: its own errno, INVALID_PARAMETER for a malformed body, UNSUCCESSFUL for a bug. */
function refusal(error: unknown): [status: number, body: Uint8Array] {
  const text = error instanceof Error ? error.message.slice(0, 1000) : String(error);
  if (isProtocolError(error)) return [NtStatus.INVALID_PARAMETER, ErrorDetail.encode({ text })];
  if (!hasErrno(error)) return [NtStatus.UNSUCCESSFUL, ErrorDetail.encode({ text })];
  const privateData =
    "privateData" in error && error.privateData instanceof Uint8Array ? error.privateData : new Uint8Array(0);
  // The receiver puts the errno's name in front again.
  const words = text.replace(/^E[A-Z0-9]+: /, "");
  return [ntStatusOfErrno(-error.errno), ErrorDetail.encode({ text: words, privateData })];
}
