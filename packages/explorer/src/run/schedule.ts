/**
 * A schedule as a short text: at each step the place of the chosen task among the runnable ones, a letter, and how often
 * in a row. "a5bac2" is four choices of letters, nine steps. A place that has no letter stands in brackets: "[52]3".
 */
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

export function writeSchedule(choices: readonly number[]): string {
  let text = "";
  for (let i = 0; i < choices.length; ) {
    const choice = choices[i] as number;
    let end = i + 1;
    while (end < choices.length && choices[end] === choice) end += 1;
    text += `${letters[choice] ?? `[${choice}]`}${end - i > 1 ? end - i : ""}`;
    i = end;
  }
  return text;
}

/** @throws RangeError when the text is no schedule */
export function readSchedule(text: string): number[] {
  const choices: number[] = [];
  let end = 0;
  for (const found of text.matchAll(/(?:([a-zA-Z])|\[(\d{1,7})\])(\d{0,7})/g)) {
    const { 0: whole, 1: letter, 2: place, 3: count = "", index } = found;
    if (index !== end) break;
    end = index + whole.length;
    const choice = letter === undefined ? Number(place) : letters.indexOf(letter);
    const times = count === "" ? 1 : Number(count);
    for (let i = 0; i < times; i += 1) choices.push(choice);
  }
  if (end !== text.length) {
    throw new RangeError(
      `schedule ${JSON.stringify(text)}: "${text[end]}" at ${end} is no letter, or number in brackets, with a count`,
    );
  }
  return choices;
}
