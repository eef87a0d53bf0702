// Where the names of the tracks go, so that none lies on another one.

import { LEVELS, type Level, type Track } from "./messages.ts";
import type { Frame, View } from "./view.ts";

/** Of a name: its width and height, and the places that are tried beside a symbol, the first that is free. */
export const LABEL = { width: 66, height: 25 };
const PLACES = [
  { dx: 9, dy: -13 },
  { dx: 9, dy: 12 },
  { dx: -9 - LABEL.width, dy: -13 },
  { dx: -9 - LABEL.width, dy: 12 },
];
const CELL = 70;
const COLUMN = 4096; // numbers of cells, more than a canvas has in a column

export const MOST_NAMES = 150;
const MOST_TRIED = 600;

interface Box {
  x: number;
  y: number;
}

function keyOf({ x, y }: Box): number {
  return Math.floor(x / CELL) * COLUMN + Math.floor(y / CELL);
}

/** Places names one after the other; the most important ones have to come first. */
export class Labels {
  readonly #cells = new Map<number, Box[]>();

  /** The upper left corner for a symbol's name; null where all places are taken. */
  place(x: number, y: number): Box | null {
    for (const { dx, dy } of PLACES) {
      const box = { x: x + dx, y: y + dy };
      if (this.#isFree(box)) {
        this.#put(box);
        return box;
      }
    }
    return null;
  }

  #isFree(box: Box): boolean {
    const key = keyOf(box);
    for (let i = -COLUMN; i <= COLUMN; i += COLUMN) {
      for (let j = -1; j <= 1; j += 1) {
        for (const other of this.#cells.get(key + i + j) ?? []) {
          if (Math.abs(other.x - box.x) < LABEL.width && Math.abs(other.y - box.y) < LABEL.height) return false;
        }
      }
    }
    return true;
  }

  #put(box: Box): void {
    const key = keyOf(box);
    const boxes = this.#cells.get(key);
    if (boxes) boxes.push(box);
    else this.#cells.set(key, [box]);
  }
}

/** A name and its place; `left`: it stands left of its symbol. */
export interface Name extends Box {
  track: Track;
  level: Level;
  selected: boolean;
  left: boolean;
}

/** The names that are shown, the threatening ones first; one without a free place is left out, as are those beyond the most. */
export function namesOf({ tracks, levels, selected }: View, { a, b, tx, ty, width, height, radius }: Frame): Name[] {
  const ranked: Track[][] = [[], ...LEVELS.map(() => [])];
  for (const track of tracks) {
    const { x: east, y: north } = track.position_m;
    if (east === null || north === null) continue;
    const isSelected = track.track_id === selected;
    if (track.status === "TENTATIVE" && !isSelected) continue;
    const [dx, dy] = [a * east + b * north + tx - width / 2, b * east - a * north + ty - height / 2];
    if (dx * dx + dy * dy > radius * radius) continue;
    const level = levels.get(track.track_id);
    ranked[isSelected ? 0 : 1 + (level === undefined ? LEVELS.length - 1 : LEVELS.indexOf(level))].push(track);
  }
  const places = new Labels();
  const names: Name[] = [];
  let tried = 0;
  for (const [rank, group] of ranked.entries()) {
    if (rank < 4) group.sort((one, other) => one.track_id - other.track_id);
    for (const track of group) {
      if (names.length >= MOST_NAMES || tried >= MOST_TRIED) return names;
      tried += 1;
      const [east, north] = [track.position_m.x as number, track.position_m.y as number];
      const x = a * east + b * north + tx;
      const box = places.place(x, b * east - a * north + ty);
      if (box) names.push({ ...box, track, level: levels.get(track.track_id) ?? "NONE", selected: rank === 0, left: box.x < x });
    }
  }
  return names;
}
