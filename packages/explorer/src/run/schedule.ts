/**
 * A schedule as a short text: at each step the place of the chosen task among the runnable ones, a letter, and how often
 * in a row. "a5bac2" is six choices of letters, nine steps.
 */
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** How many tasks can be told apart at one step. */
export const maxRunnable = letters.length;

export function writeSchedule(choices: readonly number[]): string {
  let text = "";
  for (let i = 0; i < choices.length; ) {
    const choice = choices[i] as number;
    let end = i + 1;
    while (end < choices.length && choices[end] === choice) end += 1;
    text += `${letters[choice] ?? "?"}${end - i > 1 ? end - i : ""}`;
    i = end;
  }
  return text;
}

/** @throws RangeError when the text is no schedule */
export function readSchedule(text: string): number[] {
  const choices: number[] = [];
  let end = 0;
  for (const { 0: whole, 1: letter = "", 2: count = "", index } of text.matchAll(/([a-zA-Z])(\d{0,7})/g)) {
    if (index !== end) break;
    end = index + whole.length;
    const times = count === "" ? 1 : Number(count);
    for (let i = 0; i < times; i += 1) choices.push(letters.indexOf(letter));
  }
  if (end !== text.length) {
    throw new RangeError(
      `schedule ${JSON.stringify(text)}: "${text[end]}" at ${end} is no letter with a count`,
    );
  }
  return choices;
}
