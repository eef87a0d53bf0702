// What moves on the scope, without a GPU: pixels written by hand and put on a canvas at once. Where software rasterises it, canvas 2D
// takes ten times as long for thousands of lines and symbols, on the thread that the page needs.

import { LEVELS } from "./messages.ts";
import { atlasOf, CELLS, middleOf, sizeOf } from "./atlas.ts";
import { glowsOf, strengthOf, type Marks } from "./marks.ts";
import { pixelOf, Pixels, spriteOf, type Place, type Sprite } from "./pixels.ts";
import type { Spots } from "./spots.ts";
import { TrailLayer, trailInksOf } from "./trail_layer.ts";
import type { Colours, Frame, View } from "./view.ts";

const BEYOND = 2; // of the scope's radius [CSS pixels]

export class FlatMarks implements Marks {
  readonly kind = "2d";
  readonly #g: CanvasRenderingContext2D;
  readonly #trails = new TrailLayer();
  #image: ImageData | null = null;
  #pixels = new Pixels(1, 1); // of the square around the scope: what is beyond it is not seen
  #sprites: Sprite[] = [];
  #ratio = 0;
  #left = 0; // of the square on the canvas [device pixels]
  #top = 0;

  constructor(readonly canvas: HTMLCanvasElement, private colours: Colours) {
    this.#g = canvas.getContext("2d") as CanvasRenderingContext2D;
  }

  recolour(colours: Colours): void {
    this.colours = colours;
    this.#ratio = 0;
  }

  draw(view: View, spots: Spots, frame: Frame, leaderS: number): void {
    this.#fit(frame);
    const { a, b, tx, ty } = frame;
    const ratio = this.#ratio;
    const place: Place = {
      a: a * ratio, b: b * ratio, x: tx * ratio - this.#left, y: ty * ratio - this.#top,
    };
    if (view.showTrails) this.#pixels.data.set(this.#trails.draw(view, spots, place, this.#pixels, this.colours));
    else this.#pixels.data.fill(0);
    this.#drawPlots(view, place);
    this.#drawTracks(view, spots, place, leaderS);
    if (this.#image) this.#g.putImageData(this.#image, this.#left, this.#top);
  }

  #fit({ width, height, radius }: Frame): void {
    const ratio = window.devicePixelRatio || 1;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (!this.#image || this.canvas.width !== across || this.canvas.height !== down) {
      [this.canvas.width, this.canvas.height] = [across, down];
      const side = Math.min(across, down, 2 * Math.ceil((radius + BEYOND) * ratio));
      [this.#left, this.#top] = [(across - side) >> 1, (down - side) >> 1];
      this.#image = new ImageData(side, side);
      this.#pixels = new Pixels(side, side, new Uint32Array(this.#image.data.buffer));
      this.#ratio = 0; // the symbols anew
    }
    if (ratio === this.#ratio) return;
    this.#ratio = ratio;
    const atlas = atlasOf(this.colours, ratio);
    const g = atlas.getContext("2d") as CanvasRenderingContext2D;
    const all = new Uint32Array(g.getImageData(0, 0, atlas.width, atlas.height).data.buffer);
    this.#sprites = Array.from({ length: CELLS }, (_, cell) => {
      const size = Math.round(sizeOf(cell) * ratio);
      const [left, top] = middleOf(cell).map((middle) => Math.round(middle * ratio - size / 2));
      const square = Uint32Array.from({ length: size * size }, (_, i) => all[(top + Math.floor(i / size)) * atlas.width + left + (i % size)]);
      return spriteOf(square, size, this.#pixels.width);
    });
  }

  #drawPlots(view: View, { a, b, x, y }: Place): void {
    const pixels = this.#pixels;
    const size = Math.round(2.5 * this.#ratio);
    for (const glow of glowsOf(view)) {
      const ink = pixelOf(this.colours.plot, strengthOf(glow));
      const { places } = glow;
      for (let i = 0; i < places.length; i += 2) {
        const [east, north] = [places[i], places[i + 1]];
        pixels.square(a * east + b * north + x, b * east - a * north + y, size, ink);
      }
    }
  }

  #drawTracks(view: View, { count, tracks, east, north, velocityEast, velocityNorth, levels, cells }: Spots, place: Place, leaderS: number): void {
    const pixels = this.#pixels;
    const { a, b } = place;
    const inks = LEVELS.map((level) => pixelOf(this.colours[level], 1));
    const trailInks = trailInksOf(this.colours);
    for (let i = 0; i < count; i += 1) {
      const x = a * east[i] + b * north[i] + place.x;
      const y = b * east[i] - a * north[i] + place.y;
      const level = levels[i];
      if (view.showTrails) this.#trails.drawHead(view, tracks[i].track_id, pixels, place, x, y, trailInks[level]);
      const [ve, vn] = [velocityEast[i] * leaderS, velocityNorth[i] * leaderS];
      pixels.line(x, y, x + a * ve + b * vn, y + b * ve - a * vn, inks[level]); // none where they are not known
      pixels.put(this.#sprites[cells[i]], x, y);
    }
  }
}
