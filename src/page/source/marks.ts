// What moves on the scope: plots, trails, leaders and symbols. gl_marks.ts draws them by WebGL2, flat_marks.ts where that is not there.

import type { Glow, Point } from "./heard.ts";
import { LEVELS } from "./messages.ts";
import type { Spots } from "./spots.ts";
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

/** Draws what moves. */
export interface Marks {
  readonly kind: "webgl2" | "2d";
  readonly canvas: HTMLCanvasElement;
  /** `leaderS`: how far ahead leaders reach [s]. */
  draw(view: View, spots: Spots, frame: Frame, leaderS: number): void;
  recolour(colours: Colours): void;
}

/** Which cell of the atlas a track has. */
export function cellOf(status: number, level: number): number {
  return status * LEVELS.length + level;
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

/** The detections that are drawn. */
export function glowsOf(view: View): Glow[] {
  return view.showDetections && !view.detectionsStale ? view.glows : [];
}

/** How bright a detection is drawn. */
export function strengthOf({ share }: Glow): number {
  return 1 - AFTERGLOW * share;
}

/** Where a point of a trail is drawn: over ground as it was, or as far from the platform as it was then. */
export function shifted(point: Point, view: View): [east: number, north: number] | null {
  const [east, north, stampS] = point;
  if (east === null || north === null) return null;
  if (!view.platform || !view.sensor) return [east, north];
  const then = platformAt(view.platform, stampS);
  return then && [east - (then[0] ?? 0) + view.sensor.x_m, north - (then[1] ?? 0) + view.sensor.y_m];
}
