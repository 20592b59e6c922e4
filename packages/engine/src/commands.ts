/** The commands that are more than a call of Dawn's method of that name. */
import {
  type CommandFailure,
  type DecodedGPUBufferDescriptor,
  type DecodedGPUCommandBufferDescriptor,
  type DecodedGPUComputePipelineDescriptor,
  type DecodedGPUQuerySetDescriptor,
  type DecodedGPURenderPipelineDescriptor,
  type DecodedGPUTexelCopyBufferLayout,
  type DecodedGPUTexelCopyTextureInfo,
  type DecodedGPUTextureDescriptor,
  type DecodedGPUTextureViewDescriptor,
  type Extent3D,
  ObjectLimitError,
  type ObjectTable,
  type Reservation,
  type SpecialCommands,
  type TargetBuffer,
  type TargetCommandBuffer,
  type TargetCommandEncoder,
  type TargetDevice,
  type TargetQuerySet,
  type TargetQueue,
  type TargetShaderModule,
  type TargetTexture,
  type TargetTextureView,
} from "parhelion-protocol";
import { Admission, type Shortage } from "./accounting/admission.js";
import { DeviceCommands } from "./accounting/device-commands.js";
import { ledgerMessage } from "./accounting/ledger.js";
import { type PipelineDescriptor, Programs } from "./accounting/programs.js";
import { Resources } from "./accounting/resources.js";
import { keep, Trail } from "./accounting/trail.js";
import type { Collector } from "./collector.js";
import type { EngineDevice } from "./device.js";
import { errorKind } from "./error-kind.js";
import type { EventSender } from "./event-sender.js";
import { raiseValidationError, unwrapMessage } from "./failures.js";
import type { ProgressFence } from "./fence.js";
import type { EngineLimits } from "./limits.js";
import { Mappings } from "./mappings.js";
import { messageOf } from "./refusal.js";
import { standIn } from "./stand-in.js";
import type { QueueTime } from "./time/queue-time.js";
import { Writes } from "./writes.js";

export interface CommandsOptions {
  readonly device: EngineDevice;
  readonly fence: ProgressFence;
  readonly limits: EngineLimits;
  readonly collector: Collector;
  readonly objectsOf: (serial: number) => ObjectTable | undefined;
  readonly queueTime: QueueTime | undefined;
  /** Whether memory could become free by itself. */
  readonly hopeful: () => boolean;
  readonly reclaim: (round: number) => Promise<void>;
  /** Bytes of the records replayed until now. */
  readonly received: () => number;
}

/** What the table holds is Dawn's; the generated code knows only the methods that it calls itself. */
const asDawn = {
  buffer: (object: TargetBuffer) => object as GPUBuffer,
  texture: (object: TargetTexture) => object as GPUTexture,
  querySet: (object: TargetQuerySet) => object as GPUQuerySet,
  queue: (object: TargetQueue) => object as GPUQueue,
  shaderModule: (object: TargetShaderModule) => object as GPUShaderModule,
};

export class Commands implements SpecialCommands {
  readonly #options: CommandsOptions;
  readonly #events: EventSender;
  readonly #mappings: Mappings;
  readonly #admission: Admission;
  readonly #resources: Resources;
  readonly #programs: Programs;
  readonly #writes: Writes;
  readonly #trail = new Trail();
  /** What the table has as its device. */
  readonly device: DeviceCommands;
  /** Of the records received, those that are accounted for in flight, and are no writes. */
  #recorded = 0;
  /** Destroyed since Dawn last had a reason to free anything. */
  #destroyedBytes = 0;

  constructor(events: EventSender, options: CommandsOptions) {
    this.#options = options;
    this.#events = events;
    this.#mappings = new Mappings(events, options.limits.mapsInFlight);
    const { device, hopeful, reclaim } = options;
    this.#admission = new Admission({ account: device.account, hopeful, reclaim });
    this.#resources = new Resources(device, this.#admission);
    this.#programs = new Programs(device, this.#admission);
    this.#writes = new Writes(device, this.#admission);
    this.device = new DeviceCommands(device, this.#programs, this.#trail);
  }

  /** What the command waits for that was deferred. */
  get shortage(): Shortage {
    return this.#admission.shortage;
  }

  /** Whether commands may be deferred from now on. */
  set patience(patience: "patient" | "hurried") {
    this.#admission.patience = patience;
  }

  /** What is mapped is not sent any further. */
  deviceLost(): void {
    this.#mappings.stop();
  }

  deviceDestroy(): void {
    this.#options.queueTime?.beforeDestroy();
    this.#options.device.destroy();
  }

  deviceCreateBuffer(_device: TargetDevice, descriptor: DecodedGPUBufferDescriptor): TargetBuffer {
    return this.#resources.buffer(descriptor as GPUBufferDescriptor);
  }

  deviceCreateTexture(_device: TargetDevice, descriptor: DecodedGPUTextureDescriptor): TargetTexture {
    return this.#resources.texture(descriptor as unknown as GPUTextureDescriptor);
  }

  deviceCreateQuerySet(_device: TargetDevice, descriptor: DecodedGPUQuerySetDescriptor): TargetQuerySet {
    return this.#resources.querySet(descriptor as GPUQuerySetDescriptor);
  }

  textureCreateView(texture: TargetTexture, descriptor: DecodedGPUTextureViewDescriptor): TargetTextureView {
    const view = asDawn.texture(texture).createView(descriptor as GPUTextureViewDescriptor);
    keep(view, texture);
    return view;
  }

  commandEncoderFinish(
    encoder: TargetCommandEncoder,
    descriptor: DecodedGPUCommandBufferDescriptor,
  ): TargetCommandBuffer {
    const commands = (encoder as GPUCommandEncoder).finish(descriptor as GPUCommandBufferDescriptor);
    this.#options.queueTime?.log.finished(commands);
    this.#trail.goOn(encoder, commands);
    return commands;
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
    const { device, fence, queueTime, received } = this.#options;
    queueTime?.beforeSubmit(commandBuffers);
    const bytes = received() - this.#recorded - this.#writes.bytes;
    this.#admission.flight(bytes);
    this.#recorded += bytes;
    device.account.record(bytes);
    try {
      asDawn.queue(queue).submit(commandBuffers as GPUCommandBuffer[]);
    } finally {
      // The client counts its submits as well: a refused one counts at both ends.
      fence.submit();
      queueTime?.submitted(commandBuffers);
      device.submitted = fence.submitted;
      device.account.seal(device.submitted);
      for (const commands of commandBuffers) this.#trail.end(commands);
      this.#destroyedBytes = 0;
    }
  }

  queueOnSubmittedWorkDone(queue: TargetQueue, request: number): void {
    const { fence, queueTime } = this.#options;
    const covered = fence.submitted;
    const reply = () => this.#events.workDone(request);
    asDawn
      .queue(queue)
      .onSubmittedWorkDone()
      .then(() => {
        fence.note(covered);
        queueTime?.done(covered);
        reply();
      }, reply);
  }

  queueWriteBuffer(
    queue: TargetQueue,
    buffer: TargetBuffer,
    bufferOffset: number,
    total: number,
    continuation: boolean,
    data: Uint8Array,
  ): void {
    const piece = { bufferOffset, total, continuation, data };
    this.#writes.buffer(asDawn.queue(queue), asDawn.buffer(buffer), piece);
  }

  queueWriteTexture(
    queue: TargetQueue,
    destination: DecodedGPUTexelCopyTextureInfo,
    dataLayout: DecodedGPUTexelCopyBufferLayout,
    size: Extent3D,
    data: Uint8Array,
  ): void {
    this.#writes.texture(
      asDawn.queue(queue),
      destination as unknown as GPUTexelCopyTextureInfo,
      data,
      dataLayout as GPUTexelCopyBufferLayout,
      size,
    );
  }

  devicePopErrorScope(_device: TargetDevice, request: number): void {
    const { device } = this.#options;
    const own = device.scopes.pop();
    device.dawn.popErrorScope().then(
      (error) => {
        const theirs =
          error === null ? null : { kind: errorKind(error), message: unwrapMessage(error.message) };
        this.#events.errorScope(request, device.alive ? (own ?? theirs) : theirs);
      },
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
    const native = descriptor as unknown as GPUComputePipelineDescriptor;
    this.#answerPipeline(native, () => dawn.createComputePipelineAsync(native), reservation, request);
  }

  deviceCreateRenderPipelineAsync(
    _device: TargetDevice,
    reservation: Reservation,
    request: number,
    descriptor: DecodedGPURenderPipelineDescriptor,
  ): void {
    const { dawn } = this.#options.device;
    const native = descriptor as unknown as GPURenderPipelineDescriptor;
    this.#answerPipeline(native, () => dawn.createRenderPipelineAsync(native), reservation, request);
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
    if (object === undefined) return;
    const { collector, device } = this.#options;
    collector.dropped(device, device.account.drop(object));
    this.#trail.release(object);
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
    if (error instanceof ObjectLimitError) {
      this.#refuseObject(command, request);
      return;
    }
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
    this.#destroyedBytes += device.account.free(object);
    if (this.#destroyedBytes < limits.droppedBytes) return;
    this.#destroyedBytes = 0;
    void device.settle();
  }

  #refuseObject(command: string, request: number | undefined): void {
    const { device } = this.#options;
    const message = ledgerMessage(command, device.account.ledger.refuseObject());
    if (request === undefined) device.raise({ kind: "out-of-memory", message });
    else this.#events.pipelineFailed(request, "internal", message);
  }

  #answerPipeline(
    descriptor: PipelineDescriptor,
    make: () => Promise<GPUComputePipeline | GPURenderPipeline>,
    reservation: Reservation,
    request: number,
  ): void {
    this.#programs.pipelineLater(descriptor, make).then(
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
