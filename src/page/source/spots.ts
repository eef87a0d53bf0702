// The tracks of a picture as columns, in the order in which they are drawn: what draws, names and fits them goes over numbers only.

import { app6CellOf, cellOf, TENTATIVE } from "./atlas.ts";
import { CLASSES, LEVELS, type Level, type Symbols, type Track } from "./messages.ts";

const NOT_ASSESSED = LEVELS.indexOf("NONE");
const LEVEL_NUMBERS = Object.fromEntries(LEVELS.map((level, i) => [level, i])) as Record<Level, number>;
const STATUS_NUMBERS: Record<Track["status"], number> = { CONFIRMED: 0, COASTING: 1, TENTATIVE };

export class Spots {
  count = 0; // of those whose place is known
  tracks: Track[] = []; // those that threaten most last, above the others; within a level in the order of the picture
  east = new Float64Array(0); // [m]
  north = new Float64Array(0);
  velocityEast = new Float64Array(0); // [m/s]; NaN: no leader is drawn
  velocityNorth = new Float64Array(0);
  levels = new Uint8Array(0); // index of LEVELS
  statuses = new Uint8Array(0); // confirmed, coasting, tentative
  cells = new Uint8Array(0); // of the atlas of symbols
  readonly ends = new Array<number>(LEVELS.length).fill(0); // of each level, where its tracks end: they begin where the next milder one ends
  #levelsBefore = new Uint8Array(0); // in the order of the picture

  /** Take a picture: the tracks, the level of each that has one, and how they are drawn. */
  take(tracks: readonly Track[], levels: ReadonlyMap<number, Level>, symbols: Symbols): void {
    if (this.east.length < tracks.length) this.#makeRoom(tracks.length * 2);
    const { ends } = this;
    const sizes = new Array<number>(LEVELS.length).fill(0);
    const before = this.#levelsBefore;
    for (let i = 0; i < tracks.length; i += 1) {
      const name = levels.get(tracks[i].track_id);
      before[i] = name === undefined ? NOT_ASSESSED : LEVEL_NUMBERS[name];
      const { x, y } = tracks[i].position_m;
      if (x !== null && y !== null) sizes[before[i]] += 1;
    }
    let at = 0;
    for (let level = LEVELS.length - 1; level >= 0; level -= 1) {
      ends[level] = at; // its beginning as yet
      at += sizes[level];
    }
    this.count = at;
    this.tracks.length = at;
    for (let i = 0; i < tracks.length; i += 1) {
      const track = tracks[i];
      const { x, y } = track.position_m;
      if (x === null || y === null) continue;
      const level = before[i];
      const to = ends[level]++;
      const status = STATUS_NUMBERS[track.status] ?? TENTATIVE;
      const { x: velocityEast, y: velocityNorth } = track.velocity_vector_mps;
      this.tracks[to] = track;
      this.east[to] = x;
      this.north[to] = y;
      this.levels[to] = level;
      this.statuses[to] = status;
      this.cells[to] = symbols === "level" ? cellOf(status, level) : app6CellOf(status, level, CLASSES.indexOf(track.class));
      this.velocityEast[to] = velocityEast === null || status === TENTATIVE ? NaN : velocityEast;
      this.velocityNorth[to] = velocityNorth ?? NaN;
    }
  }

  #makeRoom(size: number): void {
    [this.east, this.north, this.velocityEast, this.velocityNorth] = Array.from({ length: 4 }, () => new Float64Array(size));
    [this.levels, this.statuses, this.cells, this.#levelsBefore] = Array.from({ length: 4 }, () => new Uint8Array(size));
  }
}
