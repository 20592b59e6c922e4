/**
 * How a WebGPU object of the client says which object of the engine it stands for. The symbols are not registered
 * ones: a page's object can't carry them by accident, and what a hostile program forges is checked again by the engine.
 */

/** The object's number in its queue, chosen by the client; see `MAX_OBJECT_ID`. */
export const HANDLE: unique symbol = Symbol("handle");
/** The object's InterfaceKind; stands on the prototype of its class. */
export const KIND: unique symbol = Symbol("kind");
/** What the handle is a number of: the `owner` of the CommandStream that created it. */
export const OWNER: unique symbol = Symbol("owner");

export interface Handled {
  readonly [HANDLE]: number;
  readonly [KIND]: number;
  readonly [OWNER]: object;
}

/** What encoders of dictionaries ask: which handle an object has, and what the device can do. */
export interface HandleSource {
  /** The handle of an object that has to be of `kind`. @param name the interface, for the TypeError */
  handle(value: unknown, kind: number, name: string, what: string): number;
  /** As `handle`, and 0 for null and undefined. */
  nullableHandle(value: unknown, kind: number, name: string, what: string): number;
  /** The InterfaceKind that `value` claims, 0 when it is not one of our objects. */
  kindOf(value: unknown): number;
  /** A GPUTextureFormat's number. @throws TypeError also for one whose feature the device was not created with */
  textureFormat(value: unknown, what: string): number;
}

/** Handles that exist as soon as a queue does. */
export const DEVICE_HANDLE = 1;
export const QUEUE_HANDLE = 2;
/** The first handle that the client chooses itself. */
export const FIRST_FREE_HANDLE = 3;
