/** What needs the C library, for one server: taking descriptors from clients, and signalling those that are eventfds. */
import type { Socket } from "node:net";
import { KernelError } from "parhelion-core";
import type { Eventfd } from "../../irq/eventfd.js";
import { EventfdWatch } from "../socket/eventfd-watch.js";
import { DescriptorIntake } from "../socket/intake.js";
import { type KoffiModule, Libc } from "../socket/libc.js";
import { Signaller } from "../socket/signaller.js";

/** More signals at once say no more. */
const mostSignals = 16;

export class Descriptors {
  readonly #libc: Libc;
  readonly #signaller: Signaller;
  readonly #failed: (error: Error) => void;
  /** Few clients have the device listen to them: it begins with the first one. */
  #watch: EventfdWatch | null = null;

  private constructor(libc: Libc, signaller: Signaller, failed: (error: Error) => void) {
    this.#libc = libc;
    this.#signaller = signaller;
    this.#failed = failed;
  }

  /** @param failed clients' eventfds are not heard any more. @returns why it can't be had, where it can't */
  static open(koffi: KoffiModule | undefined, failed: (error: Error) => void): Descriptors | string {
    if (koffi === undefined) return "koffi is not there";
    if (process.platform !== "linux") return `on ${process.platform}`;
    try {
      const libc = new Libc(koffi);
      return new Descriptors(libc, new Signaller(libc), failed);
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

  /** What `eventfds` gives can be listened to from here on. @throws KernelError EOPNOTSUPP this system can't */
  prepareToListen(): void {
    try {
      this.#watch ??= new EventfdWatch(this.#libc, this.#failed);
    } catch (cause) {
      throw new KernelError("EOPNOTSUPP", "DEVICE_SET_IRQS: eventfds can't be listened to here", { cause });
    }
  }

  readonly isSealable = (fd: number): boolean => this.#libc.isSealable(fd);

  readonly close = (fd: number): void => this.#libc.close(fd);

  /** Settles when nothing of it is left. */
  async end(): Promise<void> {
    this.#signaller.close();
    await this.#watch?.close();
  }

  #eventfd(fd: number): Eventfd {
    let state: "held" | "released" = "held";
    let stop = (): void => undefined;
    return {
      signal: (count) => {
        for (let i = 0; i < Math.min(count, mostSignals) && state === "held"; i++) this.#signaller.signal(fd);
      },
      release: () => {
        if (state === "released") return;
        state = "released";
        stop();
        this.#libc.close(fd);
      },
      listen: (heard) => {
        if (state === "held") stop = this.#watch?.listen(fd, heard) ?? stop;
        return () => stop();
      },
    };
  }
}
