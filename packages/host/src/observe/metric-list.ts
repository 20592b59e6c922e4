/**
 * What is measured, as Prometheus is told it: names with their units, labels, and where each value is in a host's status. docs/metrics.md
 * is made of this list.
 */
import type { AdapterStatus, GuestStatus, HostStatus, SliceStatus } from "../status.js";
import type { Counters } from "./counters.js";

/** What one page of metrics is made of. */
export interface MetricSample {
  readonly status: HostStatus;
  readonly counters: Pick<Counters, "events" | "refusals">;
  /** Since 1970, in seconds. */
  readonly startedAt: number;
}

/** Label values, and the value of the metric under them. */
export type MetricValue = readonly [labels: Readonly<Record<string, string>>, value: number];

export interface MetricEntry {
  /** "counter": it only grows, while the slice, guest or host that it is of lives. */
  readonly kind: "gauge" | "counter";
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (sample: MetricSample) => readonly MetricValue[];
}

/** One value for each adapter, slice or guest; undefined: it has none. */
const perAdapter =
  (value: (adapter: AdapterStatus) => number | undefined) =>
  ({ status }: MetricSample): readonly MetricValue[] =>
    present(status.adapters.map((adapter) => [{ adapter: adapter.name }, value(adapter)]));
const perSlice =
  (value: (slice: SliceStatus) => number | undefined) =>
  ({ status }: MetricSample): readonly MetricValue[] =>
    present(status.slices.map((slice) => [{ slice: slice.uuid }, value(slice)]));
const perGuest =
  (value: (guest: GuestStatus) => number | undefined) =>
  ({ status }: MetricSample): readonly MetricValue[] =>
    present(status.guests.map((guest) => [{ guest: guest.id }, value(guest)]));

function present(
  values: readonly (readonly [labels: Readonly<Record<string, string>>, value: number | undefined])[],
): readonly MetricValue[] {
  return values.filter((each): each is MetricValue => each[1] !== undefined);
}

const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000);

export const hostMetrics = {
  parhelion_host_start_time_seconds: {
    kind: "gauge",
    help: "When the host started, since 1970.",
    labels: [],
    read: ({ startedAt }) => [[{}, startedAt]],
  },
  parhelion_host_events_total: {
    kind: "counter",
    help: "Events by name; docs/events.md says what each means.",
    labels: ["event"],
    read: ({ counters }) => [...counters.events].map(([event, count]) => [{ event }, count]),
  },
  parhelion_host_refusals_total: {
    kind: "counter",
    help: "What was refused to guests because of a limit, by rule; docs/errors.md lists the rules.",
    labels: ["rule"],
    read: ({ counters }) => [...counters.refusals].map(([rule, count]) => [{ rule }, count]),
  },
  parhelion_adapter_info: {
    kind: "gauge",
    help: "1 for each adapter.",
    labels: ["adapter", "kind", "description"],
    read: ({ status }) =>
      status.adapters.map(({ name, kind, description }) => [{ adapter: name, kind, description }, 1]),
  },
  parhelion_adapter_health: {
    kind: "gauge",
    help: "1 for the state that the adapter is in.",
    labels: ["adapter", "state"],
    read: ({ status }) =>
      status.adapters.flatMap(({ name, health }) =>
        health === undefined ? [] : [[{ adapter: name, state: health.state }, 1] as const],
      ),
  },
  parhelion_adapter_probes_total: {
    kind: "counter",
    help: "Probes of the adapter since it was found, by result: passed or failed.",
    labels: ["adapter", "result"],
    read: ({ status }) =>
      status.adapters.flatMap(({ name, health }) =>
        Object.entries(health?.probes ?? {}).map(
          ([result, count]) => [{ adapter: name, result }, count] as const,
        ),
      ),
  },
  parhelion_adapter_slices: {
    kind: "gauge",
    help: "Slices of the adapter.",
    labels: ["adapter"],
    read: (sample) =>
      perAdapter(({ name }) => sample.status.slices.filter(({ adapter }) => adapter === name).length)(sample),
  },
  parhelion_adapter_memory_bytes: {
    kind: "gauge",
    help: "Memory of the adapter that there is for slices.",
    labels: ["adapter"],
    read: perAdapter(({ memory }) => memory?.bytes),
  },
  parhelion_adapter_memory_left_bytes: {
    kind: "gauge",
    help: "The part of the adapter's memory that no slice has reserved or uses.",
    labels: ["adapter"],
    read: perAdapter(({ left }) => left?.memoryBytes),
  },
  parhelion_adapter_time_left_ratio: {
    kind: "gauge",
    help: "The part of the adapter's time that is kept for no slice, 0 to 1.",
    labels: ["adapter"],
    read: perAdapter(({ left }) => left?.share),
  },
  parhelion_slice_info: {
    kind: "gauge",
    help: "1 for each slice; guest is empty when it has no holder.",
    labels: ["slice", "adapter", "guest", "type"],
    read: ({ status }) =>
      status.slices.map(({ uuid, adapter, guest, type }) => [
        { slice: uuid, adapter, guest: guest ?? "", type },
        1,
      ]),
  },
  parhelion_slice_engine_state: {
    kind: "gauge",
    help: "1 for the state that the slice's engine is in.",
    labels: ["slice", "state"],
    read: ({ status }) => status.slices.map(({ uuid, engine }) => [{ slice: uuid, state: engine.state }, 1]),
  },
  parhelion_slice_engine_starts_total: {
    kind: "counter",
    help: "Engines that the slice has had.",
    labels: ["slice"],
    read: perSlice(({ engine }) => engine.starts),
  },
  parhelion_slice_engine_failures_total: {
    kind: "counter",
    help: "Engines of the slice that ended unasked, were killed for a reason, or did not start.",
    labels: ["slice"],
    read: perSlice(({ totals }) => totals?.engineFailures),
  },
  parhelion_slice_devices: {
    kind: "gauge",
    help: "WebGPU devices on the slice.",
    labels: ["slice"],
    read: perSlice(({ devices }) => devices),
  },
  parhelion_slice_queues: {
    kind: "gauge",
    help: "Command queues on the slice.",
    labels: ["slice"],
    read: perSlice(({ queues }) => queues),
  },
  parhelion_slice_objects: {
    kind: "gauge",
    help: "WebGPU objects that the slice's engine holds.",
    labels: ["slice"],
    read: perSlice(({ statistics }) => statistics?.objects),
  },
  parhelion_slice_lost_devices_total: {
    kind: "counter",
    help: "Devices of applications that were lost, not counting those that they destroyed.",
    labels: ["slice"],
    read: perSlice(({ totals }) => totals?.lostDevices),
  },
  parhelion_slice_submits_total: {
    kind: "counter",
    help: "Submissions that the slice's engines have taken. What an engine counted after it was last asked is lost with it.",
    labels: ["slice"],
    read: perSlice(({ totals }) => totals?.submits),
  },
  parhelion_slice_received_bytes_total: {
    kind: "counter",
    help: "Bytes of commands and data that came from the slice's guest.",
    labels: ["slice"],
    read: perSlice(({ totals }) => totals?.receivedBytes),
  },
  parhelion_slice_busy_seconds_total: {
    kind: "counter",
    help: "GPU time that was spent for the slice.",
    labels: ["slice"],
    read: perSlice(({ time }) => seconds(time?.busyMs)),
  },
  parhelion_slice_time_share_ratio: {
    kind: "gauge",
    help: "Part of the adapter's time that is kept for the slice, 0 to 1.",
    labels: ["slice"],
    read: perSlice(({ time }) => time?.share),
  },
  parhelion_slice_charged_seconds_total: {
    kind: "counter",
    help: "Time during which the slice's engine had the adapter to itself, busy or not, or would not let go of it.",
    labels: ["slice"],
    read: perSlice(({ time }) => seconds(time?.chargedMs)),
  },
  parhelion_slice_turn_overruns_total: {
    kind: "counter",
    help: "Turns at the end of which the slice's engine could not be stopped and went on beside the others.",
    labels: ["slice"],
    read: perSlice(({ time }) => time?.overruns),
  },
  parhelion_slice_memory_used_bytes: {
    kind: "gauge",
    help: "GPU memory that the slice uses.",
    labels: ["slice"],
    read: perSlice(({ memory }) => memory?.used),
  },
  parhelion_slice_memory_peak_bytes: {
    kind: "gauge",
    help: "The most GPU memory that the slice ever used.",
    labels: ["slice"],
    read: perSlice(({ memory }) => memory?.peak),
  },
  parhelion_slice_memory_granted_bytes: {
    kind: "gauge",
    help: "GPU memory that the slice may use now.",
    labels: ["slice"],
    read: perSlice(({ memory }) => memory?.grant),
  },
  parhelion_slice_memory_reserved_bytes: {
    kind: "gauge",
    help: "GPU memory that nobody can take from the slice.",
    labels: ["slice"],
    read: perSlice(({ memory }) => memory?.reserved),
  },
  parhelion_slice_memory_limit_bytes: {
    kind: "gauge",
    help: "What the slice's grant of GPU memory can grow to.",
    labels: ["slice"],
    read: perSlice(({ memory }) => memory?.limit),
  },
  parhelion_slice_memory_refusals_total: {
    kind: "counter",
    help: "Allocations that were refused because the slice's memory was used up.",
    labels: ["slice"],
    read: perSlice(({ memory }) => memory?.refused),
  },
  parhelion_slice_engine_resident_memory_bytes: {
    kind: "gauge",
    help: "Memory of the host that the slice's engine process takes.",
    labels: ["slice"],
    read: perSlice(({ statistics }) => statistics?.residentBytes),
  },
  parhelion_guest_info: {
    kind: "gauge",
    help: "1 for each guest; connection is none, local or remote.",
    labels: ["guest", "name", "connection"],
    read: ({ status }) =>
      status.guests.map(({ id, name, connection }) => [{ guest: id, name, connection }, 1]),
  },
  parhelion_guest_processes: {
    kind: "gauge",
    help: "Processes of the guest that hold nodes open.",
    labels: ["guest"],
    read: perGuest(({ processes }) => processes.length),
  },
  parhelion_guest_slices: {
    kind: "gauge",
    help: "Slices that the guest holds.",
    labels: ["guest"],
    read: perGuest(({ slices }) => slices.length),
  },
} as const satisfies Readonly<Record<string, MetricEntry>>;

export type HostMetricName = keyof typeof hostMetrics;
