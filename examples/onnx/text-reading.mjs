// A line's way into PP-OCR's models for single lines, and from the recognition model's scores to characters.

import { resize } from "../lib/photo.mjs";

/** The height that the models were trained with. */
const HEIGHT = 48;
/** The direction model sees this much of a line at most. */
const DIRECTION_WIDTH = 192;

/** All lines in one batch, padded to the longest. */
export function recognitionInput(lines) {
  return batch(lines, Math.max(HEIGHT, ...lines.map(widthOf)));
}

/** All lines in one batch for the direction model. */
export function directionInput(lines) {
  return batch(lines, DIRECTION_WIDTH);
}

function widthOf(line) {
  return Math.round((line.width * HEIGHT) / line.height);
}

/** Planes of blue, green, red, zero beyond a line's end. */
function batch(lines, width) {
  const widths = lines.map((line) => Math.min(width, widthOf(line)));
  const data = new Float32Array(lines.length * 3 * HEIGHT * width);
  for (const [index, line] of lines.entries()) {
    const pixels = resize(line, widths[index], HEIGHT).data;
    for (let channel = 0; channel < 3; channel++) {
      for (let y = 0; y < HEIGHT; y++) {
        const row = ((index * 3 + channel) * HEIGHT + y) * width;
        for (let x = 0; x < widths[index]; x++) {
          data[row + x] = pixels[(y * widths[index] + x) * 4 + 2 - channel] / 127.5 - 1;
        }
      }
    }
  }
  return { data, shape: [lines.length, 3, HEIGHT, width] };
}

/** The texts of a batch: in every line and step the likeliest character, less blanks and repetitions (greedy CTC). */
export function decodeTexts({ data, shape }, keys) {
  const [lines, steps, classes] = shape;
  return Array.from({ length: lines }, (_, line) => {
    let text = "";
    let previous = 0;
    const scores = [];
    for (let step = 0; step < steps; step++) {
      const start = (line * steps + step) * classes;
      const best = indexOfLargest(data.subarray(start, start + classes));
      if (best !== 0 && best !== previous) {
        // Class 0 is the blank; the dictionary follows, and after it the space.
        text += keys[best - 1] ?? " ";
        scores.push(data[start + best]);
      }
      previous = best;
    }
    return { text, score: scores.length > 0 ? scores.reduce((a, b) => a + b) / scores.length : 0 };
  });
}

function indexOfLargest(numbers) {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) {
    if (numbers[i] > numbers[best]) {
      best = i;
    }
  }
  return best;
}
