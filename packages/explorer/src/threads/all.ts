/** Every thread, in the order in which they are told. */
import { disputes as charDevices } from "./char-devices/index.js";
import { disputes as deviceBindDriver } from "./device-bind-driver/index.js";
import type { Dispute } from "./dispute.js";
import { disputes as dxgkrnl } from "./dxgkrnl/index.js";
import { disputes as uevents } from "./uevents/index.js";

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
  {
    name: "dxgkrnl",
    title: "dxgkrnl: one global structure, or state per device?",
    about:
      "A driver for GPUs that a host projects into a virtual machine, posted in 2022 with one global structure for all " +
      "devices. The review asked for state per device; the author saw no way to do it, for three devices have to meet and " +
      "some things span devices.",
    disputes: dxgkrnl,
  },
  {
    name: "char-devices",
    title: "Nodes and files that outlive what they stand for",
    about:
      "A device can be pulled out while programs have it open. All of the threads touch on it, and each driver answers it " +
      "for itself: what a file can reach, who is told, what an open finds that comes too late.",
    disputes: charDevices,
  },
  {
    name: "uevents",
    title: "What listeners are told, and when",
    about:
      "Services in user space act on the kernel's announcements. Which order they may rely on is written down in few places.",
    disputes: uevents,
  },
];
