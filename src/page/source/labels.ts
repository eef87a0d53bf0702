// Where the names of the tracks go, so that none lies on another one.

import { TENTATIVE } from "./atlas.ts";
import { LEVELS, type Level, type Track } from "./messages.ts";
import type { Spots } from "./spots.ts";
import { Taken, type Box } from "./taken.ts";
import type { Frame, View } from "./view.ts";

/** Of a name: its width and height, and the places that are tried beside a symbol, the first that is free. */
export const LABEL = { width: 66, height: 25 };
const PLACES = [
  { right: true, dy: -13 },
  { right: true, dy: 12 },
  { right: false, dy: -13 },
  { right: false, dy: 12 },
];
const FARTHER = PLACES.map(({ right, dy }) => ({ right, dy: dy + (dy < 0 ? -LABEL.height : LABEL.height) }));
const BESIDE = { level: 9, app6: 14 }; // of the symbol's middle, by how large symbols are
const MARK = { level: 6, app6: 9 }; // half of a symbol
const LISTED = LEVELS.indexOf("MEDIUM"); // to here, of the most threatening first, people are told why
const MOST_MARKS = 500; // beyond, symbols lie on one another themselves

export const MOST_NAMES = 150;
const MOST_TRIED = 600;

/** Places names one after the other; the most important ones have to come first. */
export class Labels {
  readonly #written = new Taken();
  readonly #marks = new Taken();

  /**
   * `beside`: how far from the middle of its symbol a name begins; `written`: what other words take up; `marks`: what symbols do, on
   * which a name lies only where all that is free of words lies on one.
   */
  constructor(readonly beside = BESIDE.level, written: Iterable<Box> = [], marks: Iterable<Box> = []) {
    for (const box of written) this.#written.add(box);
    for (const box of marks) this.#marks.add(box);
  }

  /** The place of a symbol's name; null where all are taken, unless it has to be read: then farther off, or else over other words. */
  place(x: number, y: number, isImportant = false): Box | null {
    const all = (isImportant ? [...PLACES, ...FARTHER] : PLACES)
      .map(({ right, dy }) => ({ x: right ? x + this.beside : x - this.beside - LABEL.width, y: y + dy, ...LABEL }));
    const free = all.filter((box) => this.#written.isFree(box));
    const box = free.find((one) => this.#marks.isFree(one)) ?? free[0] ?? (isImportant ? all[0] : null);
    if (!box) return null;
    this.#written.add(box);
    return box;
  }
}

/** A name and its place; `left`: it stands left of its symbol. */
export interface Name extends Box {
  track: Track;
  level: Level;
  selected: boolean;
  left: boolean;
}

/**
 * The names that are shown, the threatening ones first; one without a free place is left out, unless it threatens or is chosen, as
 * are those beyond the most.
 * `written`: where other words are.
 */
export function namesOf(
  { selected, symbols }: View, spots: Spots, { a, b, tx, ty, width, height, radius }: Frame, written: readonly Box[] = [],
): Name[] {
  const { tracks, east, north, levels, statuses, ends, count } = spots;
  const marks: Box[] = [];
  const half = MARK[symbols];
  for (let i = 0; i < count && count <= MOST_MARKS; i += 1) {
    marks.push({ x: a * east[i] + b * north[i] + tx - half, y: b * east[i] - a * north[i] + ty - half, width: 2 * half, height: 2 * half });
  }
  const places = new Labels(BESIDE[symbols], written, marks);
  const names: Name[] = [];
  const chosen = selected === null ? -1 : tracks.findIndex((track) => track.track_id === selected);
  let tried = 0;
  const name = (i: number) => {
    const [x, y] = [a * east[i] + b * north[i] + tx, b * east[i] - a * north[i] + ty];
    const [dx, dy] = [x - width / 2, y - height / 2];
    if (dx * dx + dy * dy > radius * radius) return;
    tried += 1;
    const box = places.place(x, y, i === chosen || levels[i] <= LISTED);
    if (box) names.push({ ...box, track: tracks[i], level: LEVELS[levels[i]], selected: tracks[i].track_id === selected, left: box.x < x });
  };
  if (chosen >= 0) name(chosen);
  for (let level = 0; level < LEVELS.length; level += 1) {
    for (let i = ends[level + 1] ?? 0; i < ends[level]; i += 1) {
      if (names.length >= MOST_NAMES || tried >= MOST_TRIED) return names;
      if (statuses[i] !== TENTATIVE && i !== chosen) name(i);
    }
  }
  return names;
}
