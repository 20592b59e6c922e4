/** The six callers that the thread lists, each as it binds today and on `attach`. */
import type { Dispute } from "../../dispute.js";
import { type Caller, onAttach, today } from "./caller.js";

interface Told extends Caller {
  readonly title: string;
  readonly argued: string;
  readonly found: string;
  readonly expected: "safe" | "unsafe";
}

const broken =
  "Its own order breaks: the binding is torn down, or overwritten, in the middle. Moved to attach, no order of events does.";

const callers: readonly Told[] = [
  {
    name: "serio",
    title: "Input ports (serio)",
    argued: "Definitely without the device's lock, with a mutex of its own, and connect in place of probe.",
    found: `${broken} The mutex of its own keeps serio's callers apart from each other and from nobody else.`,
    holds: "a mutex of its own",
    looks: "no",
    probe: "its own",
    rival: "unbind",
    expected: "unsafe",
  },
  {
    name: "gameport",
    title: "Game ports (gameport)",
    argued: "Looks a lot like serio, same comments.",
    found: broken,
    holds: "a mutex of its own",
    looks: "no",
    probe: "its own",
    rival: "unbind",
    expected: "unsafe",
  },
  {
    name: "phy",
    title: "Network PHYs with the generic driver (phy)",
    argued: "attach would be better; it looks unlikely that the device's lock is held.",
    found: `${broken} That it looks first does not help: the core's search for a driver looks as well.`,
    holds: "nothing",
    looks: "yes",
    probe: "its own",
    rival: "the core's search",
    expected: "unsafe",
  },
  {
    name: "hwsim",
    title: "Simulated radios (mac80211_hwsim)",
    argued: "Definitely without the lock; class and driver have no probe, so this could be changed.",
    found: `${broken} With an empty probe on a bus it is the same code with less of it.`,
    holds: "nothing",
    looks: "no",
    probe: "none",
    rival: "unbind",
    expected: "unsafe",
  },
  {
    name: "pnp card",
    title: "Cards of several devices (pnp card)",
    argued: "attach is better; very unlikely that a device pulled from a list has its lock held.",
    found: `${broken} It does not even look whether the device has a driver.`,
    holds: "nothing",
    looks: "no",
    probe: "its own",
    rival: "the core's search",
    expected: "unsafe",
  },
  {
    name: "usb claim",
    title: "Claiming an interface (usb)",
    argued:
      "A comment says that the caller must have the lock, no probe is called, and where the lock is taken is murky.",
    found:
      "If the comment is true, every order is fine. It is the only one of the six for which that can be said.",
    holds: "the device's lock",
    looks: "yes",
    probe: "none",
    rival: "the core's search",
    expected: "safe",
  },
  {
    name: "usb claim without the lock",
    title: "Claiming an interface (usb), where the comment is not true",
    argued: "In cdc_ether it is hard to see who takes the lock.",
    found: broken,
    holds: "nothing",
    looks: "yes",
    probe: "none",
    rival: "the core's search",
    expected: "unsafe",
  },
];

export const sixCallers: readonly Dispute[] = callers.map((caller) => ({
  id: `D6 ${caller.name}`,
  thread: "device-bind-driver",
  title: caller.title,
  argued: caller.argued,
  found: caller.found,
  variants: [
    {
      name: "as it binds today",
      program: today(caller),
      expected: caller.expected,
      ...(caller.expected === "unsafe" ? { finds: "expectation" as const } : {}),
      options: { ignore: ["data-race"] },
    },
    { name: "on attach", program: onAttach(caller), expected: "safe" },
  ],
}));
