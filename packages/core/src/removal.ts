/**
 * How devices and drivers go: those who listen are told first, while no lock is held for it; then it goes, whatever
 * came of that.
 */
import { callOn } from "./call-on.js";
import type { Device } from "./device.js";
import type { DeviceTree } from "./device-tree.js";
import type { Driver } from "./driver.js";
import type { Drivers } from "./drivers.js";
import type { Leaving } from "./leaving.js";
import { deadlineOf, type Runtime, type WaitOptions } from "./runtime.js";
import type { Subsystem } from "./subsystem.js";
import { call, type StillWanted } from "./sync/call.js";

/** @param removed called when the device has gone, late or not @throws KernelError as `System.removeDevice` */
export async function removeDevice(
  { leaving, tree }: { readonly leaving: Leaving; readonly tree: DeviceTree },
  device: Device,
  removed: () => void,
  options: WaitOptions | undefined,
): Promise<void> {
  const deadline = deadlineOf(device.runtime, options);
  const remove = (stillWanted: StillWanted): Promise<void> =>
    leaving.during(
      () => [device],
      deadline,
      async () => {
        await tree.kill(device, stillWanted, deadline);
        await tree.teardown(device);
        removed();
      },
    );
  await callOn(device, `remove ${device.devpath}`, remove, { deadline });
}

/** @throws KernelError as `System.unregisterDriver` */
export async function unregisterDriver(
  {
    drivers,
    leaving,
    runtime,
  }: { readonly drivers: Drivers; readonly leaving: Leaving; readonly runtime: Runtime },
  driver: Driver,
  subsystem: Subsystem,
  options: WaitOptions | undefined,
): Promise<void> {
  const registration = drivers.kill(driver, subsystem);
  const devices = () => registration.bindings.devices();
  const teardown = () =>
    leaving.during(devices, deadlineOf(runtime, options), () => drivers.teardown(registration, subsystem));
  await call(runtime, `unregister ${registration.devpath}`, teardown, options);
}
