/** Reads the parameters of administrators' requests, and says what is wrong with them. */
import { HostError } from "../host-error.js";
import type { AdminParams } from "./admin-server.js";

/** For people and names; longer ones are refused, in UTF-16 units. */
const maxText = 128;

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws HostError bad-request */
export function optionalText(params: AdminParams, name: string): string | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value.length > maxText)
    throw new HostError("bad-request", `${name} must be a string of at most ${maxText} characters`);
  return value;
}

/** @throws HostError bad-request */
export function text(params: AdminParams, name: string, method: string): string {
  const value = optionalText(params, name);
  if (value === undefined) throw new HostError("bad-request", `${method} needs ${name}`);
  return value;
}

/** A text, or null for "nobody". @throws HostError bad-request */
export function optionalName(params: AdminParams, name: string): string | null | undefined {
  return params[name] === null ? null : optionalText(params, name);
}

/** @throws HostError bad-request */
export function optionalCount(params: AdminParams, name: string): number | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw new HostError("bad-request", `${name} must be a whole number, 0 or more`);
  return value;
}

/** @throws HostError bad-request */
export function optionalChoice<T extends string>(
  params: AdminParams,
  name: string,
  choices: readonly T[],
): T | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new HostError("bad-request", `${name} must be one of ${choices.join(", ")}`);
  return found;
}

/** In lower case. @throws HostError bad-request */
export function optionalUuid(params: AdminParams, name: string): string | undefined {
  const value = optionalText(params, name);
  if (value === undefined || uuidPattern.test(value)) return value?.toLowerCase();
  throw new HostError(
    "bad-request",
    `${name} must be a UUID: 36 characters as xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`,
  );
}

/** @throws HostError bad-request */
export function uuid(params: AdminParams, name: string, method: string): string {
  const value = optionalUuid(params, name);
  if (value === undefined) throw new HostError("bad-request", `${method} needs ${name}, a slice's UUID`);
  return value;
}
