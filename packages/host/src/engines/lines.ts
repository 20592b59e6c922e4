/** A child's output as lines for the log. Bounded: Dawn prints without newlines, a broken child without end. */
import type { Readable } from "node:stream";

/** A longer line is cut into pieces of this many UTF-16 units. */
export const maxLineLength = 4096;

/** Calls `take` for every non-empty line; for the unfinished last one when the stream ends. */
export function readLines(stream: Readable, take: (line: string) => void): void {
  let pending = "";
  const emit = (line: string) => {
    const text = line.trimEnd();
    if (text !== "") take(text);
  };
  stream.setEncoding("utf8");
  stream.on("data", (chunk) => {
    const lines = (pending + String(chunk)).split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) {
      for (let at = 0; at < line.length; at += maxLineLength) emit(line.slice(at, at + maxLineLength));
    }
    while (pending.length >= maxLineLength) {
      emit(pending.slice(0, maxLineLength));
      pending = pending.slice(maxLineLength);
    }
  });
  const finish = () => {
    emit(pending);
    pending = "";
  };
  stream.on("end", finish);
  stream.on("error", finish);
}
