/**
 * A small host that answers dxg's host commands out of tables. The real host is tested against this kernel elsewhere; here the
 * other end has to be able to misbehave.
 */
import assert from "node:assert/strict";
import {
  type Command,
  GLOBAL_CHANNEL,
  type HostChannel,
  pciPassthroughOffer,
  VGPU_CHANNEL,
  type VmbusHost,
  vgpuConfigModel,
} from "parhelion-buses";
import { Completion, type Named, noDeadline, type Runtime } from "parhelion-core";
import { ControlError, guestCommand, StatusErrno, vgpuCommand, vmCommand } from "parhelion-protocol";

export const channelInstance = (n: number): string =>
  `aaaaaaaa-0000-0000-0000-${n.toString(16).padStart(12, "0")}`;
export const pciInstance = (n: number): string =>
  `bbbbbbbb-0000-0000-0000-${n.toString(16).padStart(12, "0")}`;
const globalInstance = (n: number): string => `cccccccc-0000-0000-0000-${n.toString(16).padStart(12, "0")}`;

/** The host's end of one guest. */
export class TestHost implements Named {
  readonly name = "test host";
  readonly runtime: Runtime;
  readonly vmbus: VmbusHost;
  readonly processes = new Set<number>();
  /** Everything that was created and not destroyed, by kind and number. */
  readonly objects = new Set<string>();
  /** What was asked, in order: command names with the object they are about. */
  readonly asked: string[] = [];
  /** Waits of processes for fences: end them by hand, or never. */
  readonly waits: (() => void)[] = [];
  /** Called before a command is served; throws to refuse it. */
  intercept: (name: string, command: Command) => void | Promise<void> = () => {};
  /** How queues are reached: see createHwQueue. */
  reach = 0;
  #vgpu: "open" | "closed" = "closed";
  #last = 0x100;

  constructor(runtime: Runtime, vmbus: VmbusHost) {
    this.runtime = runtime;
    this.vmbus = vmbus;
  }

  offerGlobal(n = 0): HostChannel {
    return this.vmbus.offer({
      interfaceType: GLOBAL_CHANNEL,
      interfaceInstance: globalInstance(n),
      request: (command) => this.#serveGlobal(command),
    });
  }

  offerChannel(n: number): HostChannel {
    return this.vmbus.offer({
      interfaceType: VGPU_CHANNEL,
      interfaceInstance: channelInstance(n),
      request: (command) => this.#serveVgpu(command),
      open: () => {
        this.#vgpu = "open";
      },
      close: () => {
        this.#vgpu = "closed";
        for (const end of this.waits) end();
      },
    });
  }

  offerFunction(n: number): HostChannel {
    const model = vgpuConfigModel({ channelInstance: channelInstance(n), luid: BigInt(0x1000 + n) });
    return this.vmbus.offer(pciPassthroughOffer(pciInstance(n), 0, model));
  }

  /** @returns the vGPU's channel */
  offerVgpu(n: number): HostChannel {
    this.offerFunction(n);
    return this.offerChannel(n);
  }

  async #serveGlobal(command: Command): Promise<Uint8Array> {
    this.runtime.scheduler.access(this, "write");
    switch (command.type) {
      case vmCommand.createProcess.type: {
        await this.intercept("createProcess", command);
        const process = this.#next();
        this.processes.add(process);
        return vmCommand.createProcess.reply.encode({ process });
      }
      case vmCommand.destroyProcess.type:
        this.asked.push("destroyProcess");
        assert.ok(this.processes.delete(command.process), "an unknown process was destroyed");
        return vmCommand.destroyProcess.reply.encode({});
      default:
        throw new ControlError(StatusErrno.ENOTTY, `global command ${command.type}`);
    }
  }

  async #serveVgpu(command: Command): Promise<Uint8Array> {
    const { type, body } = command;
    const exchange = Object.values(vgpuCommand).find((candidate) => candidate.type === type);
    if (exchange === undefined) throw new ControlError(StatusErrno.ENOTTY, `vGPU command ${type}`);
    await this.intercept(exchange.name, command);
    this.runtime.scheduler.access(this, "write");
    const destroyed = (kind: string, handle: number): void => {
      this.asked.push(`${exchange.name} ${handle}`);
      assert.ok(this.objects.delete(`${kind} ${handle}`), `${kind} ${handle} is unknown`);
    };
    const created = (kind: string): number => {
      const handle = this.#next();
      this.objects.add(`${kind} ${handle}`);
      return handle;
    };
    switch (type) {
      case vgpuCommand.openAdapter.type:
        return vgpuCommand.openAdapter.reply.encode({ adapter: created("adapter") });
      case vgpuCommand.closeAdapter.type:
        destroyed("adapter", vgpuCommand.closeAdapter.request.decode(body).adapter);
        break;
      case vgpuCommand.getInternalAdapterInfo.type:
        return vgpuCommand.getInternalAdapterInfo.reply.encode({ wgslLanguageFeatures: ["packed_4x8"] });
      case vgpuCommand.queryAdapterInfo.type: {
        const { infoType } = vgpuCommand.queryAdapterInfo.request.decode(body);
        return vgpuCommand.queryAdapterInfo.reply.encode({
          privateData: new TextEncoder().encode(`info ${infoType}`),
        });
      }
      case vgpuCommand.createDevice.type: {
        const { privateData } = vgpuCommand.createDevice.request.decode(body);
        return vgpuCommand.createDevice.reply.encode({ device: created("device"), privateData });
      }
      case vgpuCommand.destroyDevice.type:
        destroyed("device", vgpuCommand.destroyDevice.request.decode(body).device);
        break;
      case vgpuCommand.getDeviceState.type:
        return vgpuCommand.getDeviceState.reply.encode({ executionState: 1 });
      case vgpuCommand.createContextVirtual.type:
        return vgpuCommand.createContextVirtual.reply.encode({ context: created("context") });
      case vgpuCommand.destroyContext.type:
        destroyed("context", vgpuCommand.destroyContext.request.decode(body).context);
        break;
      case vgpuCommand.createHwQueue.type: {
        const queue = created("queue");
        const token = queue.toString(16).padStart(32, "0");
        const endpoint = this.reach === 0 ? "q-of-the-engine" : "";
        return vgpuCommand.createHwQueue.reply.encode({
          queue,
          progressFence: this.#next(),
          endpoint,
          token,
          reach: this.reach,
        });
      }
      case vgpuCommand.destroyHwQueue.type:
        destroyed("queue", vgpuCommand.destroyHwQueue.request.decode(body).queue);
        break;
      case vgpuCommand.submitCommandToHwQueue.type: {
        const { queue } = vgpuCommand.submitCommandToHwQueue.request.decode(body);
        assert.ok(this.objects.has(`queue ${queue}`), `queue ${queue} is unknown`);
        return vgpuCommand.submitCommandToHwQueue.reply.encode({ fenceValue: 2n ** 40n + BigInt(queue) });
      }
      case vgpuCommand.createAllocation.type: {
        const { allocations } = vgpuCommand.createAllocation.request.decode(body);
        return vgpuCommand.createAllocation.reply.encode({
          allocations: allocations.map(() => created("allocation")),
        });
      }
      case vgpuCommand.destroyAllocation.type:
        for (const handle of vgpuCommand.destroyAllocation.request.decode(body).allocations)
          destroyed("allocation", handle);
        break;
      case vgpuCommand.createSyncObject.type:
        return vgpuCommand.createSyncObject.reply.encode({ syncObject: created("fence") });
      case vgpuCommand.destroySyncObject.type:
        destroyed("fence", vgpuCommand.destroySyncObject.request.decode(body).syncObject);
        break;
      case vgpuCommand.waitForSyncFromCpu.type:
        await this.#wait();
        break;
      default:
        break;
    }
    return new Uint8Array(0);
  }

  /** What the engine's death looks like on the channel. */
  loseDevice(channel: HostChannel, process: number, device: number): void {
    channel.notify(
      guestCommand.deviceLost,
      { device, reason: "unknown", text: "the engine died" },
      { process },
    );
  }

  async #wait(): Promise<void> {
    if (this.#vgpu === "closed") return;
    const over = new Completion(this.runtime, "a wait at the host");
    this.waits.push(() => over.completeAll());
    await over.wait({ deadline: noDeadline });
  }

  #next(): number {
    this.#last += 4;
    return this.#last;
  }
}
