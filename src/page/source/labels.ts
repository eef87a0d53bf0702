// Where the names of the tracks go, so that none lies on another one.

/** Of a name: its width and height, and the places that are tried beside a symbol, the first that is free. */
export const LABEL = { width: 66, height: 25 };
const PLACES = [
  { dx: 9, dy: -13 },
  { dx: 9, dy: 12 },
  { dx: -9 - LABEL.width, dy: -13 },
  { dx: -9 - LABEL.width, dy: 12 },
];
const CELL = 70;

interface Box {
  x: number;
  y: number;
}

/** Places names one after the other; the most important ones have to come first. */
export class Labels {
  readonly #cells = new Map<string, Box[]>();

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
    for (const key of this.#keys(box, 1)) {
      for (const other of this.#cells.get(key) ?? []) {
        if (Math.abs(other.x - box.x) < LABEL.width && Math.abs(other.y - box.y) < LABEL.height) return false;
      }
    }
    return true;
  }

  #put(box: Box): void {
    for (const key of this.#keys(box, 0)) this.#cells.set(key, [...(this.#cells.get(key) ?? []), box]);
  }

  *#keys({ x, y }: Box, around: number): Generator<string> {
    const [column, row] = [Math.floor(x / CELL), Math.floor(y / CELL)];
    for (let i = -around; i <= around; i += 1) for (let j = -around; j <= around; j += 1) yield `${column + i},${row + j}`;
  }
}
