/**
 * Where adapters and devices come from, as the GPU classes see it. The real source is the guest's nodes; an application
 * that embeds its engine, and every test, can bring another.
 */
import type { AdapterDescription, DeviceGrant, DeviceRequest, Port, SliceMemory } from "parhelion-protocol";

export interface AdapterSource {
  /**
   * Opens the first adapter that `accept` takes. Null when there is none; never rejects.
   */
  openAdapter(accept: (description: AdapterDescription) => boolean): Promise<AdapterLink | null>;
  /** One line: why the last `openAdapter` gave null; undefined when it did not. */
  whyNone(): string | undefined;
  /** Known without waiting, because `gpu.wgslLanguageFeatures` is an attribute. */
  wgslLanguageFeatures(): readonly string[];
  /**
   * Calls `listener` when an adapter appears or goes: `openAdapter` may answer otherwise now. Does not keep the process alive.
   * @returns ends it
   */
  onAdaptersChanged(listener: () => void): () => void;
}

/** The slice of a real adapter that an opened adapter stands for. */
export interface SliceLink {
  readonly uuid: string;
  /** full, half, …, shared, custom. */
  readonly type: string;
  /** The latest that is known, in bytes. */
  readonly memory: SliceMemory;
  /** Calls `listener` at each change of `memory`; does not keep the process alive. @returns ends it */
  onMemoryChanged(listener: (memory: SliceMemory) => void): () => void;
}

/** One opened adapter. Stays open while it or a device of it is reachable. */
export interface AdapterLink {
  readonly description: AdapterDescription;
  /** Null when it is no slice, or its host does not say of what. */
  readonly slice: SliceLink | null;
  /**
   * Rejects with DeviceRefusedError when the engine says no, AdapterGoneError when nobody is there any more to say it.
   */
  createDevice(request: DeviceRequest): Promise<OpenedDevice>;
}

/** A device that exists in the engine, with its command queue. */
export interface OpenedDevice {
  readonly grant: DeviceGrant;
  readonly port: Port;
  /** Names this queue to the engine when an object of it is used on another device of the process. */
  readonly serial: number;
  /** `listener` is called at most once, when somebody other than the queue knows that the device is lost, and why. */
  onLost(listener: (message: string) => void): void;
  /** Gives device and queue back. Idempotent; waits for nobody. */
  release(): void;
}

/** A device that won't be created; `name` is the exception that the application is to see. */
export class DeviceRefusedError extends Error {
  override readonly name: string;

  constructor(name: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
  }
}

/** The adapter went away between requestAdapter and requestDevice. */
export class AdapterGoneError extends Error {
  override readonly name = "AdapterGoneError";
}
