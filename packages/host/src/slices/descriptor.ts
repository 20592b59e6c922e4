/**
 * What a slice is given of its adapter. Somebody wishes for a type, or for numbers of his own; against the adapter's capacity
 * that becomes a descriptor, in which nothing is left open.
 */
import { HostError } from "../host-error.js";

/**
 * `full` to `eighth`: that part of the adapter, reserved. `shared` reserves nothing and may take what the others leave.
 * `custom`: as its descriptor says.
 */
export type SliceType = "full" | "half" | "quarter" | "eighth" | "shared" | "custom";

export const sliceTypes: readonly SliceType[] = ["full", "half", "quarter", "eighth", "shared", "custom"];

export interface SliceMemory {
  /** The slice has as much whatever the others do, in bytes. */
  readonly reservedBytes: number;
  /** The slice never has more, in bytes. */
  readonly limitBytes: number;
}

/** The limits of one slice. All of it travels as JSON. */
export interface SliceDescriptor {
  readonly type: SliceType;
  readonly memory: SliceMemory;
  /** Part of the adapter's time that is kept for it: 0 to 1, in millionths. Those of one adapter are 1 together at most. */
  readonly share: number;
  /** Of what is left of time and memory each gets by weight. More than 0. */
  readonly weight: number;
  /** Part of the adapter's time that it never exceeds, even when nobody else wants it. More than 0, 1 at most. */
  readonly cap: number;
  /** Time of the adapter that one submission may take, in ms. */
  readonly submissionMs: number;
  /** WebGPU objects that are alive at once. */
  readonly objects: number;
  /** Bytes on their way to the engine that it has not worked off. */
  readonly bytesInFlight: number;
  /** Engine processes that are alive at once, one that is being ended included. */
  readonly engines: number;
  /** Processes of the guest that have the vGPU open at once. */
  readonly nodeOpens: number;
}

/** What may be left open when a slice is wished for; also what a resize changes. */
export interface SliceWish {
  readonly type?: SliceType;
  readonly memory?: Partial<SliceMemory>;
  readonly share?: number;
  readonly weight?: number;
  readonly cap?: number;
  readonly submissionMs?: number;
  readonly objects?: number;
  readonly bytesInFlight?: number;
  readonly engines?: number;
  readonly nodeOpens?: number;
}

/** Which part of an adapter the fixed types are. */
export const fixedShares: Readonly<Partial<Record<SliceType, number>>> = {
  full: 1,
  half: 1 / 2,
  quarter: 1 / 4,
  eighth: 1 / 8,
};

/** An adapter that is shared by equals has eight of them: an eighth has the weight of one `shared` slice. */
const weightOfAll = 8;

const defaults = {
  cap: 1,
  // Whole neural networks go in one, and a software adapter on a busy machine takes many seconds for them.
  submissionMs: 60_000,
  objects: 1_000_000,
  bytesInFlight: 256 * 1024 * 1024,
  engines: 1,
  nodeOpens: 1024,
} as const;

/** More than any adapter has; sums of a few thousand stay exact. */
const mostBytes = 2 ** 44;
interface NumberRule {
  readonly least: number;
  readonly most: number;
  readonly kind: "whole" | "millionths";
}

const rules: Readonly<Record<Exclude<keyof SliceWish, "type" | "memory">, NumberRule>> = {
  share: { least: 0, most: 1, kind: "millionths" },
  weight: { least: 0.001, most: 1000, kind: "millionths" },
  cap: { least: 0.001, most: 1, kind: "millionths" },
  submissionMs: { least: 1, most: 86_400_000, kind: "whole" },
  objects: { least: 1, most: 2 ** 30, kind: "whole" },
  bytesInFlight: { least: 65_536, most: mostBytes, kind: "whole" },
  // See docs/adr/0012.
  engines: { least: 1, most: 1, kind: "whole" },
  nodeOpens: { least: 1, most: 65_536, kind: "whole" },
};
const memoryRules: Readonly<Record<keyof SliceMemory, NumberRule>> = {
  reservedBytes: { least: 0, most: mostBytes, kind: "whole" },
  limitBytes: { least: 65_536, most: mostBytes, kind: "whole" },
};

/**
 * Checks what came from outside. Whether it fits an adapter is not looked at.
 * @throws HostError bad-descriptor, which names the field, what it may be, and what to do
 */
export function parseSliceWish(value: unknown): SliceWish {
  const fields = record(value, "the descriptor");
  known(fields, ["type", "memory", ...Object.keys(rules)], "the descriptor");
  const wish: Record<string, unknown> = {};
  if (fields["type"] !== undefined) wish["type"] = parseSliceType(fields["type"]);
  if (fields["memory"] !== undefined) {
    const memory = record(fields["memory"], "memory");
    known(memory, Object.keys(memoryRules), "memory");
    wish["memory"] = numbers(memory, memoryRules, "memory.");
  }
  return { ...wish, ...numbers(fields, rules, "") } as SliceWish;
}

/** @throws HostError bad-descriptor */
export function parseSliceType(value: unknown): SliceType {
  const type = sliceTypes.find((name) => name === value);
  if (type !== undefined) return type;
  throw bad("type", value, `one of ${sliceTypes.join(", ")}`);
}

/**
 * What a wish comes to on an adapter of this capacity. Without a type it is `custom` when it names memory or a share, else
 * `shared`.
 * @throws HostError bad-descriptor where the wish contradicts its type, or itself
 */
export function describeSlice(wish: SliceWish, capacityBytes: number): SliceDescriptor {
  const type = wish.type ?? (hasOwnClaim(wish) ? "custom" : "shared");
  const { memory, share } = claimOf(type, wish, capacityBytes);
  const { reservedBytes, limitBytes } = memory;
  if (reservedBytes > limitBytes)
    throw bad("memory.reservedBytes", reservedBytes, `at most memory.limitBytes, which is ${limitBytes}`);
  const cap = wish.cap ?? defaults.cap;
  if (cap < share) throw bad("cap", cap, `at least the slice's share, which is ${share}`);
  return {
    type,
    memory,
    share,
    weight: wish.weight ?? (share > 0 ? toMillionths(share * weightOfAll) : 1),
    cap,
    submissionMs: wish.submissionMs ?? defaults.submissionMs,
    objects: wish.objects ?? defaults.objects,
    bytesInFlight: wish.bytesInFlight ?? defaults.bytesInFlight,
    engines: wish.engines ?? defaults.engines,
    nodeOpens: wish.nodeOpens ?? defaults.nodeOpens,
  };
}

/**
 * The descriptor with changes. Another type brings its own memory, share and weight. Memory or a share of its own makes a slice of a
 * fixed type a `custom` one, which keeps what was not changed; where all of the memory was reserved it stays so.
 * @throws HostError bad-descriptor
 */
export function changeDescriptor(
  descriptor: SliceDescriptor,
  changes: SliceWish,
  capacityBytes: number,
): SliceDescriptor {
  const { type, memory, share, weight, ...limits } = descriptor;
  const outgrown = fixedShares[type] !== undefined && hasOwnClaim(changes);
  const next = changes.type ?? (outgrown ? "custom" : type);
  if (next !== "custom" && next !== type)
    return describeSlice({ ...limits, ...changes, type: next }, capacityBytes);
  const kept: SliceWish = { ...limits, weight, type: next };
  if (next === "custom") {
    const limitBytes = changes.memory?.limitBytes ?? memory.limitBytes;
    const wasAll = memory.reservedBytes === memory.limitBytes;
    const reservedBytes = changes.memory?.reservedBytes ?? (wasAll ? limitBytes : memory.reservedBytes);
    return describeSlice(
      { ...kept, share, ...changes, type: next, memory: { reservedBytes, limitBytes } },
      capacityBytes,
    );
  }
  const limit = next === "shared" ? { memory: { limitBytes: memory.limitBytes } } : {};
  return describeSlice({ ...kept, ...limit, ...changes, type: next }, capacityBytes);
}

/** The same slice on an adapter of another capacity: a part of it stays that part, and what could have all can have all. */
export function transferDescriptor(
  descriptor: SliceDescriptor,
  fromBytes: number,
  toBytes: number,
): SliceDescriptor {
  const { type, memory } = descriptor;
  if (fixedShares[type] !== undefined)
    return { ...descriptor, memory: describeSlice({ type }, toBytes).memory };
  if (type !== "shared") return descriptor;
  const limitBytes = memory.limitBytes >= Math.min(fromBytes, toBytes) ? toBytes : memory.limitBytes;
  return { ...descriptor, memory: { reservedBytes: 0, limitBytes } };
}

function hasOwnClaim({ memory, share }: SliceWish): boolean {
  return memory !== undefined || share !== undefined;
}

function claimOf(
  type: SliceType,
  wish: SliceWish,
  capacityBytes: number,
): { readonly memory: SliceMemory; readonly share: number } {
  const part = fixedShares[type];
  if (part !== undefined) {
    if (wish.memory !== undefined) throw ownNumbers("memory", type);
    if (wish.share !== undefined && wish.share !== part) throw ownNumbers("share", type);
    const bytes = Math.floor(capacityBytes * part);
    return { memory: { reservedBytes: bytes, limitBytes: bytes }, share: part };
  }
  if (type === "shared") {
    if ((wish.memory?.reservedBytes ?? 0) > 0) throw ownNumbers("memory.reservedBytes", type);
    if ((wish.share ?? 0) > 0) throw ownNumbers("share", type);
    return { memory: { reservedBytes: 0, limitBytes: wish.memory?.limitBytes ?? capacityBytes }, share: 0 };
  }
  const limitBytes = wish.memory?.limitBytes;
  if (limitBytes === undefined)
    throw new HostError("bad-descriptor", "a custom slice needs memory.limitBytes.", {
      details: { field: "memory.limitBytes" },
      remedy: "Give it, or take one of the types that have it.",
    });
  const reservedBytes = wish.memory?.reservedBytes ?? limitBytes;
  return { memory: { reservedBytes, limitBytes }, share: wish.share ?? 0 };
}

function numbers(
  fields: Readonly<Record<string, unknown>>,
  checks: Readonly<Record<string, NumberRule>>,
  prefix: string,
): Readonly<Record<string, number>> {
  const checked: Record<string, number> = {};
  for (const [name, { least, most, kind }] of Object.entries(checks)) {
    const value = fields[name];
    if (value === undefined) continue;
    const number = typeof value === "number" && kind === "millionths" ? toMillionths(value) : value;
    if (typeof number !== "number" || !Number.isFinite(number) || number < least || number > most)
      throw bad(`${prefix}${name}`, value, range(least, most, kind));
    if (kind === "whole" && !Number.isSafeInteger(number))
      throw bad(`${prefix}${name}`, value, range(least, most, kind));
    checked[name] = number;
  }
  return checked;
}

function range(least: number, most: number, kind: NumberRule["kind"]): string {
  if (least === most) return `${least}; whoever needs more is given several slices`;
  return `a ${kind === "whole" ? "whole " : ""}number from ${least} to ${most}`;
}

function toMillionths(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw bad(what, value, "an object");
}

function known(fields: Readonly<Record<string, unknown>>, names: readonly string[], what: string): void {
  for (const name of Object.keys(fields))
    if (!names.includes(name))
      throw new HostError("bad-descriptor", `${what} has no field ${JSON.stringify(name.slice(0, 64))}.`, {
        details: { field: name.slice(0, 64) },
        remedy: `It has ${names.join(", ")}.`,
      });
}

function ownNumbers(field: string, type: SliceType): HostError {
  return new HostError("bad-descriptor", `${field} can't be chosen for type ${type}, which has its own.`, {
    details: { field, type },
    remedy: "Leave it out, or take type custom.",
  });
}

function bad(field: string, value: unknown, wanted: string): HostError {
  const given = JSON.stringify(value) ?? String(value);
  return new HostError("bad-descriptor", `${field} is ${given.slice(0, 64)}, and has to be ${wanted}.`, {
    details: { field },
  });
}
