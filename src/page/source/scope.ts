// The plan position indicator: the ground, what moves, and names above it, each on a canvas of its own. It draws what it is given.

import { TENTATIVE } from "./atlas.ts";
import { leaderSeconds, roundRange } from "./camera.ts";
import type { Beneath } from "./coast.ts";
import { FlatMarks } from "./flat_marks.ts";
import { glMarks } from "./gl_marks.ts";
import { FONT, Ground } from "./ground.ts";
import { LABEL, namesOf } from "./labels.ts";
import type { Marks } from "./marks.ts";
import { LEVELS } from "./messages.ts";
import { Spots } from "./spots.ts";
import { frameOf, INKS, metresOf, radiusOf, spotOf, type Colours, type Frame, type Spot, type View } from "./view.ts";

export type { Colours, Frame, Overlay, Sigma, Spot, View } from "./view.ts";

const TWO_SIGMA = 2;
const DIMMED = 0.3;
const CLICK_PX = 14;
const NOWHERE = frameOf({ east: 0, north: 0 }, 1000, 100, 100);

/** The colours of the theme; those of the levels are in palette.css, for all viewers. Canvases know no styles. */
function coloursOf(theme: CSSStyleDeclaration): Colours {
  const entries = [...LEVELS, ...INKS].map((name) => [name, theme.getPropertyValue(`--${name.toLowerCase()}`).trim()]);
  return Object.fromEntries(entries) as Colours;
}

export class Scope {
  readonly #g: CanvasRenderingContext2D;
  readonly #ground: Ground;
  #marks: Marks;
  #colours = coloursOf(getComputedStyle(document.documentElement));
  #autoRange = 1000;
  #isFitted = false; // to tracks
  #last: View | null = null;
  #frame: Frame = NOWHERE;
  readonly #spots = new Spots();
  beneath: Beneath = { coast: null, tiles: null };
  leaderS = 0; // how far ahead its leaders show the tracks

  /** The canvases from the lowest to the uppermost, which takes the pointer. */
  constructor(ground: HTMLCanvasElement, moving: HTMLCanvasElement, edge: HTMLCanvasElement, readonly canvas: HTMLCanvasElement) {
    this.#g = canvas.getContext("2d") as CanvasRenderingContext2D;
    this.#ground = new Ground(ground, edge);
    this.#marks = this.#marksOn(moving);
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  /** By WebGL2 where there is a GPU for it. */
  #marksOn(moving: HTMLCanvasElement): Marks {
    const marks = glMarks(moving, this.#colours) ?? new FlatMarks(moving, this.#colours);
    this.canvas.dataset.drawn = marks.kind;
    moving.addEventListener("webglcontextlost", () => {
      const other = moving.cloneNode() as HTMLCanvasElement;
      moving.replaceWith(other);
      this.#marks = new FlatMarks(other, this.#colours);
      this.canvas.dataset.drawn = this.#marks.kind;
      this.redraw();
    });
    return marks;
  }

  get colours(): Colours {
    return this.#colours;
  }

  /** How the map lies on the canvases, of the last drawing. */
  get frame(): Frame {
    return this.#frame;
  }

  /** From the middle to the edge [m], of the last drawing. */
  get range(): number {
    return this.#frame.range;
  }

  /** Take the colours of the page's theme. */
  recolour(): void {
    this.#colours = coloursOf(getComputedStyle(document.documentElement));
    this.#marks.recolour(this.#colours);
    this.redraw();
  }

  resize(): void {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
    this.canvas.height = Math.round(this.canvas.clientHeight * ratio);
    this.redraw();
  }

  redraw(): void {
    if (this.#last) this.draw(this.#last);
  }

  /** Grow at once, shrink only when the picture would be much too small, so that the scale stays calm. */
  #fitRange({ camera, sensors }: View): number {
    const { count, east, north, statuses } = this.#spots;
    if (count === 0 && this.#isFitted) return this.#autoRange; // an empty sky, or a time without a record, is no reason to zoom in
    this.#isFitted = count > 0;
    let furthest = 50 ** 2;
    for (let i = 0; i < count; i += 1) {
      if (statuses[i] === TENTATIVE) continue; // they come and go
      const [dx, dy] = [east[i] - camera.east, north[i] - camera.north];
      furthest = Math.max(furthest, dx * dx + dy * dy);
    }
    furthest = Math.sqrt(furthest);
    for (const sensor of sensors.values()) furthest = Math.max(furthest, Math.hypot(sensor.x_m - camera.east, sensor.y_m - camera.north));
    const wanted = roundRange(furthest * 1.08);
    if (wanted > this.#autoRange || wanted < this.#autoRange * 0.6) this.#autoRange = wanted;
    return this.#autoRange;
  }

  /** The speed over ground of the fastest track that has a leader [m/s]. */
  #fastest(): number {
    const { count, velocityEast, velocityNorth } = this.#spots;
    let fastest = 0;
    for (let i = 0; i < count; i += 1) {
      const square = velocityEast[i] * velocityEast[i] + velocityNorth[i] * velocityNorth[i];
      if (square > fastest) fastest = square; // not where it is not known
    }
    return Math.sqrt(fastest);
  }

  /** The track drawn nearest to a point of the canvas [CSS pixels], or null. */
  trackAt(x: number, y: number): number | null {
    let best = null;
    let bestDistance = CLICK_PX;
    for (const { track_id: id, position_m: place } of this.#last?.tracks ?? []) {
      if (place.x === null || place.y === null) continue;
      const [px, py] = this.#frame.at(place.x, place.y);
      const distance = Math.hypot(px - x, py - y);
      if (distance < bestDistance) [best, bestDistance] = [id, distance];
    }
    return best;
  }

  /** The point of the map under a point of the canvas [CSS pixels]. */
  spotAt(x: number, y: number): Spot {
    return spotOf(this.#frame, x, y);
  }

  /** How far a way on the canvas [CSS pixels] goes on the map [m]. */
  metresOf(dx: number, dy: number): [east: number, north: number] {
    return metresOf(this.#frame, dx, dy);
  }

  draw(view: View): void {
    this.#last = view;
    const g = this.#g;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.canvas.width / ratio, this.canvas.height / ratio];
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    if (radiusOf(width, height) < 20) return;
    this.#spots.take(view.tracks, view.levels, view.symbols);
    const frame = frameOf(view.camera, view.camera.range ?? this.#fitRange(view), width, height, view.up);
    this.#frame = frame;
    this.leaderS = this.#spots.count ? leaderSeconds(this.#fastest(), frame.range) : 0;

    this.#ground.draw(view, frame, this.#colours, this.beneath);
    this.#marks.draw(view, this.#spots, frame, this.leaderS);
    this.#marks.canvas.classList.toggle("dimmed", view.stale);
    g.globalAlpha = view.stale ? DIMMED : 1;
    this.#drawNames(view, frame);
    this.#drawChosen(view, frame);
    g.globalAlpha = 1;
    g.font = FONT;
    g.textAlign = "left";
    g.textBaseline = "middle";
    g.save();
    g.beginPath();
    g.arc(width / 2, height / 2, frame.radius, 0, 2 * Math.PI);
    g.clip();
    for (const overlay of view.overlays) overlay(g, frame, this.#colours);
    g.restore();
  }

  #drawChosen({ tracks, selected, sigma }: View, { at, scale, up }: Frame): void {
    const track = selected === null ? undefined : tracks.find(({ track_id: id }) => id === selected);
    if (!track || track.position_m.x === null || track.position_m.y === null) return;
    const g = this.#g;
    const [x, y] = at(track.position_m.x, track.position_m.y);
    g.strokeStyle = this.#colours.chosen;
    g.lineWidth = 1.5;
    g.beginPath();
    g.arc(x, y, 14, 0, 2 * Math.PI);
    g.stroke();
    if (sigma?.track_id !== selected || !sigma) return;
    g.save();
    g.setLineDash([3, 3]);
    g.beginPath();
    g.ellipse(x, y, TWO_SIGMA * sigma.east * scale, TWO_SIGMA * sigma.north * scale, -up, 0, 2 * Math.PI);
    g.stroke();
    g.restore();
  }

  #drawNames(view: View, frame: Frame): void {
    const g = this.#g;
    g.font = FONT;
    g.textBaseline = "middle";
    for (const { x, y, track, level, selected, left } of namesOf(view, this.#spots, frame, this.#ground.written)) {
      g.textAlign = left ? "right" : "left";
      const edge = left ? x + LABEL.width : x;
      g.fillStyle = selected ? this.#colours.chosen : this.#colours.label;
      g.fillText(String(track.track_id), edge, y + 7);
      g.fillStyle = this.#colours[level];
      g.fillText(track.class.toLowerCase(), edge, y + 19);
    }
  }
}
