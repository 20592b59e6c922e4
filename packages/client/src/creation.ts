/**
 * What every method that makes a WebGPU object has in common: the object gets its number before the engine hears of it, and a
 * descriptor that WebIDL refuses leaves no trace.
 */
import { type CommandStream, DEVICE_HANDLE } from "parhelion-protocol";
import { INTERNAL } from "./interface/define.js";
import type { DeviceLink } from "./link/device-link.js";

type ObjectClass<T, D> = new (key: typeof INTERNAL, link: DeviceLink, id: number, descriptor: D) => T;

/**
 * An object that keeps nothing of its descriptor but the label.
 * @param encode writes the command that creates object `id`, and returns its label
 * @throws whatever `encode` throws; OperationError when the device has too many objects
 */
export function create<T extends object>(
  link: DeviceLink,
  Class: ObjectClass<T, string>,
  encode: (stream: CommandStream, id: number) => string,
): T {
  const id = link.allocate();
  try {
    const label = encode(link.stream, id);
    const object = new Class(INTERNAL, link, id, label);
    link.track(object, id);
    return object;
  } catch (error) {
    link.unallocate(id);
    throw error;
  }
}

/** An object of the device whose attributes are its converted descriptor's. */
export function createFrom<T extends object, D>(
  link: DeviceLink,
  Class: ObjectClass<T, D>,
  descriptor: D,
  encode: (stream: CommandStream, self: number, id: number, descriptor: D) => unknown,
): T {
  const id = link.allocate();
  try {
    encode(link.stream, DEVICE_HANDLE, id, descriptor);
    const object = new Class(INTERNAL, link, id, descriptor);
    link.track(object, id);
    return object;
  } catch (error) {
    link.unallocate(id);
    throw error;
  }
}
