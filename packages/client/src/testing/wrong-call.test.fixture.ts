/// <reference types="@webgpu/types" />
/** What the tables of wrong calls are written in. */

/** What a call is made on; fresh for each call. */
export interface Scene {
  readonly adapter: GPUAdapter;
  readonly device: GPUDevice;
  readonly copyDst: GPUBuffer;
  readonly readable: GPUBuffer;
  readonly texture: GPUTexture;
  readonly encoder: GPUCommandEncoder;
}

export interface WrongCall {
  readonly name: string;
  call(scene: Scene): unknown;
}

export const wrong = (value?: unknown): never => value as never;
export const USAGE = {
  MAP_READ: 1,
  COPY_SRC: 4,
  COPY_DST: 8,
  VERTEX: 32,
  UNIFORM: 64,
  STORAGE: 128,
  INDIRECT: 256,
};
export const wgsl = "@compute @workgroup_size(1) fn main() {}";

export function computePass({ encoder }: Scene): GPUComputePassEncoder {
  return encoder.beginComputePass();
}

export function renderPass({ encoder, texture }: Scene): GPURenderPassEncoder {
  return encoder.beginRenderPass({
    colorAttachments: [{ view: texture.createView(), loadOp: "clear", storeOp: "store" }],
  });
}

export function calls(table: Readonly<Record<string, WrongCall["call"]>>): WrongCall[] {
  return Object.entries(table).map(([name, call]) => ({ name, call }));
}
