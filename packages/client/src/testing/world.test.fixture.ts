/// <reference types="@webgpu/types" />
/** For tests: a client whose adapters are this process's Dawn, and a look at both ends. */
import assert from "node:assert/strict";
import type { QueueGeometry } from "parhelion-protocol";
import { createGPU } from "../gpu.js";
import { processRuntime } from "../runtime.js";
import { DawnSource, type OpenedEngine } from "./dawn-source.test.fixture.js";

export interface OpenedWorld {
  readonly device: GPUDevice;
  readonly opened: OpenedEngine;
}

export class World {
  readonly gpu: GPU;
  readonly source: DawnSource;
  /** What nobody listened for. */
  readonly reports: string[] = [];

  /** @param dawn what `create` of the package `webgpu` returned; hold it until the process ends */
  constructor(dawn: GPU, geometry?: QueueGeometry) {
    this.source = new DawnSource(dawn, geometry);
    const runtime = { ...processRuntime, report: (message: string) => void this.reports.push(message) };
    this.gpu = createGPU(this.source, runtime) as unknown as GPU;
  }

  async open(descriptor?: GPUDeviceDescriptor): Promise<OpenedWorld> {
    const adapter = await this.gpu.requestAdapter();
    assert.ok(adapter !== null);
    const device = await adapter.requestDevice(descriptor);
    const opened = this.source.engines.at(-1);
    assert.ok(opened !== undefined);
    return { device, opened };
  }
}

/** Waits, for as many turns as it takes, at most a generous number. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 40_000; turn += 1) {
    if (holds()) return;
    // What another thread or process has to do takes time, which turns alone do not.
    await new Promise((resolve) => (turn < 1000 ? setImmediate(resolve) : setTimeout(resolve, 2)));
  }
  assert.fail(`${what} did not happen`);
}
