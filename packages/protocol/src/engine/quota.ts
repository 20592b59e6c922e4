/** What the host grants the engine of one slice. The engine keeps to it; nothing of it is ever asked of the guest. */
export interface EngineQuota {
  /** GPU memory that the slice may use now, in bytes: its reservation and its part of what nobody reserved. */
  readonly memoryBytes: number;
  /** The part of `memoryBytes` that is the slice's for as long as it exists. */
  readonly reservedBytes: number;
  /** What `memoryBytes` can grow to. */
  readonly limitBytes: number;
  /** WebGPU objects alive, on all devices together. */
  readonly objects: number;
  /** Bytes of writes and command buffers that the GPU has not finished; a queue beyond that is not read on. */
  readonly bytesInFlight: number;
  /** GPU time that one submission may take, in ms. */
  readonly submissionMs: number;
}

/** Whom an engine works for, and with how much. */
export interface EngineService {
  /** UUID of the slice. */
  readonly slice: string;
  /** The slice's, which is another one after each change of its holder or use. */
  readonly generation: number;
  readonly quota: EngineQuota;
  /** Whether work needs a lease of the adapter's time. */
  readonly time: "free" | "leased";
}

/** Memory without a limit, and the other numbers as slices have them unless their descriptor says otherwise. */
export const defaultEngineQuota: EngineQuota = {
  memoryBytes: Number.MAX_SAFE_INTEGER,
  reservedBytes: 0,
  limitBytes: Number.MAX_SAFE_INTEGER,
  objects: 1_000_000,
  bytesInFlight: 256 * 2 ** 20,
  submissionMs: 60_000,
};

/** An engine that serves no slice: to find out whether there is an adapter, or for a test of the engine alone. */
export const noSlice: EngineService = {
  slice: "00000000-0000-0000-0000-000000000000",
  generation: 0,
  quota: defaultEngineQuota,
  time: "free",
};
