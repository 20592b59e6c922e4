/**
 * Binding and unbinding by hand: `attach` and `detach` for code, `bind`, `unbind` and `drivers_probe` for people
 * (drivers/base/dd.c, device_driver_attach and …_detach; drivers/base/bus.c, the files of those names). Who is bound
 * and whether they match is decided under the device's lock, so that neither can change before it counts.
 */
import type { Autoprobe } from "./autoprobe.js";
import type { Binder } from "./bind.js";
import type { Bus } from "./bus.js";
import { callOn } from "./call-on.js";
import type { Device } from "./device.js";
import { withDeviceLock } from "./device-lock.js";
import type { Driver } from "./driver.js";
import { isKernelError, KernelError } from "./error.js";
import type { Leaving } from "./leaving.js";
import { matches } from "./match.js";
import { deadlineOf, type Runtime, type WaitOptions } from "./runtime.js";
import type { Subsystem } from "./subsystem.js";
import type { StillWanted } from "./sync/call.js";

export interface ManualBindingSurroundings {
  readonly runtime: Runtime;
  readonly binder: Binder;
  readonly autoprobe: Autoprobe;
  readonly leaving: Leaving;
  /** @throws KernelError EINVAL not registered */
  subsystemOf(bus: Bus): Subsystem;
}

export class ManualBinding {
  readonly #around: ManualBindingSurroundings;

  constructor(around: ManualBindingSurroundings) {
    this.#around = around;
  }

  /** See `System.attach`. @param ask whether the bus, and the device's override, have a say */
  async attach(
    device: Device,
    driver: Driver,
    ask: "match" | "nobody",
    options: WaitOptions | undefined,
  ): Promise<void> {
    const { binder, runtime, subsystemOf } = this.#around;
    const what = `attach ${driver.name} to ${device.devpath}`;
    if (device.bus !== driver.bus) throw new KernelError("EINVAL", `${what}: they are not of the same bus`);
    const subsystem = subsystemOf(driver.bus);
    const deadline = deadlineOf(runtime, options);
    const attach = async (stillWanted: StillWanted): Promise<void> => {
      const outcome = await withDeviceLock(device, "with parent", deadline, (lock) => {
        stillWanted();
        const registration = subsystem.registrationOf(driver);
        if (registration === undefined)
          throw new KernelError("ENODEV", `${what}: the driver is not registered`);
        if (ask === "match" && !matches(device, driver)) {
          throw new KernelError("ENODEV", `${what}: the driver does not match the device`);
        }
        return binder.probe(lock, registration);
      });
      if (outcome.kind !== "bound") throw outcome.error;
    };
    try {
      await callOn(device, what, attach, { deadline });
    } catch (error) {
      if (!isKernelError(error, "EPROBE_DEFER")) throw error;
      throw new KernelError("EAGAIN", `${what}: something it needs is missing; try again`, { cause: error });
    }
  }

  /** See `System.detach`. */
  async detach(
    device: Device,
    expected: Driver | undefined,
    options: WaitOptions | undefined,
  ): Promise<void> {
    const { binder, leaving, runtime } = this.#around;
    const deadline = deadlineOf(runtime, options);
    const detach = async (stillWanted: StillWanted): Promise<void> => {
      const release = () =>
        withDeviceLock(device, "with parent", deadline, (lock) => {
          stillWanted();
          return binder.release(lock, expected ?? null);
        });
      const isOther = expected !== undefined && !leaving.empty && device.peekDriver() !== expected;
      const outcome = await (isOther ? release() : leaving.during(() => [device], deadline, release));
      if (outcome === "released" || expected === undefined) return;
      throw new KernelError(
        "ENODEV",
        `detach ${expected.name} from ${device.devpath}: it is not bound to it`,
      );
    };
    await callOn(device, `detach ${device.devpath}`, detach, { deadline });
  }

  /** See `System.bind`. */
  async bind(driver: Driver, name: string, options: WaitOptions | undefined): Promise<void> {
    const subsystem = this.#open(driver, "bind");
    await this.#found(subsystem, name, (device) => this.attach(device, driver, "match", options));
  }

  /** See `System.unbind`. */
  async unbind(driver: Driver, name: string, options: WaitOptions | undefined): Promise<void> {
    const subsystem = this.#open(driver, "unbind");
    await this.#found(subsystem, name, (device) => this.detach(device, driver, options));
  }

  /** See `System.driversProbe`. */
  async driversProbe(bus: Bus, name: string, options: WaitOptions | undefined): Promise<void> {
    const { autoprobe, subsystemOf } = this.#around;
    const subsystem = subsystemOf(bus);
    await this.#found(subsystem, name, async (device) => {
      const what = `probe for ${device.devpath}`;
      const search = await callOn(
        device,
        what,
        () => autoprobe.device(device, subsystem, "with parent"),
        options,
      );
      if (search.kind === "failed") {
        throw new KernelError("EINVAL", `${what}: the search failed`, { cause: search.error });
      }
    });
  }

  #open(driver: Driver, file: "bind" | "unbind"): Subsystem {
    const subsystem = this.#around.subsystemOf(driver.bus);
    if (driver.suppressBindAttrs === true) {
      throw new KernelError("ENOENT", `driver ${driver.name} has no ${file}: it must not be rebound by hand`);
    }
    if (subsystem.registrationOf(driver) === undefined) {
      throw new KernelError("ENODEV", `${file} ${driver.name}: it is not registered`);
    }
    return subsystem;
  }

  /** @param name may end with a newline, as what is written into a file does */
  async #found(subsystem: Subsystem, name: string, use: (device: Device) => Promise<void>): Promise<void> {
    const device = subsystem.device(name.replace(/\n$/, ""));
    if (device === undefined) {
      throw new KernelError("ENODEV", `there is no device ${JSON.stringify(name)} on ${subsystem.name}`);
    }
    device.get();
    try {
      await use(device);
    } finally {
      device.put();
    }
  }
}
