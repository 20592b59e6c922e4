/**
 * What a host tells of itself: every record that it logs at level info or above, by the same name and with the same fields. This
 * list is the source of the names' types; docs/events.md is made of it.
 */
import type { LogLevel, Runtime } from "parhelion-core";

interface FieldTypes {
  readonly text: string;
  readonly number: number;
  readonly object: unknown;
}

export interface EventField {
  readonly type: keyof FieldTypes;
  readonly means: string;
  /** "sometimes": absent where there is nothing to say. */
  readonly there: "always" | "sometimes";
}

export interface EventEntry {
  /** What it is logged at. */
  readonly level: Exclude<LogLevel, "debug">;
  readonly means: string;
  readonly fields: Readonly<Record<string, EventField>>;
}

const text = (means: string) => ({ type: "text", means, there: "always" }) as const;
const number = (means: string) => ({ type: "number", means, there: "always" }) as const;
const object = (means: string) => ({ type: "object", means, there: "always" }) as const;
const textIfAny = (means: string) => ({ type: "text", means, there: "sometimes" }) as const;
const numberIfAny = (means: string) => ({ type: "number", means, there: "sometimes" }) as const;
const objectIfAny = (means: string) => ({ type: "object", means, there: "sometimes" }) as const;

const slice = text("the slice's UUID");
const guest = text("the guest's id");
const adapter = text("the adapter's name");
const error = object("what was thrown: name, message, code");
const suppressed = numberIfAny("how many of this name were only counted since the last one");

export const hostEvents = {
  "host.started": {
    level: "info",
    means: "The host is ready.",
    fields: {
      stateDirectory: text("where its sockets lie"),
      address: objectIfAny("host and port where remote guests connect, if any"),
    },
  },
  "host.stopping": {
    level: "info",
    means: "The host takes everything down.",
    fields: { stateDirectory: text("where its sockets lie") },
  },
  "host.stop-slow": {
    level: "warn",
    means: "An orderly stop took too long; engines are killed.",
    fields: { afterMs: number("how long it was waited, in ms") },
  },
  "host.stopped": {
    level: "info",
    means: "The host has stopped.",
    fields: { stateDirectory: text("where its sockets lay") },
  },
  "stop.failed": {
    level: "error",
    means: "One step of the stop failed; the others were taken.",
    fields: { step: text("which one"), error },
  },
  "adapter.found": {
    level: "info",
    means: "An adapter answered when the host started.",
    fields: { what: text("what was tried"), adapter: text("its description") },
  },
  "adapter.suspect": {
    level: "warn",
    means: "Something speaks against an adapter; it is probed, and goes on meanwhile.",
    fields: { adapter, reason: text("what speaks against it") },
  },
  "adapter.drained": {
    level: "error",
    means: "An adapter failed its probes: it takes no new devices; it is probed again, for ever.",
    fields: {
      adapter,
      reason: text("what the last probe said"),
      retryInMs: number("until the next probe, in ms"),
    },
  },
  "adapter.re-probed": {
    level: "info",
    means: "A drained adapter passed a probe; one more and it is healthy.",
    fields: { adapter, retryInMs: number("until the next probe, in ms") },
  },
  "adapter.healthy": {
    level: "info",
    means: "An adapter is healthy again.",
    fields: {
      adapter,
      reason: text("what it had been suspected of"),
      afterMs: number("how long ago, in ms"),
    },
  },
  "adapter.removed": {
    level: "info",
    means: "An adapter was taken away, with all its slices; they are known still.",
    fields: { adapter },
  },
  "clock.jumped": {
    level: "warn",
    means: "The machine slept: its clock since boot went further than its running clock.",
    fields: { byMs: number("how much further, in ms") },
  },
  "slice.created": {
    level: "info",
    means: "A slice was made.",
    fields: {
      slice,
      generation: number("the slice's generation"),
      adapter,
      holder: textIfAny("id of the guest that it is for"),
    },
  },
  "slice.resized": {
    level: "info",
    means: "A slice has other limits.",
    fields: { slice, descriptor: object("all its limits now") },
  },
  "slice.moved": {
    level: "info",
    means: "A slice has another holder or adapter.",
    fields: {
      slice,
      generation: number("its new generation"),
      holder: textIfAny("id of its new holder"),
      adapter: textIfAny("its new adapter"),
    },
  },
  "slice.removed": {
    level: "info",
    means: "A slice was taken away for good.",
    fields: { slice, reason: text("why") },
  },
  "slice.given": {
    level: "info",
    means: "A slice was given to its holder: it sees a vGPU.",
    fields: { slice, generation: number("the slice's generation"), adapter, holder: text("the holder's id") },
  },
  "slice.local": {
    level: "info",
    means: "A slice is served on the host itself.",
    fields: { slice, directory: text("where its node is") },
  },
  "slice.vfio": {
    level: "info",
    means: "A slice can be handed to a virtual machine monitor.",
    fields: { slice, node: text("the name of its VFIO device") },
  },
  "vfio.served": {
    level: "info",
    means: "A slice is served by vfio-user.",
    fields: { slice, socket: text("where clients connect") },
  },
  "vfio.ended": {
    level: "info",
    means: "A slice is served by vfio-user no more.",
    fields: { slice, socket: text("where clients connected"), reason: text("why") },
  },
  "slice.local-slow": {
    level: "warn",
    means: "What served a slice on the host itself did not end in time; it was cut off.",
    fields: { slice, afterMs: number("how long it was waited, in ms") },
  },
  "slice.not-back": {
    level: "warn",
    means: "An adapter came back, and a slice of it could not be.",
    fields: { slice, adapter, reason: text("why") },
  },
  "slice.use-unkept": {
    level: "warn",
    means: "A slice's use has changed and that could not be written down: the next host will not know.",
    fields: { slice, reason: text("why") },
  },
  "slice.removal-unkept": {
    level: "warn",
    means: "Slices were removed and that could not be written down: the next host will have them again.",
    fields: { slices: object("their UUIDs"), reason: text("why") },
  },
  "engine.ready": {
    level: "info",
    means: "A slice's engine has started.",
    fields: {
      slice,
      engine: numberIfAny("its process"),
      start: number("which of this slice's engines it is"),
    },
  },
  "engine.suspect": {
    level: "warn",
    means: "An engine missed a deadline; it is killed when it stays silent.",
    fields: {
      slice,
      engine: numberIfAny("its process"),
      operation: text("what it did not answer"),
      suspectMs: number("how long it may stay silent, in ms"),
    },
  },
  "engine.failed": {
    level: "warn",
    means: "An engine ended by itself, was killed for a reason, or did not start.",
    fields: {
      slice,
      reason: text("how and why"),
      failures: number("how many in a row"),
      retryInMs: number("before the next may start, in ms"),
    },
  },
  "message.stale": {
    level: "warn",
    means: "An engine's message named another slice or generation than it serves; it was dropped.",
    fields: {
      code: text("slice-stale"),
      slice,
      generation: number("the slice's generation"),
    },
  },
  "engine.overrun": {
    level: "warn",
    means:
      "A submission does not come back from the GPU after its slice's budget; its engine is killed, with all its devices.",
    fields: {
      slice,
      device: number("the engine's number of the device that submitted it"),
      reason: text("which dispatch or draw, and how long"),
    },
  },
  "device.lost": {
    level: "info",
    means: "A device of an application is lost, and not because the application destroyed it.",
    fields: { slice, device: number("the engine's number of it"), reason: text("what `device.lost` says") },
  },
  "guest.created": {
    level: "info",
    means: "A guest was granted.",
    fields: { guest, name: text("its name for people"), slices: number("how many it has") },
  },
  "guest.removed": { level: "info", means: "A guest was taken back.", fields: { guest } },
  "guest.connected": {
    level: "info",
    means: "A guest's kernel has connected.",
    fields: { guest, reach: text("local or remote") },
  },
  "guest.disconnected": {
    level: "info",
    means: "The connection of a guest's kernel has ended.",
    fields: { guest, reason: text("why") },
  },
  "guest.not-met": {
    level: "info",
    means: "A connection ended before it was a guest's.",
    fields: {
      reach: textIfAny("local or remote"),
      from: textIfAny("address"),
      reason: textIfAny("why"),
      suppressed,
    },
  },
  "guest.refused": {
    level: "warn",
    means: "A kernel presented a credential that is no guest's, or of a guest that is connected.",
    fields: {
      guest: textIfAny("the guest's id, where it is known"),
      reach: textIfAny("local or remote"),
      from: textIfAny("address"),
      reason: textIfAny("why"),
      suppressed,
    },
  },
  "guest.orphaned": {
    level: "info",
    means: "A guest that lives as long as its connection was away too long; it is removed.",
    fields: { guest, afterMs: number("for how long it was away, in ms") },
  },
  "guest.orphan-stays": {
    level: "warn",
    means: "A guest that was away too long could not be removed; it is tried again.",
    fields: { guest, reason: text("why") },
  },
  "guest.stays": {
    level: "warn",
    means: "A guest could not be removed and goes on as it was.",
    fields: { guest, reason: text("why") },
  },
  "guest.directory-left": {
    level: "warn",
    means: "A guest was removed and its directory could not be.",
    fields: { guest, error },
  },
  "queue.refused": {
    level: "warn",
    means: "Somebody on another machine asked for a queue that is not his, or for too many.",
    fields: { reason: text("why"), from: textIfAny("address"), suppressed },
  },
  "leftovers.ended": {
    level: "info",
    means: "Engines of a host that died were found and ended.",
    fields: { directory: text("the state directory"), engines: object("their processes") },
  },
  "leftovers.stay": {
    level: "warn",
    means: "Engines of a host that died were found and could not be ended.",
    fields: { directory: text("the state directory"), engines: object("their processes") },
  },
  "store.close-slow": {
    level: "warn",
    means: "The store did not close in time.",
    fields: { store: text("where it is"), afterMs: number("how long it was waited, in ms") },
  },
  "connection.unidentified": {
    level: "info",
    means: "A connection ended before it said what it is.",
    fields: { reach: text("local or remote"), from: textIfAny("address"), reason: text("why"), suppressed },
  },
  "limit.reached": {
    level: "warn",
    means: "Something was refused because of a limit.",
    fields: {
      reason: text("the refusal's words"),
      guest: textIfAny("the guest's id"),
      slice: textIfAny("the slice's UUID"),
      command: textIfAny("what was refused"),
      rule: textIfAny("which limit"),
      limit: numberIfAny("how much there may be"),
      used: numberIfAny("how much there was"),
      wanted: numberIfAny("how much more was wanted"),
      suppressed,
    },
  },
  "command.failed": {
    level: "error",
    means: "A guest's command failed through the host's own fault: a bug.",
    fields: { guest: textIfAny("the guest's id"), command: text("which one"), error },
  },
  "admin.failed": {
    level: "error",
    means: "An administrator's request failed through the host's own fault: a bug.",
    fields: { error },
  },
  "metrics.failed": {
    level: "error",
    means: "The page of metrics could not be made, through the host's own fault: a bug.",
    fields: { error },
  },
} as const satisfies Readonly<Record<string, EventEntry>>;

export type HostEventName = keyof typeof hostEvents;

type Fields<N extends HostEventName> = (typeof hostEvents)[N]["fields"];
type NamesOf<F, There extends EventField["there"]> = {
  [K in keyof F]: F[K] extends { readonly there: There } ? K : never;
}[keyof F];
type TypeOf<F> = F extends { readonly type: infer T extends keyof FieldTypes } ? FieldTypes[T] : never;

export type HostEventFields<N extends HostEventName> = {
  readonly [K in NamesOf<Fields<N>, "always">]: TypeOf<Fields<N>[K]>;
} & { readonly [K in NamesOf<Fields<N>, "sometimes">]?: TypeOf<Fields<N>[K]> | undefined };

/** Logs an event at its level; whoever observes the host hears of it by that. */
export function tell<N extends HostEventName>(runtime: Runtime, name: N, fields: HostEventFields<N>): void {
  runtime.log(hostEvents[name].level, name, fields);
}

export function isHostEvent(name: string): name is HostEventName {
  return Object.hasOwn(hostEvents, name);
}
