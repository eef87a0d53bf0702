// What moves on the scope, without a GPU: pixels written by hand and put on a canvas at once. Where software rasterises it, canvas 2D
// takes ten times as long for thousands of lines and symbols, on the thread that the page needs.

import { LEVELS } from "./messages.ts";
import {
  ATLAS_COLUMNS, atlasOf, CELL, cellOf, eachPlot, eachTrack, PLOT_CELL, PLOT_SIZE, shifted, sizeOf, TRAIL_ALPHA, type Marks,
} from "./marks.ts";
import type { Colours, Frame, View } from "./view.ts";

const MOST_CORNERS = 20_000; // of all trails together; with more, each has fewer
const CELLS = 16;
const OPAQUE = 255;

/** The pixels of a symbol that are not clear, and where they are behind the upper left corner of its square. */
interface Sprite {
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
    const stepX = (dx * (last - first)) / steps;
    const stepY = (dy * (last - first)) / steps;
    let px = x + dx * first;
    let py = y + dy * first;
    for (let i = 0; i <= steps; i += 1) {
      data[(py | 0) * width + (px | 0)] = colour;
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

export class FlatMarks implements Marks {
  readonly kind = "2d";
  readonly #g: CanvasRenderingContext2D;
  #image: ImageData | null = null;
  #pixels = new Pixels(1, 1);
  #sprites: Sprite[] = [];
  #ratio = 0;

  constructor(readonly canvas: HTMLCanvasElement, private colours: Colours) {
    this.#g = canvas.getContext("2d") as CanvasRenderingContext2D;
  }

  recolour(colours: Colours): void {
    this.colours = colours;
    this.#ratio = 0;
  }

  draw(view: View, frame: Frame, leaderS: number): void {
    this.#fit(frame);
    this.#pixels.data.fill(0);
    if (view.showTrails) this.#drawTrails(view, frame);
    this.#drawPlots(view, frame);
    this.#drawTracks(view, frame, leaderS);
    if (this.#image) this.#g.putImageData(this.#image, 0, 0);
  }

  #fit({ width, height }: Frame): void {
    const ratio = window.devicePixelRatio || 1;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (!this.#image || this.canvas.width !== across || this.canvas.height !== down) {
      [this.canvas.width, this.canvas.height] = [across, down];
      this.#image = new ImageData(across, down);
      this.#pixels = new Pixels(across, down, new Uint32Array(this.#image.data.buffer));
      this.#ratio = 0; // the symbols anew
    }
    if (ratio === this.#ratio) return;
    this.#ratio = ratio;
    const atlas = atlasOf(this.colours, ratio).getContext("2d") as CanvasRenderingContext2D;
    this.#sprites = Array.from({ length: CELLS }, (_, cell) => {
      const size = Math.round((cell === PLOT_CELL ? PLOT_SIZE : sizeOf(cell)) * ratio);
      const [left, top] = [((cell % ATLAS_COLUMNS) + 0.5) * CELL * ratio - size / 2, (Math.floor(cell / ATLAS_COLUMNS) + 0.5) * CELL * ratio - size / 2];
      return spriteOf(new Uint32Array(atlas.getImageData(Math.round(left), Math.round(top), size, size).data.buffer), size, across);
    });
  }

  #drawTrails(view: View, { a, b, tx, ty }: Frame): void {
    const pixels = this.#pixels;
    const ratio = this.#ratio;
    const inks = LEVELS.map((level) => pixelOf(this.colours[level], TRAIL_ALPHA));
    let corners = 0;
    for (const trail of view.trails.values()) corners += trail.length;
    const step = Math.max(1, Math.ceil(corners / MOST_CORNERS));
    const over = view.platform === null;
    eachTrack(view, ({ track_id: id }, level, east, north) => {
      const trail = view.trails.get(id);
      if (!trail) return;
      let x = (a * east + b * north + tx) * ratio;
      let y = (b * east - a * north + ty) * ratio;
      for (let i = trail.length - 1; i >= 0; i -= step) {
        const point = over ? trail[i] : shifted(trail[i], view);
        if (!point) continue;
        const e = point[0];
        const n = point[1];
        if (e === null || n === null) continue;
        const x2 = (a * e + b * n + tx) * ratio;
        const y2 = (b * e - a * n + ty) * ratio;
        pixels.line(x, y, x2, y2, inks[level]);
        x = x2;
        y = y2;
      }
    });
  }

  #drawPlots(view: View, { a, b, tx, ty }: Frame): void {
    const pixels = this.#pixels;
    const ratio = this.#ratio;
    const size = Math.round(2.5 * ratio);
    let [before, ink] = [NaN, 0];
    eachPlot(view, (east, north, strength) => {
      if (strength !== before) [before, ink] = [strength, pixelOf(this.colours.plot, strength)];
      pixels.square((a * east + b * north + tx) * ratio, (b * east - a * north + ty) * ratio, size, ink);
    });
  }

  #drawTracks(view: View, { a, b, tx, ty }: Frame, leaderS: number): void {
    const pixels = this.#pixels;
    const ratio = this.#ratio;
    const inks = LEVELS.map((level) => pixelOf(this.colours[level], 1));
    eachTrack(view, (track, level, east, north) => {
      const x = (a * east + b * north + tx) * ratio;
      const y = (b * east - a * north + ty) * ratio;
      const { x: ve, y: vn } = track.velocity_vector_mps;
      if (track.status !== "TENTATIVE" && ve !== null && vn !== null) {
        pixels.line(x, y, x + (a * ve + b * vn) * leaderS * ratio, y + (b * ve - a * vn) * leaderS * ratio, inks[level]);
      }
      pixels.put(this.#sprites[cellOf(track, level)], x, y);
    });
  }
}
