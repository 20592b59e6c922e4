/** What whoever uses a slice is told without having asked: by the channel of a vGPU, or by whatever else it is served through. */
import { isDeepStrictEqual } from "node:util";
import { guestCommand, type Notice, type SliceMemory } from "parhelion-protocol";
import type { Slice, SliceListener } from "../slices/slice.js";
import { memoryOf } from "../vgpu/slice-description.js";
import type { DeviceLoss, VgpuDevice } from "../vgpu/vgpu-device.js";

/** @param process 0: it concerns all */
export type SendNotice = <T>(notice: Notice<T>, value: Partial<T>, process: number) => void;

/** The text's field holds 4096 bytes; a UTF-16 unit takes three at most. */
const maxText = 1300;

export class SliceNotices implements SliceListener {
  readonly #slice: Slice;
  readonly #send: SendNotice;
  /** The latest that is known there, or asked for when the vGPU is opened. */
  #told: SliceMemory;

  constructor(slice: Slice, send: SendNotice) {
    this.#slice = slice;
    this.#send = send;
    this.#told = memoryOf(slice);
  }

  deviceLost(device: VgpuDevice, { reason, message }: DeviceLoss): void {
    const text = message.slice(0, maxText);
    this.#send(guestCommand.deviceLost, { device: device.handle, reason, text }, device.process.handle);
  }

  descriptionChanged(): void {
    this.#send(guestCommand.adapterInfoChanged, {}, 0);
  }

  memoryChanged(): void {
    const memory = memoryOf(this.#slice);
    if (isDeepStrictEqual(memory, this.#told)) return;
    this.#told = memory;
    const { limit, used, reserved } = memory;
    const words = { limit: BigInt(limit), used: BigInt(used), reserved: BigInt(reserved) };
    this.#send(guestCommand.memoryChanged, words, 0);
  }
}
