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
  /** What came out of it, in plain language. */
  readonly found: string;
  /** What the code does that ships, and why; absent where there is none. */
  readonly shipped?: string;
  /** The broken design whose schedule is shown in full: which question's, and which of its variants. */
  readonly shown: { readonly dispute: string; readonly variant: number };
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
    found:
      "Five of the six callers break, each in a few steps, and the sixth is fine exactly as long as a comment is true that " +
      "nobody checks. On attach all of them are safe in every order. What attach can't do is bind a device from its own " +
      "probe, or from a file of a parent whose lock the bus needs. Two more faults were found that no one had mentioned: " +
      "unbind can release a driver that it does not name, and a driver that leaves can be bound after its last device was " +
      "taken from it",
    shown: { dispute: "D6.1", variant: 0 },
    disputes: deviceBindDriver,
  },
  {
    name: "dxgkrnl",
    title: "dxgkrnl: one global structure, or state per device?",
    about:
      "A driver for GPUs that a host projects into a virtual machine, posted in 2022 with one global structure for all " +
      "devices. The review asked for state per device; the author saw no way to do it, for three devices have to meet and " +
      "some things span devices.",
    found:
      "The author's structure breaks with the second device, whichever field one looks at, and moving the same structure " +
      "to the driver data of one device changes nothing. State per device works, the meeting of three devices included: as " +
      "deferral by the core, or as a parent that makes its children when it is complete. The author was right in one point: " +
      "what spans devices needs a home that outlives each of them, and that is the parent",
    shown: { dispute: "D1.7", variant: 0 },
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
    found:
      "Is there concurrency without a mediated device? There is, and it was buggy: an interrupt can come before there is " +
      "anything to give it to, and it disables what the next device needs. Each design that was argued for mends something, " +
      "and only the rule is safe everywhere. Its strongest rival, taking a reference before each callback, is safe only if " +
      "pointer and reference are taken in one step. A user who never closes can't be helped by any design but one that revokes",
    shipped:
      "The drivers in [`packages/ccw/src/vfio-ccw`](../packages/ccw/src/vfio-ccw) follow the rule, and go further where the " +
      "questions above left something to lose. What belongs to a mediated device is put in the callbacks' reach and taken " +
      "out of it under the subchannel's lock, and its work ends before its memory does. The state machine has no lock of its own: " +
      "it is under the subchannel's as well, in which nobody sleeps. So what an interruption means is decided in its " +
      "handler, and no work that comes late can undo a close (H5) or free the next channel program. What takes time " +
      "lies before or behind the lock: a channel program is translated first, and dropped when a close or a reset has " +
      "overtaken it; closing forbids everything first, and waits for the device then, not for ever. Only open, close and " +
      "reset wait for each other, with a lock that no callback takes. Statuses queue until the user has read them (H9). A " +
      "path that goes has its start halted, never taken back, for of that nobody would tell the user. And users are " +
      "asked for the device before any lock is taken for its removal, and cut off when their time is over (H4). " +
      "[`packages/ccw/src/proofs`](../packages/ccw/src/proofs) has these drivers themselves explored, on the buses that ship, " +
      "with the kernel's order, or another one that was proposed, planted in them as what has to be found. " +
      "[What has been proved](ccw.md#what-has-been-proved) has for each question below, by its number, the programs, how far " +
      "they were looked at, and the mistakes that are found in them with their schedules",
    shown: { dispute: "D5.1", variant: 0 },
    disputes: vfioCcw,
  },
  {
    name: "mdev",
    title: "Mediated devices come and go",
    about:
      "A mediated device is created by writing a uuid to one file and removed by writing to another, and both files can go " +
      "while they are being written. What is said of the kernel here was read from the order of its source.",
    found:
      "Locks that are tried instead of waited for are what keeps creation, removal and unregistration from blocking each " +
      "other for ever. One order is left in which a device is deleted twice: the removal looks before it has the lock",
    shown: { dispute: "D7.1", variant: 0 },
    disputes: mdev,
  },
  {
    name: "char-devices",
    title: "Nodes and files that outlive what they stand for",
    about:
      "A device can be pulled out while programs have it open. All of the threads touch on it, and each driver answers it " +
      "for itself: what a file can reach, who is told, what an open finds that comes too late.",
    found:
      "What a file can reach must be counted, and every operation must ask, under a lock, whether the device is still there. " +
      "The nodes here do both, for all drivers",
    shown: { dispute: "D8.4", variant: 0 },
    disputes: charDevices,
  },
  {
    name: "uevents",
    title: "What listeners are told, and when",
    about:
      "Services in user space act on the kernel's announcements. Which order they may rely on is written down in few places.",
    found:
      "The order for one device holds in every order of adding, unbinding and removing. Across devices nothing can be relied " +
      "on once numbers are taken before the lock that sends",
    shown: { dispute: "D9.3", variant: 1 },
    disputes: uevents,
  },
];
