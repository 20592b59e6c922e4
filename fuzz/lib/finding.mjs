/** An invariant that does not hold. Everything else that a target throws is a finding as well. */
export class Finding extends Error {
  name = "Finding";
}

export function must(condition, what) {
  if (!condition) throw new Finding(typeof what === "function" ? what() : what);
}

/** What makes two failures the same: the first line of the message without its numbers, and where it was thrown. */
export function failureKey(error) {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const where = error instanceof Error ? (/\n\s+at ([^\n]*)/.exec(error.stack ?? "")?.[1] ?? "") : "";
  return `${text.split("\n", 1)[0].replaceAll(/\d+/g, "#")} @ ${where.replace(/^.*\//, "")}`;
}
