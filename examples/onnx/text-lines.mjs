// The picture's way into PP-OCR's detection model, and from the model's probability map to boxes around lines.

// PP-OCR's own values: the model was trained with these, and its reference implementation cuts at these.
const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];
const PIXEL_THRESHOLD = 0.3;
const BOX_THRESHOLD = 0.6;
const UNCLIP_RATIO = 1.5;
/** The network halves the picture five times. */
const MULTIPLE = 32;
const SMALLEST_SIDE = 3;

/** @returns {{data: Float32Array, shape: number[]}} planes of blue, green, red; black beyond the picture */
export function detectionInput(picture) {
  const width = Math.ceil(picture.width / MULTIPLE) * MULTIPLE;
  const height = Math.ceil(picture.height / MULTIPLE) * MULTIPLE;
  const data = new Float32Array(3 * width * height);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const inside = x < picture.width && y < picture.height;
        const value = inside ? picture.data[(y * picture.width + x) * 4 + 2 - channel] : 0;
        data[(channel * height + y) * width + x] = (value / 255 - MEAN[channel]) / DEVIATION[channel];
      }
    }
  }
  return { data, shape: [1, 3, height, width] };
}

/** Boxes around connected areas of the map that are probably text, in reading order. */
export function linesFrom({ data, shape }, picture) {
  const [, , height, width] = shape;
  const lines = [];
  for (const area of connectedAreas(data, width, height)) {
    const [w, h] = [area.right - area.left + 1, area.bottom - area.top + 1];
    if (Math.min(w, h) < SMALLEST_SIDE || area.sum / area.count < BOX_THRESHOLD) {
      continue;
    }
    // The model marks the core of a line; the text stands out of it by a share of the area.
    const margin = (w * h * UNCLIP_RATIO) / (2 * (w + h));
    const left = Math.max(0, Math.floor(area.left - margin));
    const top = Math.max(0, Math.floor(area.top - margin));
    const right = Math.min(picture.width, Math.ceil(area.right + 1 + margin));
    const bottom = Math.min(picture.height, Math.ceil(area.bottom + 1 + margin));
    lines.push({ x: left, y: top, width: right - left, height: bottom - top });
  }
  return lines.sort((a, b) => a.y - b.y || a.x - b.x);
}

function* connectedAreas(map, width, height) {
  const seen = new Uint8Array(map.length);
  for (let start = 0; start < map.length; start++) {
    if (seen[start] || map[start] <= PIXEL_THRESHOLD) {
      continue;
    }
    const area = { left: width, right: 0, top: height, bottom: 0, sum: 0, count: 0 };
    const waiting = [start];
    seen[start] = 1;
    while (waiting.length > 0) {
      const at = waiting.pop();
      const [x, y] = [at % width, Math.floor(at / width)];
      area.left = Math.min(area.left, x);
      area.right = Math.max(area.right, x);
      area.top = Math.min(area.top, y);
      area.bottom = Math.max(area.bottom, y);
      area.sum += map[at];
      area.count++;
      for (const [dx, dy] of [
        [-1, 0],
        [1, 0],
        [0, -1],
        [0, 1],
      ]) {
        const next = at + dy * width + dx;
        if (
          x + dx >= 0 &&
          x + dx < width &&
          y + dy >= 0 &&
          y + dy < height &&
          !seen[next] &&
          map[next] > PIXEL_THRESHOLD
        ) {
          seen[next] = 1;
          waiting.push(next);
        }
      }
    }
    yield area;
  }
}
