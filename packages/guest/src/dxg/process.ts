/** A process as the host sees it, that is, one open file of a vGPU's node. Its objects live and die with the file. */

import type { VmbusChannel } from "parhelion-buses";
import type { Runtime } from "parhelion-core";
import {
  type Exchange,
  type GuestDeviceLost,
  type Notice,
  nodeMessage,
  vgpuCommand,
} from "parhelion-protocol";
import { type DxgKind, type DxgObject, DxgObjects, type Loss } from "./object.js";
import type { Queues } from "./queues.js";
import { type Deliver, NodeEventKind } from "./request.js";

/** What a process needs of the vGPU that it has opened. */
export interface ProcessHome {
  readonly runtime: Runtime;
  readonly channel: VmbusChannel;
  readonly luid: bigint;
  readonly queues: Queues;
  /** The last thing that the host hears of a process. */
  closed(process: DxgProcess): Promise<void>;
}

/** More losses than devices are being created are nobody's. */
const maxLostEarly = 1024;

export class DxgProcess {
  readonly vgpu: ProcessHome;
  /** The host's handle. */
  readonly host: number;
  readonly name: string;
  readonly objects: DxgObjects;
  #deliver: Deliver = () => {};
  /** How many devices the host was asked for and has yet to give. */
  #awaited = 0;
  /** Of devices that this process has yet to take: what the host says of them may come before they are taken. */
  readonly #lostEarly = new Map<number, Loss>();

  constructor(vgpu: ProcessHome, host: number, name: string) {
    this.vgpu = vgpu;
    this.host = host;
    this.name = name;
    this.objects = new DxgObjects(vgpu.runtime, `objects of ${name}`);
  }

  /** From here on `deliver` gets the events of this process. */
  listen(deliver: Deliver): void {
    this.objects.access("write");
    this.#deliver = deliver;
  }

  /**
   * Asks the host on behalf of this process.
   * @param late gives back what the host made after this process has stopped waiting for it
   * @throws what VmbusChannel.request throws
   */
  async ask<Q, R>(
    exchange: Exchange<Q, R>,
    value: Partial<Q>,
    late: (reply: R) => Promise<void> = async () => {},
  ): Promise<R> {
    return this.vgpu.channel.request(exchange, value, {
      process: this.host,
      late: (reply) => this.vgpu.runtime.scheduler.spawn(`late reply to ${exchange.name}`, () => late(reply)),
    });
  }

  /**
   * Runs what asks the host for a device and takes it.
   * @param create is given a question: the loss of a device that it was given and has yet to take, if there was one
   */
  async creatingDevice<T>(create: (lossOf: (host: number) => Loss | undefined) => Promise<T>): Promise<T> {
    this.objects.access("write");
    this.#awaited += 1;
    try {
      return await create((host) => {
        this.objects.access("read");
        return this.#lostEarly.get(host);
      });
    } finally {
      this.objects.access("write");
      this.#awaited -= 1;
      if (this.#awaited === 0) this.#lostEarly.clear();
    }
  }

  /** Unlinks the object and what is below it, then tells the host. @throws the first of the host's refusals */
  async destroy(object: DxgObject): Promise<void> {
    await this.#tellHost(this.objects.unlink(object));
  }

  /** Has the host destroy what it made and this process can't take; with its parent it may have gone there already. Never throws. */
  async abandon(kind: DxgKind, host: number, parent: DxgObject): Promise<void> {
    await this.#tolerating(() => this.#destroyAtHost({ kind, host, parent }));
  }

  deviceLost({ device, reason, text }: GuestDeviceLost): void {
    const object = this.objects.deviceOf(device);
    this.objects.access("write");
    if (object === undefined && this.#awaited > 0 && this.#lostEarly.size < maxLostEarly)
      this.#lostEarly.set(device, { reason, text });
    if (object === undefined || object.loss !== null) return;
    object.loss = { reason, text };
    const { DEVICE_LOST: kind } = NodeEventKind;
    this.#deliver(nodeMessage.event, { kind, object: object.handle, reason, text });
  }

  /** Something about the vGPU that every process hears. */
  tell<T>(notice: Notice<T>, value: Partial<T>): void {
    this.objects.access("read");
    this.#deliver(notice, value);
  }

  /** Ends what waits at the host. */
  cancel(): void {
    this.vgpu.channel.cancel(this.host);
  }

  /**
   * Precondition: no request runs any more. Unlinks everything, then tells the host of the objects in reverse and of the
   * process. Never throws: a host that has gone has forgotten them already.
   */
  async release(): Promise<void> {
    this.objects.access("write");
    this.#deliver = () => {};
    await this.#tolerating(() => this.#tellHost(this.objects.unlinkAll()));
    await this.#tolerating(() => this.vgpu.closed(this));
  }

  async #tellHost(objects: readonly DxgObject[]): Promise<void> {
    const errors: unknown[] = [];
    for (const object of objects) {
      try {
        object.release();
        await this.#destroyAtHost(object);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  async #destroyAtHost({ kind, host, parent }: Pick<DxgObject, "kind" | "host" | "parent">): Promise<void> {
    switch (kind) {
      case "adapter":
        // Opened here, not at the host.
        break;
      case "device":
        await this.ask(vgpuCommand.destroyDevice, { device: host });
        break;
      case "context":
        await this.ask(vgpuCommand.destroyContext, { context: host });
        break;
      case "hwqueue":
        await this.ask(vgpuCommand.destroyHwQueue, { queue: host });
        break;
      case "allocation":
        await this.ask(vgpuCommand.destroyAllocation, { device: parent?.host ?? 0, allocations: [host] });
        break;
      case "syncobject":
        // A queue's progress fence goes with the queue.
        if (parent?.kind === "device") await this.ask(vgpuCommand.destroySyncObject, { syncObject: host });
        break;
    }
  }

  async #tolerating(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.vgpu.runtime.log("debug", "dxg.release-untold", { file: this.name, error });
    }
  }
}
