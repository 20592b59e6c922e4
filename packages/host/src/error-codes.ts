/**
 * What the host's codes mean and what helps. This list is the source of the type: a code that is thrown is listed here, and
 * docs/errors.md is made of it.
 */
import type { CodeEntry } from "parhelion-protocol";

/** Codes of HostError. */
export const hostErrorCodes = {
  "state-directory-foreign": {
    means: "The state directory belongs to another user.",
    remedy: "Name a directory of your own with --state.",
  },
  "state-directory-unusable": {
    means: "The state directory can't be made, read or written.",
    remedy: "Name another directory with --state.",
  },
  "socket-path-too-long": {
    means: "A Unix socket's path has at most 107 bytes; a socket in this directory would have more.",
    remedy: "Use a shorter state directory.",
  },
  "host-already-running": {
    means: "Another host uses the state directory.",
    remedy: "Use that one, stop it, or name another directory with --state.",
  },
  "listen-failed": {
    means: "A socket can't be listened on.",
    remedy: "Choose another port or address; the message has the system's reason.",
  },
  "metrics-exposed": {
    means: "Metrics were to be served where other machines can read them.",
    remedy: "Serve them on 127.0.0.1, or say that you want this with --metrics-anywhere.",
  },
  "store-damaged": {
    means:
      "What is kept in the state directory is not what was kept last: damaged, incomplete, or of another release. The message names the record.",
    remedy:
      "Put back a copy of its directory store, or start the host with --forget-state: its guests and slices are forgotten then.",
  },
  "store-failed": {
    means: "A change could not be written, so it was not made; nothing is half done.",
    remedy: "Free space or mend the disk of the state directory, then try again.",
  },
  "store-unavailable": {
    means: "The store in the state directory can't be opened, or its native part can't be loaded.",
    remedy: "Free space if the disk is full, and check that the user who runs the host can write there.",
  },
  "uuid-used": {
    means: "A slice has, or had, this UUID; the host never gives one out twice.",
    remedy: "Choose another UUID, or leave it to the host.",
  },
  "no-adapter": {
    means: "No adapter that was wished for answers; the message names every attempt and why it failed.",
    remedy: 'Install a Vulkan driver, or ask for "software" or "best".',
  },
  "adapter-drained": {
    means: "A refusal: the adapter failed its probes and takes no new devices until it passes them again.",
    remedy: "Try again when it is probed next, which the message says, or take a slice of another adapter.",
  },
  "engine-start-failed": {
    means: "A slice's engine did not start.",
    remedy: "The message says why; `parhelion host --log-level debug` shows what the engine printed.",
  },
  "engine-gone": {
    means: "A slice's engine ended; what was asked of it is lost, with its devices.",
    remedy: "Ask for a new device: a fresh engine is started.",
  },
  "engine-backing-off": {
    means: "A slice's engine failed several times in a row and is not started again before a delay is over.",
    remedy: "Try again after the delay that the message names.",
  },
  "engine-stopped": {
    means: "The slice is going away, its engine with it.",
    remedy: "Ask for another adapter.",
  },
  "engine-silent": {
    means: "A slice's engine missed a deadline.",
    remedy: "Try again: it is replaced when it stays silent.",
  },
  "engine-refused": { means: "A slice's engine said no; the message is the engine's.", remedy: "" },
  "guest-unknown": {
    means: "There is no guest with this id.",
    remedy: "`parhelion ls` lists the guests that there are.",
  },
  "guest-connected": {
    means: "A kernel is connected for this guest already.",
    remedy: "End that one, or create another guest.",
  },
  "bad-descriptor": {
    means: "A slice's descriptor is malformed or contradicts itself.",
    remedy: "The message names the member and what it may be.",
  },
  "slice-unknown": {
    means: "There is no slice with this UUID.",
    remedy: "`parhelion slice ls` lists the slices that there are.",
  },
  "slice-stale": {
    means:
      "The slice has another generation than the request names: its holder or its use has changed since.",
    remedy: "Look at it again with `parhelion slice show`, then ask again.",
  },
  "slice-busy": {
    means: "Something else is being done with the slice, or still holds it.",
    remedy: "Try again.",
  },
  "slice-not-vfio": {
    means: "The slice is not used as vfio, so it can't be served to a virtual machine monitor.",
    remedy: "`parhelion unbind` and `parhelion bind UUID vfio` change that.",
  },
  "slice-served": {
    means: "The slice is served on a socket already.",
    remedy: "End that first; `parhelion vfio ls` says where it is.",
  },
  "service-unknown": {
    means: "There is no such service of a slice, or it has ended.",
    remedy: "Serve the slice again.",
  },
  "local-node-failed": {
    means: "A slice could not be served on the host itself.",
    remedy: "The message says why; `parhelion unbind` and `bind` try again.",
  },
  "adapter-unknown": {
    means: "There is no adapter of this name.",
    remedy: "`parhelion adapter ls` lists the adapters that there are.",
  },
  "adapter-gone": {
    means: "The adapter was removed, or is being removed.",
    remedy: "Add it again with `parhelion adapter add`, or name another one.",
  },
  "adapter-there": {
    means: "The adapter is there already.",
    remedy: "Remove it first, or give another name.",
  },
  "bad-request": {
    means: "A request on the admin socket is malformed.",
    remedy: "The message names the parameter and what it may be.",
  },
  "unknown-method": {
    means: "The admin socket has no such method.",
    remedy: "The message lists those that there are; host and command may be of different releases.",
  },
  "limit-reached": {
    means: "A refusal: something would exceed a limit. It names slice, rule, limit, used and wanted.",
    remedy: "Give something back, or raise the limit that the rule names.",
  },
  "host-stopping": {
    means: "The host is stopping and takes nothing new.",
    remedy: "Wait until it has stopped, then start it again.",
  },
  "host-gone": {
    means: "The host does not answer, or closed the connection.",
    remedy: "Start the host again with `parhelion host`.",
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;

export type HostErrorCode = keyof typeof hostErrorCodes;
