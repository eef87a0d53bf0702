// What of the scope has words or marks on it, so that nothing is written over it.

/** The upper left corner, and the size [CSS pixels]. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const CELL = 70; // about a name's width: it lies in two or four cells
const COLUMN = 4096; // numbers of cells, more than a canvas has in a column

export class Taken {
  readonly #cells = new Map<number, Box[]>();

  add(box: Box): void {
    for (const key of keysOf(box)) {
      const boxes = this.#cells.get(key);
      if (boxes) boxes.push(box);
      else this.#cells.set(key, [box]);
    }
  }

  isFree({ x, y, width, height }: Box): boolean {
    for (const key of keysOf({ x, y, width, height })) {
      for (const other of this.#cells.get(key) ?? []) {
        if (other.x < x + width && x < other.x + other.width && other.y < y + height && y < other.y + other.height) return false;
      }
    }
    return true;
  }
}

function keysOf({ x, y, width, height }: Box): number[] {
  const keys: number[] = [];
  for (let i = Math.floor(x / CELL); i <= Math.floor((x + width) / CELL); i += 1) {
    for (let j = Math.floor(y / CELL); j <= Math.floor((y + height) / CELL); j += 1) keys.push(i * COLUMN + j);
  }
  return keys;
}
