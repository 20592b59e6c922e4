/** For a path that is not there: how far it leads, and what is there that may have been meant. */
import { isControlError, type SysClient } from "parhelion-protocol";
import { nameOf, parentOf, ROOT } from "./path.js";

/** More names than that help nobody. */
const most = 8;

/** A sentence for people; never throws a refusal of the tree. */
export async function nearby(client: SysClient, path: string): Promise<string> {
  let wanted = nameOf(path);
  for (let directory = parentOf(path); ; directory = parentOf(directory)) {
    const names = await namesIn(client, directory);
    if (names !== null) return describe(directory, wanted, names);
    if (directory === ROOT) return "`parhelion tree` shows what there is";
    wanted = nameOf(directory);
  }
}

async function namesIn(client: SysClient, directory: string): Promise<readonly string[] | null> {
  try {
    return (await client.list(directory)).map(({ name }) => name);
  } catch (error) {
    if (isControlError(error)) return null;
    throw error;
  }
}

export function describe(directory: string, wanted: string, names: readonly string[]): string {
  if (names.length === 0) return `${directory} is there, and empty`;
  const [best] = closest(wanted, names);
  const guess = best === undefined ? "" : `did you mean ${directory}/${best}? `;
  const shown = names.slice(0, most).join(" ");
  const rest = names.length > most ? ` and ${names.length - most} more` : "";
  return `${guess}in ${directory} there ${names.length === 1 ? "is" : "are"} ${shown}${rest}`;
}

/** Names that are like `wanted`, the likest first. */
export function closest(wanted: string, names: readonly string[]): readonly string[] {
  const lower = wanted.toLowerCase();
  return names
    .map((name) => ({ name, cost: cost(lower, name.toLowerCase()) }))
    .filter(({ cost }) => cost <= Math.floor((lower.length + 1) / 3))
    .sort((a, b) => a.cost - b.cost)
    .map(({ name }) => name);
}

/** A beginning is near whatever follows; else how many letters must be changed, added or left out. */
function cost(wanted: string, name: string): number {
  if (wanted !== "" && name.startsWith(wanted)) return 0;
  let row = Array.from({ length: name.length + 1 }, (_, i) => i);
  for (let i = 1; i <= wanted.length; i++) {
    const next = [i];
    for (let j = 1; j <= name.length; j++) {
      const same = wanted[i - 1] === name[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
