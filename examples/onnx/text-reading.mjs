// A line's way into PP-OCR's recognition model, and from the model's scores to characters.

import { resize } from "../lib/photo.mjs";

/** The height that the model was trained with. */
const HEIGHT = 48;

/** All lines in one batch, padded to the longest: planes of blue, green, red. */
export function recognitionInput(lines) {
  const widths = lines.map((line) => Math.round((line.width * HEIGHT) / line.height));
  const width = Math.max(HEIGHT, ...widths);
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
