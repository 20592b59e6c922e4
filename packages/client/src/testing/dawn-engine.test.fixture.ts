/// <reference types="@webgpu/types" />
/** For tests: the engine's end of one queue, on a Dawn device of this same process. As little as answers correctly. */
import {
  type CommandFailure,
  DEVICE_HANDLE,
  EventWriter,
  encodeEventDeviceLost,
  encodeEventMapData,
  encodeEventReplyCompilationInfo,
  encodeEventReplyErrorScope,
  encodeEventReplyMap,
  encodeEventReplyPipeline,
  encodeEventReplyWorkDone,
  encodeEventUncapturedError,
  InterfaceKind,
  ObjectTable,
  type Port,
  QUEUE_HANDLE,
  Replayer,
  type Reservation,
  type SpecialCommands,
} from "parhelion-protocol";

/** Finds the objects of other queues. */
export type QueueLookup = (queue: number) => ObjectTable | undefined;

interface EngineMapping {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export class DawnEngine implements SpecialCommands {
  readonly objects = new ObjectTable();
  readonly device: GPUDevice;
  /** Records taken from the ring. */
  replayed = 0;
  /** Names of commands that threw in Dawn. */
  readonly failures: string[] = [];
  readonly #port: Port;
  readonly #writer: EventWriter;
  readonly #findQueue: QueueLookup;
  readonly #mappings = new WeakMap<object, EngineMapping>();
  readonly #waiting: (() => boolean)[] = [];

  constructor(port: Port, device: GPUDevice, findQueue: QueueLookup) {
    this.#port = port;
    this.device = device;
    this.#findQueue = findQueue;
    this.#writer = new EventWriter(port.tx);
    this.objects.put(DEVICE_HANDLE, InterfaceKind.GPUDevice, device);
    this.objects.put(QUEUE_HANDLE, InterfaceKind.GPUQueue, device.queue);
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#send(() => encodeEventUncapturedError(this.#writer, kindOf(event.error), event.error.message));
    });
    void device.lost.then(({ reason, message }) =>
      this.#send(() => encodeEventDeviceLost(this.#writer, reason, message)),
    );
    const replayer = new Replayer(port.rx, this.objects, this);
    port.onReadable(() => {
      this.replayed += replayer.replay(Number.POSITIVE_INFINITY);
    });
    port.onWritable(() => this.#drain());
  }

  /** As a lost GPU would look like to the client. */
  lose(message: string): void {
    this.#send(() => encodeEventDeviceLost(this.#writer, "unknown", message));
  }

  #send(event: () => boolean): void {
    this.#waiting.push(event);
    this.#drain();
  }

  #drain(): void {
    if (this.#port.state !== "open") return;
    while (this.#waiting[0]?.() === true) this.#waiting.shift();
    this.#port.tx.flush();
  }

  deviceDestroy(): void {
    this.device.destroy();
  }

  deviceCreateBuffer(_device: unknown, descriptor: unknown): never {
    return this.device.createBuffer(descriptor as GPUBufferDescriptor) as never;
  }

  deviceCreateTexture(_device: unknown, descriptor: unknown): never {
    return this.device.createTexture(descriptor as GPUTextureDescriptor) as never;
  }

  deviceCreateQuerySet(_device: unknown, descriptor: unknown): never {
    return this.device.createQuerySet(descriptor as GPUQuerySetDescriptor) as never;
  }

  textureCreateView(texture: unknown, descriptor: unknown): never {
    return (texture as GPUTexture).createView(descriptor as GPUTextureViewDescriptor) as never;
  }

  commandEncoderFinish(encoder: unknown, descriptor: unknown): never {
    return (encoder as GPUCommandEncoder).finish(descriptor as GPUCommandBufferDescriptor) as never;
  }

  bufferUnmap(buffer: unknown): void {
    this.#mappings.delete(buffer as GPUBuffer);
    (buffer as GPUBuffer).unmap();
  }

  bufferDestroy(buffer: unknown): void {
    (buffer as GPUBuffer).destroy();
  }

  textureDestroy(texture: unknown): void {
    (texture as GPUTexture).destroy();
  }

  querySetDestroy(querySet: unknown): void {
    (querySet as GPUQuerySet).destroy();
  }

  queueSubmit(_queue: unknown, commandBuffers: unknown): void {
    this.device.queue.submit(commandBuffers as GPUCommandBuffer[]);
  }

  devicePopErrorScope(_device: unknown, request: number): void {
    this.device.popErrorScope().then(
      (error) => {
        const result = error === null ? "none" : kindOf(error);
        this.#send(() => encodeEventReplyErrorScope(this.#writer, request, result, error?.message ?? ""));
      },
      (error: unknown) =>
        this.#send(() => encodeEventReplyErrorScope(this.#writer, request, "error", messageOf(error))),
    );
  }

  deviceCreateComputePipelineAsync(
    _d: unknown,
    made: Reservation,
    request: number,
    descriptor: unknown,
  ): void {
    this.#pipeline(
      this.device.createComputePipelineAsync(descriptor as GPUComputePipelineDescriptor),
      made,
      request,
    );
  }

  deviceCreateRenderPipelineAsync(
    _d: unknown,
    made: Reservation,
    request: number,
    descriptor: unknown,
  ): void {
    this.#pipeline(
      this.device.createRenderPipelineAsync(descriptor as GPURenderPipelineDescriptor),
      made,
      request,
    );
  }

  #pipeline(creating: Promise<object>, reservation: Reservation, request: number): void {
    creating.then(
      (pipeline) => {
        reservation.fulfil(pipeline);
        this.#send(() => encodeEventReplyPipeline(this.#writer, request, "ok", ""));
      },
      (error: unknown) => {
        reservation.fail();
        const reason = (error as { readonly reason?: "validation" | "internal" }).reason ?? "internal";
        this.#send(() => encodeEventReplyPipeline(this.#writer, request, reason, messageOf(error)));
      },
    );
  }

  bufferMapAsync(
    target: unknown,
    request: number,
    mode: number,
    offset: number,
    size: number | undefined,
  ): void {
    const buffer = target as GPUBuffer;
    buffer.mapAsync(mode, offset, size).then(
      () => {
        const bytes = new Uint8Array(buffer.getMappedRange(offset, size));
        this.#mappings.set(buffer, { offset, bytes });
        this.#send(() => encodeEventReplyMap(this.#writer, request, "ok", bytes.length, "", ""));
        this.#sendMapped(request, bytes);
      },
      (error: unknown) => {
        const name = error instanceof Error ? error.name : "OperationError";
        this.#send(() => encodeEventReplyMap(this.#writer, request, "error", 0, name, messageOf(error)));
      },
    );
  }

  #sendMapped(request: number, bytes: Uint8Array): void {
    const most = this.#writer.maxData;
    let at = 0;
    do {
      const from = at;
      const chunk = bytes.subarray(from, from + most);
      at += chunk.length;
      const last = at === bytes.length;
      this.#send(() => encodeEventMapData(this.#writer, request, last, from, chunk));
    } while (at < bytes.length);
  }

  bufferWriteMapped(target: unknown, offset: number, data: Uint8Array): void {
    const buffer = target as GPUBuffer;
    const known = this.#mappings.get(buffer) ?? { offset: 0, bytes: new Uint8Array(buffer.getMappedRange()) };
    this.#mappings.set(buffer, known);
    known.bytes.set(data, offset - known.offset);
  }

  shaderModuleGetCompilationInfo(module: unknown, request: number): void {
    void (module as GPUShaderModule)
      .getCompilationInfo()
      .then(({ messages }) =>
        this.#send(() => encodeEventReplyCompilationInfo(this.#writer, request, [...messages])),
      );
  }

  queueOnSubmittedWorkDone(_queue: unknown, request: number): void {
    void this.device.queue
      .onSubmittedWorkDone()
      .then(() => this.#send(() => encodeEventReplyWorkDone(this.#writer, request)));
  }

  queueWriteBuffer(
    _queue: unknown,
    target: unknown,
    offset: number,
    total: number,
    continuation: boolean,
    data: Uint8Array,
  ): void {
    const buffer = target as GPUBuffer;
    if (!continuation && offset + total > buffer.size) {
      // One write, one error: the rest will be refused as well.
      this.device.queue.writeBuffer(buffer, offset, new Uint8Array(buffer.size + 4));
    } else if (offset + data.length <= buffer.size)
      this.device.queue.writeBuffer(buffer, offset, data.slice());
  }

  queueWriteTexture(
    _queue: unknown,
    destination: unknown,
    layout: unknown,
    size: unknown,
    data: Uint8Array,
  ): void {
    this.device.queue.writeTexture(
      destination as GPUTexelCopyTextureInfo,
      data.slice(),
      layout as GPUTexelCopyBufferLayout,
      size as GPUExtent3DStrict,
    );
  }

  release(): void {}

  importObject(kind: number, queue: number, other: number): object | undefined {
    return this.#findQueue(queue)?.get(other, kind);
  }

  commandFailed(failure: CommandFailure): void {
    this.failures.push(`${failure.command}: ${messageOf(failure.error)}`);
  }
}

function kindOf(error: GPUError): "validation" | "out-of-memory" | "internal" {
  switch (error.constructor.name) {
    case "GPUValidationError":
      return "validation";
    case "GPUOutOfMemoryError":
      return "out-of-memory";
    default:
      return "internal";
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
