// A zone that is being drawn or changed: its corners in map, and where they are on the scope. Nothing here knows of the document.

import type { Spot } from "./scope.ts";

export type Corner = [east: number, north: number];

export interface Point {
  x: number;
  y: number;
}

const FEWEST = 3;
const NEAR_PX = 12; // of a corner, to take it
const STEP_PX = 100;

/** From map to the canvas, made of what the scope says of the way back; it may be turned. */
export function placing(spotAt: (x: number, y: number) => Spot): (corner: Corner) => Point {
  const zero = spotAt(0, 0);
  const [right, down] = [spotAt(STEP_PX, 0), spotAt(0, STEP_PX)];
  const [a, b] = [right.east - zero.east, down.east - zero.east];
  const [c, d] = [right.north - zero.north, down.north - zero.north];
  const scale = STEP_PX / (a * d - b * c);
  return ([e, n]) => {
    const [east, north] = [e - zero.east, n - zero.north];
    return { x: (east * d - north * b) * scale, y: (north * a - east * c) * scale };
  };
}

/** To a tenth of a metre: nobody points better. */
export function cornerAt({ east, north }: Spot): Corner {
  return [Math.round(east * 10) / 10, Math.round(north * 10) / 10];
}

/** The corner near a point of the canvas, or null. */
export function cornerNear(places: readonly Point[], x: number, y: number): number | null {
  const distances = places.map((place) => Math.hypot(place.x - x, place.y - y));
  const least = Math.min(...distances);
  return least <= NEAR_PX ? distances.indexOf(least) : null;
}

export class Draft {
  closed = false;

  constructor(public corners: Corner[] = []) {
    this.closed = corners.length >= FEWEST;
  }

  /** A click: the first corner closes it, any other place is the next corner. */
  click(at: Spot, near: number | null): void {
    if (this.closed) return;
    if (near === 0 && this.close()) return;
    if (near === null) this.corners.push(cornerAt(at));
  }

  /** False: there are too few corners. */
  close(): boolean {
    this.closed = this.corners.length >= FEWEST;
    return this.closed;
  }

  /** Take the last corner away. */
  back(): void {
    if (!this.closed) this.corners.pop();
  }

  move(index: number, to: Spot): void {
    this.corners[index] = cornerAt(to);
  }
}

/** The corners as lines "east, north", and back; null where a line is something else. */
export function textOf(corners: readonly Corner[]): string {
  return corners.map(([east, north]) => `${east}, ${north}`).join("\n");
}

export function cornersOf(text: string): Corner[] | null {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const corners = lines.map((line) => line.trim().split(/[\s,;]+/).map(Number));
  return corners.every((corner) => corner.length === 2 && corner.every(Number.isFinite)) ? (corners as Corner[]) : null;
}
