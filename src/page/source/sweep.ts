// A radar's video as sectors of bearings and ranges (docs/bridge.md), and when each bearing came. Nothing here knows of the document.

export const KIND = 2; // first byte of such a message
export const CELLS = 256; // of a row at most
const HEAD_BYTES = 54;
const USUAL_TURN_MS = 3000;
const [LEAST_TURN_MS, MOST_TURN_MS] = [300, 20_000];
const GONE_TURNS = 1.5;
export const LEAST_GLOW = 0.12; // of what the antenna saw a turn ago
export const FADE = 1.3;

export interface Sector {
  sensorId: string;
  first: number; // bearing k of `turn`, clockwise from north
  bearings: number;
  cells: number;
  turn: number; // bearings of a whole turn
  east: number; // of the sensor [m]
  north: number;
  firstRangeM: number;
  cellM: number;
  ageS: number;
  levels: Uint8Array; // bearings x cells
}

/** Throws where it is no such message. */
export function sectorOf(data: ArrayBuffer): Sector {
  const view = new DataView(data);
  if (data.byteLength < HEAD_BYTES || view.getUint8(0) !== KIND) throw new Error("a sector of video is expected");
  const [first, bearings, cells] = [2, 4, 6].map((at) => view.getUint16(at, true));
  const [ageS, east, north, firstRangeM, cellM] = [12, 20, 28, 36, 44].map((at) => view.getFloat64(at, true));
  const turn = view.getUint16(52, true);
  const levelsAt = HEAD_BYTES + view.getUint8(1);
  const levels = new Uint8Array(data, levelsAt);
  if (cells < 1 || cells > CELLS || first + bearings > turn || levels.length !== bearings * cells) {
    throw new Error(`a sector of ${bearings} bearings from ${first} of ${turn}, ${cells} cells, ${levels.length} bytes`);
  }
  const sensorId = new TextDecoder().decode(new Uint8Array(data, HEAD_BYTES, levelsAt - HEAD_BYTES));
  return { sensorId, first, bearings, cells, turn, east, north, firstRangeM, cellM, ageS, levels };
}

/** One radar's last turn: its levels, and when each bearing was measured [ms]. */
export class Sweep {
  readonly levels: Uint8Array;
  readonly cameAt: Float64Array;
  #turnMs = USUAL_TURN_MS;
  dirty: [first: number, bearings: number][] = []; // rows that the GPU does not have yet

  constructor(public last: Sector) {
    this.levels = new Uint8Array(last.turn * CELLS);
    this.cameAt = new Float64Array(last.turn).fill(-Infinity);
  }

  /** Whether a sector goes on with this one: the same bearings and ranges. */
  fits({ turn, firstRangeM, cellM, cells }: Sector): boolean {
    const { last } = this;
    return turn === last.turn && firstRangeM === last.firstRangeM && cellM === last.cellM && cells === last.cells;
  }

  take(sector: Sector, now: number): void {
    const measured = now - sector.ageS * 1000;
    const passed = measured - this.cameAt[sector.first];
    if (passed > LEAST_TURN_MS && passed < MOST_TURN_MS) this.#turnMs = passed;
    for (let k = 0; k < sector.bearings; k += 1) {
      const row = sector.first + k;
      this.levels.fill(0, row * CELLS, (row + 1) * CELLS);
      this.levels.set(sector.levels.subarray(k * sector.cells, (k + 1) * sector.cells), row * CELLS);
      this.cameAt[row] = measured;
    }
    this.dirty.push([sector.first, sector.bearings]);
    this.last = sector;
  }

  /** After so long nothing is left of a bearing: it was not seen again in the turn after [ms]. */
  get goneMs(): number {
    return this.#turnMs * GONE_TURNS;
  }
}

/** How much is left of what was seen so long ago: bright behind the antenna, faint when it comes round again, then nothing. */
export function glowOf(ageMs: number, goneMs: number): number {
  if (!(ageMs < goneMs)) return 0;
  return Math.max(LEAST_GLOW, 1 - (ageMs / goneMs) * FADE);
}
