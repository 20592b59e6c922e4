/** Numbers in few characters, for tables whose width is fixed. */

/** At most four characters and a unit: 999, 1.2k, 34k, 1.5M. Null: "-". */
export function brief(value: number | null): string {
  return value === null ? "-" : scaled(value, 1000, ["", "k", "M", "G", "T", "P"]);
}

/** Likewise, of 1024: 999, 1.2K, 34K, 1.5M. */
export function briefBytes(value: number | null): string {
  return value === null ? "-" : scaled(value, 1024, ["", "K", "M", "G", "T", "P"]);
}

/** 0 to 1 as a percentage: 0.5, 12.5, 100. */
export function percent(value: number | null): string {
  if (value === null) return "-";
  const hundredths = value * 100;
  return hundredths < 99.95 ? hundredths.toFixed(1) : hundredths.toFixed(0);
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  // What would be rounded to four digits gets the next unit.
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= base;
    unit += 1;
  }
  const digits = rest < 9.95 && (unit > 0 || !Number.isInteger(rest)) ? 1 : 0;
  return `${rest.toFixed(digits)}${units[unit]}`;
}

/** Exactly `width` columns of one cell each; what is cut is marked. @param side where the text stands */
export function fit(text: string, width: number, side: "left" | "right"): string {
  const characters = [...text];
  const kept =
    characters.length <= width
      ? characters
      : [...characters.slice(0, Math.max(0, width - 1)), "…"].slice(0, width);
  const space = " ".repeat(width - kept.length);
  return side === "left" ? kept.join("") + space : space + kept.join("");
}
