/** A guest machine, the small host at its other end, and applications, for programs that run them in every order. */
import type { HostChannel } from "parhelion-buses";
import { Completion, type ErrnoCode, isKernelError } from "parhelion-core";
import { type World, watchSystem } from "parhelion-explorer";
import { type Exchange, ioctl, isControlError, type StatusCode } from "parhelion-protocol";
import type { TestHost } from "../host.test.fixture.js";
import { type MachineRig, type MachineRigOptions, machineRig } from "../machine.test.fixture.js";
import type { Application } from "../node-server/shelf.test.fixture.js";

/** What an application is told when its vGPU has gone. */
export const gone = ["ENODEV", "ENOENT", "ECANCELED", "ETIMEDOUT", "EAGAIN"] as const;

export class KernelStage {
  readonly rig: MachineRig;
  readonly #world: World;
  #host: TestHost | null = null;
  #vgpu: HostChannel | null = null;
  #global: HostChannel | null = null;
  #function: HostChannel | null = null;

  constructor(world: World, options?: MachineRigOptions) {
    this.#world = world;
    this.rig = machineRig(world.runtime, options);
    watchSystem(world, this.rig.machine.system, []);
  }

  get host(): TestHost {
    return this.#host as TestHost;
  }

  get vgpu(): HostChannel {
    return this.#vgpu as HostChannel;
  }

  get global(): HostChannel {
    return this.#global as HostChannel;
  }

  get function(): HostChannel {
    return this.#function as HostChannel;
  }

  /** In contact, and nothing offered. */
  async contact(): Promise<void> {
    this.#host = await this.rig.start();
  }

  offerGlobal(): void {
    this.#global = this.host.offerGlobal();
  }

  offerChannel(): void {
    this.#vgpu = this.host.offerChannel(0);
  }

  offerFunction(): void {
    this.#function = this.host.offerFunction(0);
  }

  /** One vGPU, whose node is there. */
  async start(): Promise<void> {
    this.#host = await this.rig.start((host) => {
      this.#host = host;
      this.offerGlobal();
      this.offerFunction();
      this.offerChannel();
    });
    await this.rig.machine.system.waitForProbe();
    await this.rig.machine.settled();
  }

  /** An application that has said HELLO. */
  async enter(): Promise<Application> {
    const application = this.rig.shelf.visit("dxg0");
    await application.hello();
    return application;
  }

  async adapter(application: Application): Promise<number> {
    return (await application.call(ioctl.openAdapterFromLuid, { luid: 0x1000n })).adapter;
  }

  async device(application: Application): Promise<number> {
    const adapter = await this.adapter(application);
    return (await application.call(ioctl.createDevice, { adapter })).device;
  }

  async context(application: Application): Promise<number> {
    const device = await this.device(application);
    return (await application.call(ioctl.createContextVirtual, { device })).context;
  }

  ask<Q, R>(application: Application, exchange: Exchange<Q, R>, request: Partial<Q>): Promise<R> {
    return application.call(exchange, request);
  }

  async may(
    run: () => Promise<unknown>,
    ...answers: readonly (ErrnoCode & StatusCode)[]
  ): Promise<"done" | ErrnoCode> {
    try {
      await run();
      return "done";
    } catch (error) {
      const answer = answers.find((code) => isKernelError(error, code) || isControlError(error, code));
      if (answer === undefined) throw error;
      return answer;
    }
  }

  /** Whether the node of the vGPU is there once everything has settled. */
  async expectNodes(count: number): Promise<void> {
    await this.rig.machine.system.waitForProbe();
    await this.rig.machine.settled();
    const { nodes } = this.rig.machine;
    this.#world.expect(nodes.length === count, `the nodes are ${nodes.join(", ") || "none"}, not ${count}`);
  }

  /** Waits until the guest has a host again, and shows all that it offers. */
  async reconnected(): Promise<void> {
    const { machine, runtime } = this.rig;
    const settled = (): boolean => machine.state === "running" && machine.nodes.length > 0;
    const never = new Completion(runtime, "nothing");
    for (let pause = 0; pause < 20 && !settled(); pause++)
      await this.may(() => never.wait({ deadline: runtime.clock.now() + 10_000 }), "ETIMEDOUT");
    this.#world.expect(settled(), `the guest is ${machine.state} with ${machine.nodes.length} nodes`);
  }

  /** Waits until the host has refused the guest for good. */
  async refused(): Promise<void> {
    const { machine, runtime } = this.rig;
    const never = new Completion(runtime, "nothing");
    for (let pause = 0; pause < 20 && machine.state !== "refused"; pause++)
      await this.may(() => never.wait({ deadline: runtime.clock.now() + 10_000 }), "ETIMEDOUT");
    this.#world.expect(machine.state === "refused", `the guest is ${machine.state}`);
  }

  expectNode(name: string): void {
    const { nodes } = this.rig.machine;
    this.#world.expect(nodes.includes(name), `${name} is not among ${nodes.join(", ") || "no nodes"}`);
  }

  /** The administrator unbinds the vGPU's driver, and has it probed again. */
  async unbind(): Promise<void> {
    const { system } = this.rig.machine;
    const path = system.nodes.get("dxg0")?.owner?.devpath.split("/dxg/")[0] ?? "";
    const device = system.deviceAt(path);
    if (device === undefined) throw new Error("the vGPU is not there");
    device.get();
    await system.detach(device);
    await system.probeDevice(device);
    device.put();
  }

  /** Waits until nothing is under way: time passes only then. */
  async quiet(): Promise<void> {
    const { runtime } = this.rig;
    const never = new Completion(runtime, "nothing");
    await this.may(() => never.wait({ deadline: runtime.clock.now() + 1 }), "ETIMEDOUT");
  }

  /** The machine stops; then the host has nothing of the guest any more that it was not told to forget. */
  async end(): Promise<void> {
    await this.rig.stop();
    this.#world.expect(this.rig.queues.doors.size === 0, "a queue's door is left open");
    this.#world.expect(this.rig.machine.nodes.length === 0, "a node is left");
  }
}
