/**
 * A device's file as it is handed out by its group. Whoever asked for it may be gone before it comes, and then nobody would
 * ever close it: so a revocation does, and the user's own close has nothing left to do.
 */
import {
  type Counted,
  KernelError,
  type Mapping,
  type MapRange,
  noDeadline,
  OpenFile,
  type WaitOptions,
} from "parhelion-core";
import type { DeviceReply, DeviceRequest } from "./calls.js";
import type { DeviceUse, UsedDevice } from "./use.js";

export class HandedFile extends OpenFile<DeviceRequest, DeviceReply> {
  #closed: "by nobody" | "by revocation" | "by its user" = "by nobody";

  override async request(request: DeviceRequest, options?: WaitOptions): Promise<DeviceReply> {
    this.#assertThere();
    return super.request(request, options);
  }

  override async map(range: MapRange, options?: WaitOptions): Promise<Mapping> {
    this.#assertThere();
    return super.map(range, options);
  }

  override async close(options?: WaitOptions): Promise<void> {
    const before = this.#closed;
    this.#closed = "by its user";
    if (before !== "by revocation") await super.close(options);
  }

  /** The device was taken from its user. Waits for no user. */
  async drop(): Promise<void> {
    // One that is still being opened is seen to by whoever opens it.
    if (this.#closed !== "by nobody" || this.state !== "open") return;
    this.#closed = "by revocation";
    await super.close({ deadline: noDeadline });
  }

  #assertThere(): void {
    if (this.#closed !== "by revocation") return;
    throw new KernelError("ENODEV", `${this.name}: its device is not there`);
  }
}

/** Makes the file of an open that has succeeded. @throws KernelError ENODEV the device is being revoked */
export async function hand(device: UsedDevice & Counted, use: DeviceUse): Promise<HandedFile> {
  const { name, runtime } = device;
  const number = runtime.ids.next(`file of ${name}`);
  const file = new HandedFile(runtime, `${name}#group-${number}`, {}, device, () => {});
  use.file = file;
  await file.start(() => use, { deadline: noDeadline });
  if (use.state === "open") return file;
  await file.drop();
  throw new KernelError("ENODEV", `${name} is being removed`);
}
