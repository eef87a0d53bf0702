// The trails as a picture of their own, on which everything else is drawn. A trail gets a point a second, so thousands of them are
// drawn over the next pictures, a part each; what has come to a trail since then is drawn with its track, every time.

import type { Point } from "./heard.ts";
import { LEVELS } from "./messages.ts";
import { shifted, TRAIL_ALPHA } from "./marks.ts";
import { pixelOf, Pixels, type Place } from "./pixels.ts";
import type { Spots } from "./spots.ts";
import type { Colours, View } from "./view.ts";

const MOST_CORNERS = 20_000; // of all trails together; with more, each has fewer
const AT_ONCE = 500; // trails that are drawn with one picture
const PARTS = 12; // pictures in which all of them are, where there are more
const JUMP_S = 10; // of time: another part of the past

/** The colours of trails, by level. */
export function trailInksOf(colours: Colours): number[] {
  return LEVELS.map((level) => pixelOf(colours[level], TRAIL_ALPHA));
}

/** Trails that are being drawn. */
interface Work {
  trails: Point[][];
  levels: number[];
  next: number;
  stampS: number; // of the newest point when it began
}

export class TrailLayer {
  #shown = new Pixels(1, 1);
  #shownS = -Infinity; // up to when all points are on it
  #hidden = new Pixels(1, 1);
  #work: Work | null = null;
  #drawn: unknown[] = [];

  /** The pixels of the trails, for a picture of this size. */
  draw(view: View, spots: Spots, place: Place, { width, height }: Pixels, colours: Colours): Uint32Array {
    const { a, b, x, y } = place;
    // What all trails change with: these have to be drawn at once.
    const now = [width, height, a, b, x, y, colours, view.trails, view.platform, view.stale, view.levels.size === 0];
    const isSame = now.every((value, i) => Object.is(value, this.#drawn[i]));
    this.#drawn = now;
    if (this.#shown.width !== width || this.#shown.height !== height) {
      [this.#shown, this.#hidden] = [new Pixels(width, height), new Pixels(width, height)];
    }
    const [stampS, corners] = sumOf(view.trails);
    const goesOn = isSame && view.platform === null && stampS >= this.#shownS && stampS < this.#shownS + JUMP_S;
    if (!goesOn) this.#work = null;
    this.#work ??= workOf(view, spots, stampS);
    const { trails, next } = this.#work;
    if (next === 0) this.#hidden.data.fill(0);
    const part = goesOn ? Math.max(AT_ONCE, Math.ceil(trails.length / PARTS)) : trails.length;
    const last = Math.min(trails.length, next + part);
    this.#drawSome(view, this.#work, last, Math.max(1, Math.ceil(corners / MOST_CORNERS)), place, trailInksOf(colours));
    this.#work.next = last;
    if (last === trails.length) {
      [this.#shown, this.#hidden] = [this.#hidden, this.#shown];
      this.#shownS = this.#work.stampS;
      this.#work = null;
    }
    return this.#shown.data;
  }

  #drawSome(view: View, work: Work, last: number, step: number, { a, b, x: left, y: top }: Place, inks: number[]): void {
    const { trails, levels, next } = work;
    const over = view.platform === null;
    for (let i = next; i < last; i += 1) {
      const trail = trails[i];
      let [x, y] = [NaN, NaN];
      for (let k = trail.length - 1; k >= 0; k -= step) {
        const point = over ? trail[k] : shifted(trail[k], view);
        if (!point) continue;
        const [east, north] = [point[0], point[1]];
        if (east === null || north === null) continue;
        const x2 = a * east + b * north + left;
        const y2 = b * east - a * north + top;
        this.#hidden.line(x, y, x2, y2, inks[levels[i]]);
        [x, y] = [x2, y2];
      }
    }
  }

  /** Draw what leads from the trail of a track on this layer to the track itself. */
  drawHead(view: View, id: number, pixels: Pixels, { a, b, x: left, y: top }: Place, x: number, y: number, ink: number): void {
    const trail = view.trails.get(id);
    if (!trail) return;
    for (let k = trail.length - 1; k >= 0; k -= 1) {
      const point = view.platform ? shifted(trail[k], view) : trail[k];
      if (point && point[0] !== null && point[1] !== null) {
        const x2 = a * point[0] + b * point[1] + left;
        const y2 = b * point[0] - a * point[1] + top;
        pixels.line(x, y, x2, y2, ink);
        [x, y] = [x2, y2];
      }
      if (trail[k][2] <= this.#shownS) return;
    }
  }
}

function workOf({ trails }: View, { count, tracks, levels }: Spots, stampS: number): Work {
  const work: Work = { trails: [], levels: [], next: 0, stampS };
  for (let i = 0; i < count; i += 1) {
    const trail = trails.get(tracks[i].track_id);
    if (!trail?.length) continue;
    work.trails.push(trail);
    work.levels.push(levels[i]);
  }
  return work;
}

/** The stamp of the newest point of all, and how many points there are. */
function sumOf(trails: ReadonlyMap<number, Point[]>): [stampS: number, points: number] {
  let [newest, points] = [-Infinity, 0];
  for (const trail of trails.values()) {
    if (trail.length) newest = Math.max(newest, trail[trail.length - 1][2]);
    points += trail.length;
  }
  return [newest, points];
}
