/** What needs the C library, for one server: taking descriptors from clients, and signalling those that are eventfds. */
import type { Socket } from "node:net";
import { KernelError } from "parhelion-core";
import type { Eventfd } from "../../irq/eventfd.js";
import { DescriptorIntake } from "../socket/intake.js";
import { type KoffiModule, Libc } from "../socket/libc.js";
import { Signaller } from "../socket/signaller.js";

/** More signals at once say no more. */
const mostSignals = 16;

export class Descriptors {
  readonly #libc: Libc;
  readonly #signaller: Signaller;

  private constructor(libc: Libc, signaller: Signaller) {
    this.#libc = libc;
    this.#signaller = signaller;
  }

  /** @returns why it can't be had, where it can't */
  static open(koffi: KoffiModule | undefined): Descriptors | string {
    if (koffi === undefined) return "koffi is not there";
    if (process.platform !== "linux") return `on ${process.platform}`;
    try {
      const libc = new Libc(koffi);
      return new Descriptors(libc, new Signaller(libc));
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** @param socket paused, of which nothing was read */
  intake(socket: Socket): DescriptorIntake {
    return new DescriptorIntake(this.#libc, socket);
  }

  /** @param fds owned by what is returned; when it throws they stay the caller's. @throws KernelError EINVAL one is no eventfd */
  eventfds(fds: readonly number[]): readonly Eventfd[] {
    for (const fd of fds) {
      if (!Signaller.isEventfd(fd))
        throw new KernelError("EINVAL", "DEVICE_SET_IRQS: a descriptor that is no eventfd");
    }
    return fds.map((fd) => this.#eventfd(fd));
  }

  readonly close = (fd: number): void => this.#libc.close(fd);

  end(): void {
    this.#signaller.close();
  }

  #eventfd(fd: number): Eventfd {
    let state: "held" | "released" = "held";
    return {
      signal: (count) => {
        for (let i = 0; i < Math.min(count, mostSignals) && state === "held"; i++) this.#signaller.signal(fd);
      },
      release: () => {
        if (state === "released") return;
        state = "released";
        this.#libc.close(fd);
      },
    };
  }
}
