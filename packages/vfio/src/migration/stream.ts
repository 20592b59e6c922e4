/** A device's state on its way, as the user holds it: it ends when the device leaves the state that it belongs to. */
import { KernelError, type Named, type Runtime } from "parhelion-core";
import type { MigrationStream } from "./ops.js";

/** What of the device must hold while its driver reads or writes. */
export type Guarded = <T>(use: () => T | Promise<T>) => Promise<T>;

export class UserStream implements MigrationStream, Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #stream: MigrationStream;
  readonly #guarded: Guarded;
  #state: "open" | "ended" = "open";

  constructor(runtime: Runtime, name: string, stream: MigrationStream, guarded: Guarded) {
    this.#runtime = runtime;
    this.name = name;
    this.#stream = stream;
    this.#guarded = guarded;
  }

  /** @throws KernelError ENODEV the state was left, EINVAL it is for writing, and what the driver throws */
  read(length: number): Promise<Uint8Array> {
    return this.#guarded(async () => {
      this.#assertOpen();
      if (this.#stream.read === undefined) throw new KernelError("EINVAL", `${this.name} is for writing`);
      return this.#stream.read(length);
    });
  }

  /** @throws KernelError ENODEV the state was left, EINVAL it is for reading, and what the driver throws */
  write(bytes: Uint8Array): Promise<void> {
    return this.#guarded(async () => {
      this.#assertOpen();
      if (this.#stream.write === undefined) throw new KernelError("EINVAL", `${this.name} is for reading`);
      await this.#stream.write(bytes);
    });
  }

  /** @throws KernelError ENODEV the state was left, ENOTTY the driver can't say */
  precopyInfo(): { readonly initialBytes: bigint; readonly dirtyBytes: bigint } {
    this.#assertOpen();
    const info = this.#stream.precopyInfo?.();
    if (info === undefined) throw new KernelError("ENOTTY", `${this.name} says nothing of what is to come`);
    return info;
  }

  /** The user needs it no more; the device keeps what it has until it leaves the state. */
  release(): void {}

  /** The device leaves the state. */
  end(): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#stream.release?.();
  }

  #assertOpen(): void {
    this.#runtime.scheduler.access(this, "read");
    if (this.#state === "ended")
      throw new KernelError("ENODEV", `${this.name}: the device has left that state`);
  }
}
