/** One step of the way from a program to a GPU, as the doctor found it. */
export interface Hop {
  readonly hop: string;
  readonly state: "ok" | "broken";
  /** What was seen: for `broken`, what is wrong. */
  readonly detail: string;
  /** What to do; empty when it is ok. */
  readonly remedy: string;
  readonly milliseconds: number;
}

export function parseHop(line: string): Hop | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Something else that the program's libraries printed.
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { hop, state, detail, remedy, milliseconds } = value as Record<string, unknown>;
  if (typeof hop !== "string" || (state !== "ok" && state !== "broken")) return undefined;
  if (typeof detail !== "string" || typeof remedy !== "string" || typeof milliseconds !== "number")
    return undefined;
  return { hop, state, detail, remedy, milliseconds };
}
