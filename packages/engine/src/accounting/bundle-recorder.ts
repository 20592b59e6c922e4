/** A render bundle encoder that notes what the bundle uses: bundles are kept for long, and keep that alive with them. */
import type {
  DecodedGPURenderBundleDescriptor,
  GPUIndexFormat,
  TargetBindGroup,
  TargetBuffer,
  TargetRenderBundle,
  TargetRenderBundleEncoder,
  TargetRenderPipeline,
} from "parhelion-protocol";
import { keep } from "./trail.js";

export class BundleRecorder implements TargetRenderBundleEncoder {
  readonly #encoder: TargetRenderBundleEncoder;
  readonly #used = new Set<object>();

  constructor(encoder: TargetRenderBundleEncoder) {
    this.#encoder = encoder;
  }

  get label(): string {
    return this.#encoder.label;
  }

  set label(label: string) {
    this.#encoder.label = label;
  }

  finish(descriptor: DecodedGPURenderBundleDescriptor): TargetRenderBundle {
    const bundle = this.#encoder.finish(descriptor);
    keep(bundle, [...this.#used]);
    return bundle;
  }

  pushDebugGroup(label: string): void {
    this.#encoder.pushDebugGroup(label);
  }

  popDebugGroup(): void {
    this.#encoder.popDebugGroup();
  }

  insertDebugMarker(label: string): void {
    this.#encoder.insertDebugMarker(label);
  }

  setBindGroup(index: number, group: TargetBindGroup | null, offsets?: number[]): void {
    if (group !== null) this.#used.add(group);
    if (offsets === undefined) this.#encoder.setBindGroup(index, group);
    else this.#encoder.setBindGroup(index, group, offsets);
  }

  setImmediates(offset: number, data: Uint8Array): void {
    this.#encoder.setImmediates(offset, data);
  }

  setPipeline(pipeline: TargetRenderPipeline): void {
    this.#used.add(pipeline);
    this.#encoder.setPipeline(pipeline);
  }

  setIndexBuffer(
    buffer: TargetBuffer,
    format: GPUIndexFormat,
    offset: number,
    size: number | undefined,
  ): void {
    this.#used.add(buffer);
    this.#encoder.setIndexBuffer(buffer, format, offset, size);
  }

  setVertexBuffer(slot: number, buffer: TargetBuffer | null, offset: number, size: number | undefined): void {
    if (buffer !== null) this.#used.add(buffer);
    this.#encoder.setVertexBuffer(slot, buffer, offset, size);
  }

  draw(vertices: number, instances: number, firstVertex: number, firstInstance: number): void {
    this.#encoder.draw(vertices, instances, firstVertex, firstInstance);
  }

  drawIndexed(
    indices: number,
    instances: number,
    firstIndex: number,
    baseVertex: number,
    firstInstance: number,
  ): void {
    this.#encoder.drawIndexed(indices, instances, firstIndex, baseVertex, firstInstance);
  }

  drawIndirect(buffer: TargetBuffer, offset: number): void {
    this.#used.add(buffer);
    this.#encoder.drawIndirect(buffer, offset);
  }

  drawIndexedIndirect(buffer: TargetBuffer, offset: number): void {
    this.#used.add(buffer);
    this.#encoder.drawIndexedIndirect(buffer, offset);
  }
}
