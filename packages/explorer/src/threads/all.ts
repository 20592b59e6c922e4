/** Every thread, in the order in which they are told. */
import { disputes as charDevices } from "./char-devices/index.js";
import { disputes as deviceBindDriver } from "./device-bind-driver/index.js";
import type { Dispute } from "./dispute.js";
import { disputes as dxgkrnl } from "./dxgkrnl/index.js";
import { disputes as mdev } from "./mdev/index.js";
import { disputes as uevents } from "./uevents/index.js";
import { disputes as vfioCcw } from "./vfio-ccw/index.js";

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
    name: "vfio-ccw",
    title: "Who owns vfio-ccw's vfio_device",
    about:
      "A channel subchannel of a mainframe is handed to a guest: one driver is bound to the subchannel, another to the " +
      "mediated device that stands for it, and the channel subsystem calls back whenever it likes. In April 2021 it was argued " +
      "whose struct the vfio device belongs in, and nobody could convince himself that the callbacks can't meet the wrong " +
      "one. The context below is that struct: what callbacks and mediated device work on together. The rule is what is missing " +
      "in the design that the kernel ended with: pointers to it change under the subchannel's lock, work is cancelled " +
      "once nobody can queue it any more, a subchannel without a parent is like one without a mediated device, and the state " +
      "machine has one lock under which nobody waits for work. H1 to H10 ask what is left in the kernel's design. What is said " +
      "of the kernel here was read from the order of its source; nothing of it was seen on a machine.",
    disputes: vfioCcw,
  },
  {
    name: "mdev",
    title: "Mediated devices come and go",
    about:
      "A mediated device is created by writing a uuid to one file and removed by writing to another, and both files can go " +
      "while they are being written. What is said of the kernel here was read from the order of its source.",
    disputes: mdev,
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
