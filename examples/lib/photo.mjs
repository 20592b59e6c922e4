// Pictures in plain arrays: reading JPEG and PNG, cropping, drawing boxes, writing PNG.

import { readFile, writeFile } from "node:fs/promises";
import jpeg from "jpeg-js";
import { PNG } from "pngjs";

/** @returns {Promise<{width: number, height: number, data: Uint8Array}>} four bytes a pixel, RGBA */
export async function readPhoto(path) {
  const file = await readFile(path);
  const isPng = file.subarray(0, 8).equals(Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]));
  const { width, height, data } = isPng ? PNG.sync.read(file) : jpeg.decode(file, { useTArray: true });
  return { width, height, data };
}

export async function writePng(path, { width, height, data }) {
  const png = new PNG({ width, height });
  png.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  await writeFile(path, PNG.sync.write(png));
}

export function crop(photo, { x, y, width, height }) {
  const data = new Uint8Array(width * height * 4);
  for (let row = 0; row < height; row++) {
    const start = ((y + row) * photo.width + x) * 4;
    data.set(photo.data.subarray(start, start + width * 4), row * width * 4);
  }
  return { width, height, data };
}

/** Turned round by 180 degrees. */
export function turn({ width, height, data }) {
  const pixels = width * height;
  const turned = new Uint8Array(data.length);
  for (let i = 0; i < pixels; i++) {
    turned.set(data.subarray(i * 4, i * 4 + 4), (pixels - 1 - i) * 4);
  }
  return { width, height, data: turned };
}

/** Bilinear, with pixel centres at half: what image libraries do by default. */
export function resize(photo, width, height) {
  const data = new Uint8Array(width * height * 4);
  const [stepX, stepY] = [photo.width / width, photo.height / height];
  for (let y = 0; y < height; y++) {
    const fromY = Math.min(Math.max((y + 0.5) * stepY - 0.5, 0), photo.height - 1);
    const top = Math.floor(fromY);
    const bottom = Math.min(top + 1, photo.height - 1);
    for (let x = 0; x < width; x++) {
      const fromX = Math.min(Math.max((x + 0.5) * stepX - 0.5, 0), photo.width - 1);
      const left = Math.floor(fromX);
      const right = Math.min(left + 1, photo.width - 1);
      for (let channel = 0; channel < 4; channel++) {
        const at = (row, column) => photo.data[(row * photo.width + column) * 4 + channel];
        const above = at(top, left) + (at(top, right) - at(top, left)) * (fromX - left);
        const below = at(bottom, left) + (at(bottom, right) - at(bottom, left)) * (fromX - left);
        data[(y * width + x) * 4 + channel] = Math.round(above + (below - above) * (fromY - top));
      }
    }
  }
  return { width, height, data };
}

/** Draws a frame into the photo. */
export function drawBox(photo, box, [red, green, blue], thickness = 5) {
  const left = Math.round(box.x);
  const top = Math.round(box.y);
  const right = Math.round(box.x + box.width);
  const bottom = Math.round(box.y + box.height);
  for (let y = top - thickness; y < bottom + thickness; y++) {
    for (let x = left - thickness; x < right + thickness; x++) {
      const inside = x >= left && x < right && y >= top && y < bottom;
      if (!inside && x >= 0 && y >= 0 && x < photo.width && y < photo.height) {
        photo.data.set([red, green, blue, 255], (y * photo.width + x) * 4);
      }
    }
  }
}
