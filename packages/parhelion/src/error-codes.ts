/**
 * What the command's own codes mean; the advice is in each message. Besides these it passes on the host's codes and Linux's error
 * numbers. The source of the codes' types; docs/errors.md is made of it.
 */
import type { HostErrorCode } from "parhelion-host";
import type { CodeEntry, StatusCode } from "parhelion-protocol";

export const commandErrorCodes = {
  "ambiguous-guest": {
    means: "Several guests are called so.",
    remedy: "Write the id of the one you mean; the message lists them.",
  },
  "ambiguous-slice": {
    means: "Several slices' UUIDs begin so.",
    remedy: "Write more of it; the message lists them.",
  },
  "command-not-started": {
    means:
      "The command that `run` was given can't be started; it exits with 127 when there is none, else with 126.",
    remedy: "Check its name and PATH, and that it is an executable file.",
  },
  "connection-lost": {
    means: "Whoever was being watched or asked ended the connection.",
    remedy: "It was stopped or it died: start it again.",
  },
  "bad-line": {
    means: "A serial port can't be plugged into what `vfio serve --line` names.",
    remedy: "Write loop-back, pty or unix:PATH, once for each port at most.",
  },
  "bad-terminal": {
    means: "A console's terminal can't be what `console attach --terminal` names.",
    remedy: "Write pty, pty:LINK for a link that is not there yet, or unix:PATH.",
  },
  "device-gone": {
    means: "A device that was served is gone: its slice was taken away, or its host has ended.",
    remedy: "Serve it again when it is back.",
  },
  "directory-in-use": {
    means: "Another guest kernel serves nodes in this directory.",
    remedy: "End that one, or name another directory.",
  },
  "directory-unusable": {
    means: "Nodes can't be served in this directory.",
    remedy: "Name a directory that this user can write.",
  },
  "guest-refused": {
    means: "The host does not know the guest's credential, or the guest is connected already.",
    remedy: "`parhelion guest create` on the host prints a fresh credential.",
  },
  "guest-remote": {
    means: "The guest is on another machine, where its device tree is.",
    remedy: "Ask on that machine, with PARHELION_DIR set.",
  },
  "guest-without-kernel": {
    means: "There is such a guest, and no kernel serves it.",
    remedy: "Its kernel is `parhelion guest` or `parhelion run`: look whether that one still runs.",
  },
  "host-silent": {
    means: "The host did not answer a guest's kernel in time.",
    remedy: "Look at the host's log.",
  },
  "host-unreachable": {
    means: "Nothing answers where the host should be, or this user may not ask it.",
    remedy:
      "Start it with `parhelion host`, check the address, and run the command as the user who runs the host.",
  },
  "isolation-unavailable": {
    means: "This machine can't shut a command in as it was asked to.",
    remedy: "The message names what is missing; `run --isolate` without a level takes the best that works.",
  },
  "limit-unknown": {
    means: "`parhelion host --limit` names a limit that there is not.",
    remedy: "Take one of those that the message lists; their rules are explained above.",
  },
  "no-credential": {
    means: "The file holds no credential, or can't be read.",
    remedy: "Give it what `guest create` printed: 64 hex digits.",
  },
  "no-device": {
    means: "There is no such device to serve.",
    remedy: "`parhelion vfio ls` lists what can be served.",
  },
  "no-pty": {
    means: "This machine gives no pseudo-terminal, or koffi, which asks for it, does not load.",
    remedy: "Take unix:PATH instead.",
  },
  "no-guest": { means: "There is no such guest.", remedy: "`parhelion ls` lists the guests that there are." },
  "no-slice": {
    means: "No slice has this UUID, or one that begins so.",
    remedy: "`parhelion slice ls` lists the slices that there are.",
  },
  "nothing-to-change": {
    means: "A command that changes something was not told what.",
    remedy: "Its --help lists what it can change.",
  },
  "adapter-memory-count": {
    means: "--adapter-memory was given for some of several adapters.",
    remedy: "Give it once for all, or once for each --adapter.",
  },
  "no-host": {
    means: "No host answers in the state directory.",
    remedy: "Start one with `parhelion host`, or name its directory with --state.",
  },
  "other-adapter": {
    means: "The running host has another adapter than the command wishes.",
    remedy: "Leave --adapter away, start that host anew with it, or name another state directory.",
  },
  "path-missing": {
    means: "A path that was to be visible or writable in isolation does not exist.",
    remedy: "Make it, or leave it away.",
  },
  "tree-unreachable": {
    means: "The device tree's socket is there and can't be used.",
    remedy: "Run the command as the user whose tree it is.",
  },
  failed: { means: "Something else; the message says what.", remedy: "" },
} as const satisfies Readonly<Record<string, CodeEntry>>;

export type CommandErrorCode = keyof typeof commandErrorCodes | HostErrorCode | StatusCode | `E${number}`;
