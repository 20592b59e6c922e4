/**
 * One device's way to the engine: the command stream, the numbers of its objects, the promises that wait, and the one end of
 * it all. Every object of the device holds its link, and nothing outside holds it for longer than it is needed: so a
 * device that the application dropped is collected, and given back.
 */
import {
  CommandStream,
  DEVICE_HANDLE,
  encode,
  HANDLE,
  type Handled,
  KIND,
  OWNER,
  type Port,
} from "parhelion-protocol";
import type { DeviceLostReason } from "../device-lost-info.js";
import type { ErrorKind } from "../error.js";
import type { ClientRuntime } from "../runtime.js";
import type { OpenedDevice } from "./adapter-source.js";
import { DeviceWriter } from "./device-writer.js";
import { HandleSpace } from "./handle-space.js";
import { LinkAnchor } from "./link-anchor.js";
import { END_MAPPING, MappedBuffers } from "./mapped-buffers.js";
import { MemoryPressure, type PressureSource } from "./memory-pressure.js";
import { ReplyReader } from "./reply-reader.js";
import { abandon, type Request, RequestTable } from "./requests.js";

/** What the device does with the engine's news. */
export interface DeviceEvents {
  /** Called exactly once. */
  lost(reason: DeviceLostReason, message: string): void;
  uncapturedError(kind: ErrorKind, message: string): void;
}

/**
 * "destroyed": by the application; the engine still answers what was asked before. "failing": the queue broke, and
 * the node may say why. "lost": over.
 */
type LinkState = "open" | "destroyed" | "failing" | "lost";

/** How long the node may take to say why a queue broke; engine and node notice the same event independently. */
const reasonGraceMs = 250;

export class DeviceLink {
  readonly stream: CommandStream;
  readonly requests: RequestTable;
  readonly mapped = new MappedBuffers();
  readonly #opened: OpenedDevice;
  readonly #port: Port;
  readonly #runtime: ClientRuntime;
  readonly #writer: DeviceWriter;
  readonly #replies: ReplyReader;
  readonly #handles = new HandleSpace();
  readonly #collected: FinalizationRegistry<number>;
  readonly #imported = new WeakMap<Handled, number>();
  readonly #pressure: MemoryPressure | null;
  #events: DeviceEvents | undefined;
  #state: LinkState = "open";

  /** @param slice whose memory the device uses; null when that has no limit */
  constructor(opened: OpenedDevice, runtime: ClientRuntime, slice: PressureSource | null = null) {
    const port = opened.port;
    this.#pressure = slice === null ? null : pressureOn(slice, runtime);
    this.#opened = opened;
    this.#port = port;
    this.#runtime = runtime;
    this.#writer = new DeviceWriter(
      port.tx,
      (task) => runtime.afterTurn(task),
      (reason) => port.close(reason instanceof Error ? reason : new Error(String(reason))),
    );
    this.stream = new CommandStream({
      tx: this.#writer,
      owner: this,
      features: new Set(opened.grant.features),
      importForeign: (object) => this.#import(object),
    });
    this.#collected = new FinalizationRegistry((id) => this.release(id));
    const anchor = new LinkAnchor<DeviceLink>(this);
    this.requests = new RequestTable((pending) => {
      if (pending > 0) {
        anchor.pin();
        port.ref();
      } else {
        anchor.unpin();
        port.unref();
      }
    });
    this.#replies = new ReplyReader(port.rx, this.requests, {
      uncapturedError: (kind, message) => this.#events?.uncapturedError(kind, message),
      deviceLost: (reason, message) => this.#finish(reason, message),
    });
    listen(opened, anchor);
  }

  /** Names this queue on other devices of the process. */
  get serial(): number {
    return this.#opened.serial;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** The device that this link belongs to; call once. */
  attach(events: DeviceEvents): void {
    this.#events = events;
  }

  allocate(): number {
    return this.#handles.allocate();
  }

  /** Takes back a number that was never sent. */
  unallocate(id: number): void {
    this.#handles.free(id);
  }

  /** From now on the engine's object `id` lives as long as `object`. */
  track(object: object, id: number): void {
    this.#collected.register(object, id);
  }

  /** The object `id` takes about so much memory, until it is `freed` or released. */
  holds(id: number, bytes: number): void {
    this.#pressure?.created(id, bytes);
  }

  freed(id: number): void {
    this.#pressure?.gone(id);
  }

  /**
   * Asks the engine for something that a promise waits for. On a lost device the answer is known.
   * @param encode writes the command that carries the request's number; what it throws is thrown, and nothing was asked
   */
  ask(request: Request, encode: (stream: CommandStream, number: number) => void): void {
    if (this.#state !== "open") {
      encode(this.stream, 0);
      abandon(request);
      return;
    }
    const number = this.requests.add(request);
    try {
      encode(this.stream, number);
    } catch (error) {
      this.requests.forget(number);
      throw error;
    }
    this.#port.expectReply();
    this.flush();
  }

  flush(): void {
    this.#writer.flush();
  }

  /** GPUDevice.destroy(): what was asked before is still answered, what comes after goes nowhere. */
  destroy(): void {
    if (this.#state !== "open") return;
    this.#endMappings("the device was destroyed before the mapping was done");
    encode.deviceDestroy(this.stream, DEVICE_HANDLE);
    this.flush();
    this.#writer.discard();
    this.#state = "destroyed";
    this.#events?.lost("destroyed", "Device was destroyed.");
  }

  setLabel(id: number, label: string): void {
    encode.setLabel(this.stream, id, label);
  }

  /** @internal The port has something. */
  read(): void {
    if (this.#state !== "lost") this.#replies.read();
  }

  /** @internal The port is closed. */
  fail(reason: Error): void {
    if (this.#state === "destroyed") this.#finish("destroyed", "Device was destroyed.");
    if (this.#state !== "open") return;
    this.#state = "failing";
    this.#writer.discard();
    const release = this.requests.size > 0 ? this.#runtime.keepAlive() : undefined;
    this.#runtime.clock.setTimer(reasonGraceMs, () => {
      release?.();
      this.#finish("unknown", `The command queue broke: ${reason.message}.`);
    });
  }

  /** @internal */
  nodeSaysLost(message: string): void {
    this.#finish("unknown", message);
  }

  #finish(reason: DeviceLostReason, message: string): void {
    if (this.#state === "lost") return;
    const announced = this.#state === "destroyed";
    this.#state = "lost";
    this.#writer.discard();
    if (!announced) this.#events?.lost(reason, message);
    this.requests.abandonAll();
    this.#opened.release();
  }

  #endMappings(why: string): void {
    for (const buffer of this.mapped) buffer[END_MAPPING](why);
  }

  /** The object `id` is nobody's any more. */
  release(id: number): void {
    if (this.#state !== "open") return;
    this.#pressure?.gone(id);
    encode.release(this.stream, id);
    this.#handles.free(id);
  }

  /** Makes an object of another device known here, so that the engine can say what is wrong with using it. */
  #import(object: Handled): number {
    const known = this.#imported.get(object);
    if (known !== undefined) return known;
    const other = object[OWNER];
    if (!(other instanceof DeviceLink))
      throw new TypeError("The object belongs to another WebGPU implementation.");
    // The engine must have met the object before it can be told to fetch it.
    other.flush();
    const id = this.allocate();
    encode.importObject(this.stream, id, object[KIND], other.serial, object[HANDLE]);
    this.#imported.set(object, id);
    this.track(object, id);
    return id;
  }
}

function pressureOn(slice: PressureSource, runtime: ClientRuntime): MemoryPressure {
  return new MemoryPressure(slice, (then) =>
    runtime.afterTurn(() => {
      runtime.collect();
      then();
    }),
  );
}

/** Apart from the constructor: closures that are made in one place share what they capture, and these outlive the link. */
function listen(opened: OpenedDevice, anchor: LinkAnchor<DeviceLink>): void {
  opened.port.onReadable(() => anchor.link?.read());
  opened.port.onClose((reason) => anchor.link?.fail(reason));
  opened.onLost((message) => anchor.link?.nodeSaysLost(message));
}
