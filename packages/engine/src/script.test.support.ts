/** A client of a few lines for tests: commands by number, replies as promises. Not WebGPU; that is the client package's. */
import {
  CommandStream,
  type EventHandlers,
  EventReader,
  encode,
  HANDLE,
  type Handled,
  InterfaceKind,
  KIND,
  OWNER,
  type Port,
  QUEUE_HANDLE,
} from "parhelion-protocol";

export interface ScriptError {
  readonly kind: string;
  readonly message: string;
}

export class Script {
  readonly port: Port;
  readonly stream: CommandStream;
  readonly uncaptured: ScriptError[] = [];
  readonly closed: Promise<Error>;
  readonly lost: Promise<{ reason: string; message: string }>;
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  readonly #maps = new Map<number, Uint8Array>();
  #requests = 0;
  #ids = 2;
  closeReason: Error | undefined;

  constructor(port: Port) {
    this.port = port;
    // A client of another make may let the engine find out what the device can't do.
    const features = new Set(["texture-compression-bc"]);
    this.stream = new CommandStream({ tx: port.tx, owner: this, features, importForeign: () => 0 });
    const reader = new EventReader(port.rx);
    let lose: (loss: { reason: string; message: string }) => void = () => undefined;
    this.lost = new Promise((resolve) => {
      lose = resolve;
    });
    const handlers: EventHandlers = {
      replyWorkDone: (request) => this.#settle(request, undefined),
      replyMap: (request, result, total, name, message) => {
        if (result === "error") this.#fail(request, `${name}: ${message}`);
        else this.#maps.set(request, new Uint8Array(total));
      },
      mapData: (request, last, offset, data) => {
        const bytes = this.#maps.get(request)!;
        bytes.set(data, offset);
        if (last) this.#settle(request, bytes);
      },
      replyErrorScope: (request, result, message) => {
        if (result === "error") this.#fail(request, message);
        else this.#settle(request, result === "none" ? null : { kind: result, message });
      },
      replyPipeline: (request, result, message) => {
        if (result === "ok") this.#settle(request, undefined);
        else this.#fail(request, `${result}: ${message}`);
      },
      replyCompilationInfo: (request, messages) => this.#settle(request, messages),
      uncapturedError: (kind, message) => this.uncaptured.push({ kind, message }),
      deviceLost: (reason, message) => lose({ reason, message }),
    };
    port.onReadable(() => reader.read(handlers));
    port.ref();
    this.closed = new Promise((resolve) => {
      port.onClose((reason) => {
        this.closeReason = reason;
        for (const { reject } of this.#waiting.values()) reject(reason);
        this.#waiting.clear();
        resolve(reason);
      });
    });
  }

  id(): number {
    return ++this.#ids;
  }

  /** What encoders take for an object. */
  handle(kind: number, id: number): Handled {
    return { [KIND]: kind, [HANDLE]: id, [OWNER]: this };
  }

  buffer(id: number): Handled {
    return this.handle(InterfaceKind.GPUBuffer, id);
  }

  /** Sends a command that carries a request number and waits for the reply. */
  ask<T = unknown>(send: (request: number) => void): Promise<T> {
    const request = ++this.#requests;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(request, { resolve: resolve as (value: unknown) => void, reject });
      send(request);
      this.stream.flush();
      this.port.expectReply();
    });
  }

  createBuffer(size: number, usage: number, mappedAtCreation = false): number {
    const id = this.id();
    encode.deviceCreateBuffer(this.stream, 1, id, { size, usage, mappedAtCreation });
    return id;
  }

  write(buffer: number, offset: number, data: ArrayBufferView): void {
    encode.queueWriteBuffer(this.stream, QUEUE_HANDLE, this.buffer(buffer), offset, data);
  }

  copy(source: number, destination: number, size: number): void {
    const encoder = this.id();
    const commands = this.id();
    encode.deviceCreateCommandEncoder(this.stream, 1, encoder);
    encode.commandEncoderCopyBufferToBuffer(
      this.stream,
      encoder,
      this.buffer(source),
      0,
      this.buffer(destination),
      0,
      size,
    );
    encode.commandEncoderFinish(this.stream, encoder, commands);
    this.submit(commands);
    this.release(encoder, commands);
  }

  submit(...commandBuffers: number[]): void {
    const handles = commandBuffers.map((id) => this.handle(InterfaceKind.GPUCommandBuffer, id));
    encode.queueSubmit(this.stream, QUEUE_HANDLE, handles);
  }

  release(...ids: number[]): void {
    for (const id of ids) encode.release(this.stream, id);
  }

  done(): Promise<void> {
    return this.ask((request) => encode.queueOnSubmittedWorkDone(this.stream, QUEUE_HANDLE, request));
  }

  map(buffer: number, mode: number, offset?: number, size?: number): Promise<Uint8Array> {
    return this.ask((request) => encode.bufferMapAsync(this.stream, buffer, request, mode, offset, size));
  }

  unmap(buffer: number): void {
    encode.bufferUnmap(this.stream, buffer);
  }

  pushScope(filter: string): void {
    encode.devicePushErrorScope(this.stream, 1, filter);
  }

  popScope(): Promise<ScriptError | null> {
    return this.ask((request) => encode.devicePopErrorScope(this.stream, 1, request));
  }

  #settle(request: number, value: unknown): void {
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    this.#maps.delete(request);
    waiting?.resolve(value);
  }

  #fail(request: number, message: string): void {
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    waiting?.reject(new Error(message));
  }
}

export const Usage = { MAP_READ: 1, MAP_WRITE: 2, COPY_SRC: 4, COPY_DST: 8, STORAGE: 128 } as const;
export const plainDevice = {
  label: "",
  requiredFeatures: [],
  requiredLimits: {},
  defaultQueueLabel: "",
} as const;
