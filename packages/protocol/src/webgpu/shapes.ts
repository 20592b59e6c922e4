/**
 * GPUExtent3D, GPUOrigin3D and GPUColor: a sequence or a dictionary in the specification, always all their numbers on
 * the wire. That leaves one form to decode, and the check of a sequence's length happens where WebGPU wants it.
 */
import { enforceU32, finiteDouble, type Members, missingMember, spread, typeError } from "./convert.js";

export interface Extent3D {
  readonly width: number;
  readonly height: number;
  readonly depthOrArrayLayers: number;
}

export interface Origin3D {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

export interface Color {
  readonly r: number;
  readonly g: number;
  readonly b: number;
  readonly a: number;
}

const noMembers: Members = Object.freeze({});

/** WebIDL's choice in `sequence or dictionary`: what is iterable is a sequence. */
function elementsOf(value: unknown, what: string): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" && typeof value !== "function") {
    throw typeError(what, `${typeof value} is neither a sequence nor a dictionary`);
  }
  const iterator = (value as { [Symbol.iterator]?: unknown })[Symbol.iterator];
  if (iterator === undefined || iterator === null) return undefined;
  if (Array.isArray(value) && iterator === Array.prototype[Symbol.iterator]) return value;
  return spread(value, iterator, what);
}

function checkLength(elements: readonly unknown[], least: number, most: number, what: string): void {
  if (elements.length < least || elements.length > most) {
    const range = least === most ? `${most}` : `${least} to ${most}`;
    throw typeError(what, `a sequence must have ${range} elements, found ${elements.length}`);
  }
}

export function toExtent3D(value: unknown, what: string): Extent3D {
  const elements = elementsOf(value, what);
  if (elements !== undefined) {
    checkLength(elements, 1, 3, what);
    const count = elements.length;
    return {
      width: enforceU32(elements[0], what),
      height: count > 1 ? enforceU32(elements[1], what) : 1,
      depthOrArrayLayers: count > 2 ? enforceU32(elements[2], what) : 1,
    };
  }
  const members = (value ?? noMembers) as Members;
  const depthOrArrayLayers = members["depthOrArrayLayers"];
  const depth =
    depthOrArrayLayers === undefined ? 1 : enforceU32(depthOrArrayLayers, `${what}.depthOrArrayLayers`);
  const height = members["height"];
  const rows = height === undefined ? 1 : enforceU32(height, `${what}.height`);
  const width = members["width"];
  if (width === undefined) throw missingMember(`${what}.width`);
  return { width: enforceU32(width, `${what}.width`), height: rows, depthOrArrayLayers: depth };
}

export function toOrigin3D(value: unknown, what: string): Origin3D {
  const elements = elementsOf(value, what);
  if (elements !== undefined) {
    checkLength(elements, 0, 3, what);
    const count = elements.length;
    return {
      x: count > 0 ? enforceU32(elements[0], what) : 0,
      y: count > 1 ? enforceU32(elements[1], what) : 0,
      z: count > 2 ? enforceU32(elements[2], what) : 0,
    };
  }
  const members = (value ?? noMembers) as Members;
  const { x, y, z } = members;
  return {
    x: x === undefined ? 0 : enforceU32(x, `${what}.x`),
    y: y === undefined ? 0 : enforceU32(y, `${what}.y`),
    z: z === undefined ? 0 : enforceU32(z, `${what}.z`),
  };
}

export function toColor(value: unknown, what: string): Color {
  const elements = elementsOf(value, what);
  if (elements !== undefined) {
    checkLength(elements, 4, 4, what);
    return {
      r: finiteDouble(elements[0], what),
      g: finiteDouble(elements[1], what),
      b: finiteDouble(elements[2], what),
      a: finiteDouble(elements[3], what),
    };
  }
  const members = (value ?? noMembers) as Members;
  const channel = (name: string): number => {
    const number = members[name];
    if (number === undefined) throw missingMember(`${what}.${name}`);
    return finiteDouble(number, `${what}.${name}`);
  };
  const a = channel("a");
  const b = channel("b");
  const g = channel("g");
  return { r: channel("r"), g, b, a };
}
