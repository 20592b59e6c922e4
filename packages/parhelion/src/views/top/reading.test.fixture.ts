/** Statuses of hosts, made up. */
import fc from "fast-check";
import type { HostStatus, SliceStatus } from "parhelion-host";

export interface SliceInit {
  readonly uuid?: string;
  readonly guest?: string;
  readonly starts?: number;
  readonly submits?: number;
  readonly receivedBytes?: number;
  readonly lostDevices?: number;
  readonly busyMs?: number;
  readonly used?: number;
}

const none = { submits: 0, receivedBytes: 0, lostDevices: 0, busyMs: 0, used: 0 };

export function sliceStatus(init: SliceInit = {}): SliceStatus {
  const { submits, receivedBytes, lostDevices, busyMs, used } = { ...none, ...init };
  return {
    uuid: init.uuid ?? "0a1b2c3d-0000-0000-0000-000000000000",
    generation: 1,
    type: "quarter",
    adapter: "adapter0",
    guest: init.guest ?? "guest-id",
    engine: { state: "ready", starts: init.starts ?? 1 },
    devices: 1,
    queues: 1,
    allocatedBytes: 0,
    statistics: null,
    totals: { submits, receivedBytes, lostDevices, engineFailures: 0 },
    memory: { limit: 2 ** 30, grant: 2 ** 29, reserved: 0, used, peak: used, refused: 0 },
    time: { busyMs, share: 0.25 },
  } as unknown as SliceStatus;
}

export function hostStatus(slices: readonly SliceStatus[], pid = 7): HostStatus {
  const ids = [...new Set(slices.map(({ guest }) => guest))].filter((id) => id !== "");
  return {
    pid,
    stateDirectory: "/s",
    listening: null,
    adapters: [
      {
        name: "adapter0",
        kind: "software",
        description: "SwiftShader Device (Subzero)",
        fallback: true,
        memory: { bytes: 2 ** 33, source: "assumed" },
        health: {
          state: "healthy",
          reason: "",
          sinceMs: 0,
          probes: { passed: 0, failed: 0 },
          nextProbeMs: null,
        },
      },
    ],
    slices,
    guests: ids.map((id) => ({
      id,
      name: `name of ${id}`,
      directory: "/g",
      connection: "local",
      slices: slices.filter(({ guest }) => guest === id).map(({ uuid }) => uuid),
      processes: [],
    })),
  } as unknown as HostStatus;
}

const size = fc.nat({ max: 2 ** 50 });

/** Any slices, with names as strange as strings get and without what a host may not say. */
export const anySlices: fc.Arbitrary<readonly SliceStatus[]> = fc
  .uniqueArray(
    fc.record(
      {
        uuid: fc.uuid(),
        guest: fc.oneof(fc.constant(""), fc.constantFrom("a", "b", "\u001b[2Jx"), fc.string()),
        starts: fc.nat(99_999),
        submits: size,
        receivedBytes: size,
        lostDevices: size,
        busyMs: size,
        used: size,
        says: fc.boolean(),
      },
      { requiredKeys: ["uuid"] },
    ),
    { selector: ({ uuid }) => uuid, maxLength: 6 },
  )
  .map((inits) =>
    inits.map(({ says = true, ...init }) => {
      const { totals, memory, time, ...rest } = sliceStatus(init);
      return says ? { ...rest, totals, memory, time } : rest;
    }),
  ) as fc.Arbitrary<readonly SliceStatus[]>;
