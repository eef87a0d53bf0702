// A picture with all symbols beside one another, from which those that draw tracks take them.

import { drawApp6 } from "./app6.ts";
import { CLASSES, LEVELS } from "./messages.ts";
import { drawSymbol } from "./symbols.ts";
import type { Colours } from "./view.ts";

export const CELL = 32; // [CSS pixels]
export const ATLAS_COLUMNS = 16;
export const PLOT_CELL = 15; // after the symbols of levels
export const PLOT_SIZE = 4;
const APP6_CELL = 16; // the first one
const STATUSES = ["CONFIRMED", "COASTING", "TENTATIVE"] as const;
export const TENTATIVE = STATUSES.indexOf("TENTATIVE");
export const CELLS = APP6_CELL + TENTATIVE * LEVELS.length * CLASSES.length;
export const ATLAS_ROWS = Math.ceil(CELLS / ATLAS_COLUMNS);

/** Which cell a track has where its shape says its level: status and level as index of STATUSES and LEVELS. */
export function cellOf(status: number, level: number): number {
  return status * LEVELS.length + level;
}

/** Which cell it has among the APP-6 symbols; a tentative one is as without them. `kind`: index of CLASSES. */
export function app6CellOf(status: number, level: number, kind: number): number {
  return status === TENTATIVE ? cellOf(status, level) : APP6_CELL + cellOf(status, level) * CLASSES.length + Math.max(kind, 0);
}

/** How much of a cell a symbol fills [CSS pixels]. */
export function sizeOf(cell: number): number {
  if (cell >= APP6_CELL) return CELL;
  if (cell === PLOT_CELL) return PLOT_SIZE;
  return cell >= TENTATIVE * LEVELS.length ? 10 : cell % LEVELS.length === 0 ? CELL : 20;
}

/** The middle of a cell [CSS pixels]. */
export function middleOf(cell: number): [x: number, y: number] {
  return [((cell % ATLAS_COLUMNS) + 0.5) * CELL, (Math.floor(cell / ATLAS_COLUMNS) + 0.5) * CELL];
}

/** A picture of each symbol. */
export function atlasOf(colours: Colours, ratio: number): HTMLCanvasElement {
  const atlas = document.createElement("canvas");
  atlas.width = ATLAS_COLUMNS * CELL * ratio;
  atlas.height = ATLAS_ROWS * CELL * ratio;
  const g = atlas.getContext("2d") as CanvasRenderingContext2D;
  g.scale(ratio, ratio);
  g.lineWidth = 1.5;
  STATUSES.forEach((status, i) => LEVELS.forEach((level, j) => {
    g.strokeStyle = colours[level];
    drawSymbol(g, status, level, ...middleOf(cellOf(i, j)), colours[level], colours.scope);
    if (i === TENTATIVE) return;
    CLASSES.forEach((kind, k) => drawApp6(g, kind, level, status === "COASTING", ...middleOf(app6CellOf(i, j, k)), colours[level], colours.scope));
  }));
  const [x, y] = middleOf(PLOT_CELL);
  g.fillStyle = colours.plot;
  g.fillRect(x - 1.25, y - 1.25, 2.5, 2.5);
  return atlas;
}
