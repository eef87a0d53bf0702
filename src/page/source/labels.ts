// Where the names of the tracks go, so that none lies on another one.

import { TENTATIVE } from "./atlas.ts";
import { LEVELS, type Level, type Track } from "./messages.ts";
import type { Spots } from "./spots.ts";
import type { Frame, View } from "./view.ts";

/** Of a name: its width and height, and the places that are tried beside a symbol, the first that is free. */
export const LABEL = { width: 66, height: 25 };
const PLACES = [
  { right: true, dy: -13 },
  { right: true, dy: 12 },
  { right: false, dy: -13 },
  { right: false, dy: 12 },
];
const BESIDE = { level: 9, app6: 14 }; // of the symbol's middle, by how large symbols are
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

  /** `beside`: how far from the middle of its symbol a name begins. */
  constructor(readonly beside = BESIDE.level) {}

  /** The upper left corner for a symbol's name; null where all places are taken. */
  place(x: number, y: number): Box | null {
    for (const { right, dy } of PLACES) {
      const box = { x: right ? x + this.beside : x - this.beside - LABEL.width, y: y + dy };
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
export function namesOf({ selected, symbols }: View, spots: Spots, { a, b, tx, ty, width, height, radius }: Frame): Name[] {
  const { tracks, east, north, levels, statuses, ends } = spots;
  const places = new Labels(BESIDE[symbols]);
  const names: Name[] = [];
  let tried = 0;
  const name = (i: number) => {
    const [x, y] = [a * east[i] + b * north[i] + tx, b * east[i] - a * north[i] + ty];
    const [dx, dy] = [x - width / 2, y - height / 2];
    if (dx * dx + dy * dy > radius * radius) return;
    tried += 1;
    const box = places.place(x, y);
    if (box) names.push({ ...box, track: tracks[i], level: LEVELS[levels[i]], selected: tracks[i].track_id === selected, left: box.x < x });
  };
  const chosen = selected === null ? -1 : tracks.findIndex((track) => track.track_id === selected);
  if (chosen >= 0) name(chosen);
  for (let level = 0; level < LEVELS.length; level += 1) {
    for (let i = ends[level + 1] ?? 0; i < ends[level]; i += 1) {
      if (names.length >= MOST_NAMES || tried >= MOST_TRIED) return names;
      if (statuses[i] !== TENTATIVE && i !== chosen) name(i);
    }
  }
  return names;
}
