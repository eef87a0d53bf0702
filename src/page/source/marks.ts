// What moves on the scope: plots, trails, leaders and symbols. gl_marks.ts draws them by WebGL2, flat_marks.ts where that is not there.

import type { Point } from "./heard.ts";
import { LEVELS, type Track } from "./messages.ts";
import { drawSymbol } from "./symbols.ts";
import { platformAt, type Colours, type Frame, type View } from "./view.ts";

export const CELL = 32; // of the atlas [CSS pixels]
export const ATLAS_COLUMNS = 8;
export const ATLAS_ROWS = 2;
export const PLOT_CELL = 15; // after the symbols
export const PLOT_SIZE = 4;
export const AFTERGLOW = 0.7; // by which a plot fades until the antenna comes round again
export const TRAIL_ALPHA = 0.44;
const STATUSES = ["CONFIRMED", "COASTING", "TENTATIVE"] as const;
const RADIANS = Math.PI / 180;

/** Draws what moves. */
export interface Marks {
  readonly kind: "webgl2" | "2d";
  readonly canvas: HTMLCanvasElement;
  /** `leaderS`: how far ahead leaders reach [s]. */
  draw(view: View, frame: Frame, leaderS: number): void;
  recolour(colours: Colours): void;
}

/** Which cell of the atlas a track has. */
export function cellOf(track: Track, level: number): number {
  return (track.status === "CONFIRMED" ? 0 : track.status === "COASTING" ? 1 : 2) * LEVELS.length + level;
}

/** How much of a cell a symbol fills [CSS pixels]. */
export function sizeOf(cell: number): number {
  return cell >= 10 ? 10 : cell % LEVELS.length === 0 ? CELL : 20;
}

/** A picture of each symbol. */
export function atlasOf(colours: Colours, ratio: number): HTMLCanvasElement {
  const atlas = document.createElement("canvas");
  atlas.width = ATLAS_COLUMNS * CELL * ratio;
  atlas.height = ATLAS_ROWS * CELL * ratio;
  const g = atlas.getContext("2d") as CanvasRenderingContext2D;
  g.scale(ratio, ratio);
  const middle = (cell: number): [number, number] => [((cell % ATLAS_COLUMNS) + 0.5) * CELL, (Math.floor(cell / ATLAS_COLUMNS) + 0.5) * CELL];
  g.lineWidth = 1.5;
  STATUSES.forEach((status, i) => LEVELS.forEach((level, j) => {
    g.strokeStyle = colours[level];
    drawSymbol(g, status, level, ...middle(i * LEVELS.length + j), colours[level], colours.scope);
  }));
  const [x, y] = middle(PLOT_CELL);
  g.fillStyle = colours.plot;
  g.fillRect(x - 1.25, y - 1.25, 2.5, 2.5);
  return atlas;
}

/** The place of each detection, on the map. */
export function eachPlot(view: View, take: (east: number, north: number, strength: number) => void): void {
  if (!view.showDetections || view.detectionsStale) return;
  for (const { items, sensor: { x_m: sx, y_m: sy, heading_deg: heading }, share } of view.glows) {
    for (const { azimuth_deg: azimuth, range_m: range, elevation_deg: elevation } of items) {
      // Anticlockwise from the sensor's forward axis, turned into map (x east, y north).
      const angle = (90 - heading + azimuth) * RADIANS;
      const ground = elevation ? range * Math.cos(elevation * RADIANS) : range;
      take(sx + ground * Math.cos(angle), sy + ground * Math.sin(angle), 1 - AFTERGLOW * share);
    }
  }
}

/** Where a point of a trail is drawn: over ground as it was, or as far from the platform as it was then. */
export function shifted(point: Point, view: View): [east: number, north: number] | null {
  const [east, north, stampS] = point;
  if (east === null || north === null) return null;
  if (!view.platform || !view.sensor) return [east, north];
  const then = platformAt(view.platform, stampS);
  return then && [east - (then[0] ?? 0) + view.sensor.x_m, north - (then[1] ?? 0) + view.sensor.y_m];
}

/** The tracks as they are drawn: the threatening ones last, above the others. */
export function eachTrack(view: View, take: (track: Track, level: number, east: number, north: number) => void): void {
  const late: [Track, number][] = [];
  for (const track of view.tracks) {
    const { x, y } = track.position_m;
    if (x === null || y === null) continue;
    const name = view.levels.get(track.track_id);
    const level = name === undefined ? LEVELS.length - 1 : LEVELS.indexOf(name);
    if (level <= 2) late.push([track, level]);
    else take(track, level, x, y);
  }
  late.sort(([, one], [, other]) => other - one);
  for (const [track, level] of late) take(track, level, track.position_m.x as number, track.position_m.y as number);
}
