/** Markdown that is made, not written. */

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** One line, whose bars are text. */
function cell(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll("|", "\\|");
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** What stands on a page that nobody edits by hand. */
export function madeBy(source: string): string {
  return `<!-- Made of ${source} by packages/parhelion/src/pages/pages.test.ts, which rewrites it when it differs. -->`;
}
