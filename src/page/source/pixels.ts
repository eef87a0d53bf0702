// Pixels written by hand: lines, squares and symbols into a picture that is put on a canvas at once.

/** How metres of the map become these pixels: x = a east + b north + x, y = b east - a north + y. */
export interface Place {
  a: number;
  b: number;
  x: number;
  y: number;
}

const OPAQUE = 255;
const BITS = 16;
const ONE = 1 << BITS;

/** The pixels of a symbol that are not clear, and where they are behind the upper left corner of its square. */
export interface Sprite {
  size: number;
  offsets: Int32Array;
  pixels: Uint32Array;
}

/** A square of pixels as a symbol for a picture of this width. */
export function spriteOf(square: Uint32Array, size: number, width: number): Sprite {
  const at = [...square.keys()].filter((i) => square[i] !== 0);
  return {
    size,
    offsets: Int32Array.from(at, (i) => Math.floor(i / size) * width + (i % size)),
    pixels: Uint32Array.from(at, (i) => square[i]),
  };
}

/** A colour as a pixel, in the order of an ImageData's bytes on all of today's machines. */
export function pixelOf(colour: string, alpha: number): number {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return ((Math.round(alpha * OPAQUE) << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** Pixels to be written. */
export class Pixels {
  constructor(readonly width: number, readonly height: number, readonly data = new Uint32Array(width * height)) {}

  /** A line as wide as a pixel, as far as it is inside. */
  line(x: number, y: number, x2: number, y2: number, colour: number): void {
    const { width, height, data } = this;
    const dx = x2 - x;
    const dy = y2 - y;
    let first = 0; // of the way (Liang and Barsky, 1984)
    let last = 1;
    if (x < 0 || y < 0 || x2 < 0 || y2 < 0 || x >= width || x2 >= width || y >= height || y2 >= height) {
      if ((dx === 0 && (x < 0 || x >= width)) || (dy === 0 && (y < 0 || y >= height))) return;
      if (dx !== 0) {
        first = Math.max(first, Math.min(-x / dx, (width - 1 - x) / dx));
        last = Math.min(last, Math.max(-x / dx, (width - 1 - x) / dx));
      }
      if (dy !== 0) {
        first = Math.max(first, Math.min(-y / dy, (height - 1 - y) / dy));
        last = Math.min(last, Math.max(-y / dy, (height - 1 - y) / dy));
      }
      if (!(first <= last)) return;
    }
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(dx), Math.abs(dy)) * (last - first)));
    // Whole numbers of 1/65536 of a pixel; steps are cut towards 0, so that none goes beyond the end.
    const stepX = ((dx * (last - first)) / steps * ONE) | 0;
    const stepY = ((dy * (last - first)) / steps * ONE) | 0;
    let px = ((x + dx * first) * ONE) | 0;
    let py = ((y + dy * first) * ONE) | 0;
    for (let i = 0; i <= steps; i += 1) {
      data[Math.imul(py >> BITS, width) + (px >> BITS)] = colour;
      px += stepX;
      py += stepY;
    }
  }

  /** A symbol around a point; its clear pixels leave what is there. */
  put({ size, offsets, pixels }: Sprite, x: number, y: number): void {
    const { width, height, data } = this;
    const [left, top] = [Math.round(x - size / 2), Math.round(y - size / 2)];
    if (left < 0 || top < 0 || left + size > width || top + size > height) return;
    const corner = top * width + left;
    for (let i = 0; i < offsets.length; i += 1) data[corner + offsets[i]] = pixels[i];
  }

  /** A filled square. */
  square(x: number, y: number, size: number, colour: number): void {
    const { width, height, data } = this;
    const [left, top] = [Math.round(x - size / 2), Math.round(y - size / 2)];
    if (left < 0 || top < 0 || left + size > width || top + size > height) return;
    for (let row = 0; row < size; row += 1) {
      const to = (top + row) * width + left;
      for (let column = 0; column < size; column += 1) data[to + column] = colour;
    }
  }
}
