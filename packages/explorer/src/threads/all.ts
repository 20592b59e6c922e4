/** Every thread, in the order in which they are told. */
import { disputes as deviceBindDriver } from "./device-bind-driver/index.js";
import type { Dispute } from "./dispute.js";

export interface Thread {
  readonly name: Dispute["thread"];
  readonly title: string;
  /** What it was about, for a reader who was not there. */
  readonly about: string;
  readonly disputes: readonly Dispute[];
}

export const threads: readonly Thread[] = [
  {
    name: "device-bind-driver",
    title: "device_bind_driver or device_driver_attach?",
    about:
      "Some buses bind drivers to devices by themselves: they set the device's driver, run a probe of their own, and call " +
      "device_bind_driver to have the rest done. In April 2021 somebody proposed to export the function that the core uses " +
      "for itself, which takes the lock and calls the probe. Six callers were listed, most of them without the lock that " +
      "the documentation asks for, and nobody could say what that does.",
    disputes: deviceBindDriver,
  },
];
