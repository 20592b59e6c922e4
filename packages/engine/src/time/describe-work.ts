/** The dispatches and draws of a submission, for whoever has to find the one that took too long. */
import type { Command, Work } from "./work-log.js";

/** Longest label in a message, in UTF-16 code units. */
const labelLength = 64;

/**
 * A sentence, without its end. The heaviest come first: which of them it was the GPU does not tell.
 * @param most how many are named
 */
export function describeWork(works: readonly Work[], most = 4): string {
  const commands = works.reduce((sum, work) => sum + work.commands, 0);
  if (commands === 0) return "It has no dispatch and no draw, only copies";
  const named = works
    .flatMap((work) => work.heaviest)
    .sort((a, b) => b.size - a.size)
    .slice(0, most)
    .map(describeCommand);
  if (commands === 1) return `It is ${named[0]}`;
  const more = commands > named.length ? `; and ${commands - named.length} more` : "";
  return `It is one of ${commands} dispatches and draws, the heaviest first: ${named.join("; ")}${more}`;
}

function describeCommand({ verb, counts, index, kind, pass, pipeline }: Command): string {
  return `${verb}(${counts.join(", ")}), command ${index} of ${named(`${kind} pass`, pass)}, with ${named("pipeline", pipeline)}`;
}

function named(what: string, object: object | undefined): string {
  if (object === undefined || !("label" in object) || typeof object.label !== "string" || object.label === "")
    return `a ${what} without a label`;
  const { label } = object;
  return `${what} ${JSON.stringify(label.length <= labelLength ? label : `${label.slice(0, labelLength - 1)}…`)}`;
}
