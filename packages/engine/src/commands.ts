/** The commands that are more than a call of Dawn's method of that name. */
import type {
  CommandFailure,
  DecodedGPUBufferDescriptor,
  DecodedGPUCommandBufferDescriptor,
  DecodedGPUComputePipelineDescriptor,
  DecodedGPUQuerySetDescriptor,
  DecodedGPURenderPipelineDescriptor,
  DecodedGPUTexelCopyBufferLayout,
  DecodedGPUTexelCopyTextureInfo,
  DecodedGPUTextureDescriptor,
  DecodedGPUTextureViewDescriptor,
  Extent3D,
  ObjectTable,
  Reservation,
  SpecialCommands,
  TargetBuffer,
  TargetCommandBuffer,
  TargetCommandEncoder,
  TargetDevice,
  TargetQuerySet,
  TargetQueue,
  TargetShaderModule,
  TargetTexture,
  TargetTextureView,
} from "parhelion-protocol";
import type { Collector } from "./collector.js";
import { type EngineDevice, errorKind } from "./device.js";
import type { EventSender } from "./event-sender.js";
import { raiseValidationError, unwrapMessage } from "./failures.js";
import type { ProgressFence } from "./fence.js";
import type { EngineLimits } from "./limits.js";
import { Mappings } from "./mappings.js";
import { messageOf } from "./refusal.js";
import { createBuffer, createQuerySet, createTexture } from "./resources.js";
import { standIn } from "./stand-in.js";

export interface CommandsOptions {
  readonly device: EngineDevice;
  readonly fence: ProgressFence;
  readonly limits: EngineLimits;
  readonly collector: Collector;
  readonly objectsOf: (serial: number) => ObjectTable | undefined;
}

/** What the table holds is Dawn's; the generated code knows only the methods that it calls itself. */
const asDawn = {
  buffer: (object: TargetBuffer) => object as GPUBuffer,
  texture: (object: TargetTexture) => object as GPUTexture,
  querySet: (object: TargetQuerySet) => object as GPUQuerySet,
  queue: (object: TargetQueue) => object as GPUQueue,
  shaderModule: (object: TargetShaderModule) => object as GPUShaderModule,
};

const ignore = () => undefined;

export class Commands implements SpecialCommands {
  readonly #options: CommandsOptions;
  readonly #events: EventSender;
  readonly #mappings: Mappings;
  /** What became of the write whose further pieces follow. */
  #longWrite: "accepted" | "refused" = "accepted";
  /** Destroyed since Dawn last had a reason to free anything. */
  #destroyedBytes = 0;

  constructor(events: EventSender, options: CommandsOptions) {
    this.#options = options;
    this.#events = events;
    this.#mappings = new Mappings(events, options.limits.mapsInFlight);
  }

  /** What is mapped is not sent any further. */
  deviceLost(): void {
    this.#mappings.stop();
  }

  deviceDestroy(): void {
    this.#options.device.destroy();
  }

  deviceCreateBuffer(_device: TargetDevice, descriptor: DecodedGPUBufferDescriptor): TargetBuffer {
    return createBuffer(this.#options.device, descriptor as GPUBufferDescriptor);
  }

  deviceCreateTexture(_device: TargetDevice, descriptor: DecodedGPUTextureDescriptor): TargetTexture {
    return createTexture(this.#options.device, descriptor as unknown as GPUTextureDescriptor);
  }

  deviceCreateQuerySet(_device: TargetDevice, descriptor: DecodedGPUQuerySetDescriptor): TargetQuerySet {
    return createQuerySet(this.#options.device, descriptor as GPUQuerySetDescriptor);
  }

  textureCreateView(texture: TargetTexture, descriptor: DecodedGPUTextureViewDescriptor): TargetTextureView {
    return asDawn.texture(texture).createView(descriptor as GPUTextureViewDescriptor);
  }

  commandEncoderFinish(
    encoder: TargetCommandEncoder,
    descriptor: DecodedGPUCommandBufferDescriptor,
  ): TargetCommandBuffer {
    return (encoder as GPUCommandEncoder).finish(descriptor as GPUCommandBufferDescriptor);
  }

  bufferDestroy(buffer: TargetBuffer): void {
    this.#destroy(asDawn.buffer(buffer));
  }

  textureDestroy(texture: TargetTexture): void {
    this.#destroy(asDawn.texture(texture));
  }

  querySetDestroy(querySet: TargetQuerySet): void {
    this.#destroy(asDawn.querySet(querySet));
  }

  bufferMapAsync(
    buffer: TargetBuffer,
    request: number,
    mode: number,
    offset: number,
    size: number | undefined,
  ): void {
    const dawn = asDawn.buffer(buffer);
    this.#mappings.map(dawn, request, mode, offset, size ?? Math.max(0, dawn.size - offset));
  }

  bufferWriteMapped(buffer: TargetBuffer, offset: number, data: Uint8Array): void {
    this.#mappings.write(asDawn.buffer(buffer), offset, data);
  }

  bufferUnmap(buffer: TargetBuffer): void {
    this.#mappings.unmap(asDawn.buffer(buffer));
  }

  queueSubmit(queue: TargetQueue, commandBuffers: TargetCommandBuffer[]): void {
    try {
      asDawn.queue(queue).submit(commandBuffers as GPUCommandBuffer[]);
    } finally {
      // The client counts its submits as well: a refused one counts at both ends.
      this.#options.fence.submit();
      this.#destroyedBytes = 0;
    }
  }

  queueOnSubmittedWorkDone(queue: TargetQueue, request: number): void {
    const { fence } = this.#options;
    const covered = fence.submitted;
    const reply = () => this.#events.workDone(request);
    asDawn
      .queue(queue)
      .onSubmittedWorkDone()
      .then(() => {
        fence.note(covered);
        reply();
      }, reply);
  }

  /** `data` is in the ring, which is ordinary memory to Dawn: it copies from there, and nothing is copied before. */
  queueWriteBuffer(
    queue: TargetQueue,
    buffer: TargetBuffer,
    bufferOffset: number,
    total: number,
    continuation: boolean,
    data: Uint8Array,
  ): void {
    const dawn = asDawn.queue(queue);
    const target = asDawn.buffer(buffer);
    const bytes = data as Uint8Array<ArrayBuffer>;
    if (!continuation) {
      const whole = data.byteLength >= total;
      this.#longWrite = whole || bufferOffset + total <= target.size ? "accepted" : "refused";
      // The first piece of a long write may fit although all of it does not: then Dawn is given a place where it can't.
      const place = this.#longWrite === "accepted" ? bufferOffset : Math.ceil(target.size / 4) * 4;
      dawn.writeBuffer(target, place, bytes);
    } else if (this.#longWrite === "accepted") {
      // Whatever is wrong was said for the first piece.
      const { device } = this.#options;
      device.dawn.pushErrorScope("validation");
      try {
        dawn.writeBuffer(target, bufferOffset, bytes);
      } finally {
        device.dawn.popErrorScope().then(ignore, ignore);
      }
    }
  }

  queueWriteTexture(
    queue: TargetQueue,
    destination: DecodedGPUTexelCopyTextureInfo,
    dataLayout: DecodedGPUTexelCopyBufferLayout,
    size: Extent3D,
    data: Uint8Array,
  ): void {
    asDawn
      .queue(queue)
      .writeTexture(
        destination as unknown as GPUTexelCopyTextureInfo,
        data as Uint8Array<ArrayBuffer>,
        dataLayout as GPUTexelCopyBufferLayout,
        size,
      );
  }

  devicePopErrorScope(_device: TargetDevice, request: number): void {
    this.#options.device.dawn.popErrorScope().then(
      (error) =>
        this.#events.errorScope(
          request,
          error === null ? null : { kind: errorKind(error), message: unwrapMessage(error.message) },
        ),
      (reason: unknown) => this.#events.errorScopeRefused(request, reason),
    );
  }

  deviceCreateComputePipelineAsync(
    _device: TargetDevice,
    reservation: Reservation,
    request: number,
    descriptor: DecodedGPUComputePipelineDescriptor,
  ): void {
    const { dawn } = this.#options.device;
    const pipeline = dawn.createComputePipelineAsync(descriptor as unknown as GPUComputePipelineDescriptor);
    this.#answerPipeline(pipeline, reservation, request);
  }

  deviceCreateRenderPipelineAsync(
    _device: TargetDevice,
    reservation: Reservation,
    request: number,
    descriptor: DecodedGPURenderPipelineDescriptor,
  ): void {
    const { dawn } = this.#options.device;
    const pipeline = dawn.createRenderPipelineAsync(descriptor as unknown as GPURenderPipelineDescriptor);
    this.#answerPipeline(pipeline, reservation, request);
  }

  shaderModuleGetCompilationInfo(shaderModule: TargetShaderModule, request: number): void {
    asDawn
      .shaderModule(shaderModule)
      .getCompilationInfo()
      .then(
        ({ messages }) => this.#events.compilationInfo(request, messages),
        () => this.#events.compilationInfo(request, []),
      );
  }

  release(_id: number, _kind: number, object: object | undefined): void {
    const { collector, device } = this.#options;
    if (object !== undefined) collector.dropped(device, device.memory.heldBy(object));
  }

  importObject(kind: number, queue: number, other: number): object | undefined {
    return this.#objectOf(kind, queue, other) ?? standIn(this.#options.device.dawn, kind);
  }

  #objectOf(kind: number, queue: number, other: number): object | undefined {
    const objects = this.#options.objectsOf(queue);
    if (objects?.kindOf(other) !== kind) return undefined;
    try {
      return objects.get(other, kind);
    } catch {
      // It could not be created there either.
      return undefined;
    }
  }

  commandFailed({ command, request, error }: CommandFailure): void {
    const message = `${command}: ${messageOf(error)}`;
    if (request === undefined) {
      raiseValidationError(this.#options.device.dawn, message);
      return;
    }
    switch (command) {
      case "bufferMapAsync":
        raiseValidationError(this.#options.device.dawn, message);
        this.#events.refused(request, "OperationError", message);
        break;
      case "devicePopErrorScope":
        this.#events.errorScopeRefused(request, error);
        break;
      case "shaderModuleGetCompilationInfo":
        this.#events.compilationInfo(request, []);
        break;
      case "queueOnSubmittedWorkDone":
        this.#events.workDone(request);
        break;
      default:
        this.#events.pipelineFailed(request, "validation", message);
    }
  }

  #destroy(object: GPUBuffer | GPUTexture | GPUQuerySet): void {
    const { device, limits } = this.#options;
    object.destroy();
    this.#destroyedBytes += device.memory.free(object);
    if (this.#destroyedBytes < limits.droppedBytes) return;
    this.#destroyedBytes = 0;
    device.settle();
  }

  #answerPipeline(
    pipeline: Promise<GPUComputePipeline | GPURenderPipeline>,
    reservation: Reservation,
    request: number,
  ): void {
    pipeline.then(
      (made) => {
        reservation.fulfil(made);
        this.#events.pipelineReady(request);
      },
      (error: unknown) => {
        reservation.fail();
        const reason = (error as { reason?: unknown }).reason === "internal" ? "internal" : "validation";
        this.#events.pipelineFailed(request, reason, messageOf(error));
      },
    );
  }
}
