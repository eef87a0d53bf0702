// What the scope shows, and how the map lies on it. Nothing here knows of the document.

import type { Camera, Place } from "./camera.ts";
import type { Glow, Point } from "./heard.ts";
import type { Level, ProtectedArea, Sensor, Signal, Symbols, Track } from "./messages.ts";

/** Drawn above all else, in its order: zones being edited, a measuring line. `scale` is in pixels a metre. */
export type Overlay = (g: CanvasRenderingContext2D, frame: Frame, colours: Colours) => void;

/** What is drawn. */
export interface View {
  camera: Camera;
  up: number; // the bearing that is up [rad]
  tracks: Track[];
  glows: Glow[]; // the detections
  sensor: Sensor | null; // which relative trails are of
  sensors: ReadonlyMap<string, Sensor>; // by sensor_id
  signals: Signal[];
  areas: ProtectedArea[];
  alarmed: ReadonlySet<string>; // names of areas with an alarm that nobody has seen
  levels: ReadonlyMap<number, Level>; // by track
  trails: Map<number, Point[]>; // by track
  platform: readonly Point[] | null; // where the sensor was, for trails relative to it; null: trails over ground
  sigma: Sigma | null; // of the chosen track
  stale: boolean;
  detectionsStale: boolean;
  showDetections: boolean;
  showTrails: boolean;
  selected: number | null;
  symbols: Symbols;
  overlays: Overlay[];
}

/** One-sigma errors of a track's position [m]. */
export interface Sigma {
  track_id: number;
  east: number;
  north: number;
}

export interface Spot {
  east: number;
  north: number;
}

export const INKS = [
  "ground", "scope", "ring", "words", "plot", "label", "chosen", "strobe", "sensor", "coast", "map-land", "map-green", "map-water", "map-building",
  "map-line",
] as const;
export type Colours = Record<Level | (typeof INKS)[number], string>;

/** How metres of the map become CSS pixels of the canvas: x = a east + b north + tx, y = b east - a north + ty. */
export interface Frame {
  width: number;
  height: number;
  radius: number; // of the scope [pixels]
  range: number; // to its edge [m]
  scale: number; // pixels a metre
  up: number; // the bearing that is up [rad]
  a: number;
  b: number;
  tx: number;
  ty: number;
  at: Place;
}

const MARGIN = 26; // around the scope, for the bearings

export function radiusOf(width: number, height: number): number {
  return Math.min(width, height) / 2 - MARGIN;
}

export function frameOf(camera: { east: number; north: number }, range: number, width: number, height: number, up = 0): Frame {
  const radius = radiusOf(width, height);
  const scale = radius / range;
  const [a, b] = [scale * Math.cos(up), -scale * Math.sin(up)];
  const tx = width / 2 - a * camera.east - b * camera.north;
  const ty = height / 2 - b * camera.east + a * camera.north;
  const at: Place = (east, north) => [a * (east ?? 0) + b * (north ?? 0) + tx, b * (east ?? 0) - a * (north ?? 0) + ty];
  return { width, height, radius, range, scale, up, a, b, tx, ty, at };
}

/** The point of the map under a point of the canvas. */
export function spotOf({ a, b, tx, ty }: Frame, x: number, y: number): Spot {
  const [east, north] = metresOf({ a, b }, x - tx, y - ty);
  return { east, north };
}

/** How far a way on the canvas goes on the map [m]. */
export function metresOf({ a, b }: Pick<Frame, "a" | "b">, dx: number, dy: number): [east: number, north: number] {
  const square = a * a + b * b;
  return [(a * dx + b * dy) / square, (b * dx - a * dy) / square];
}

/** Where the platform was at a time, to a second; null where that is not known. `ways` is in the order of time. */
export function platformAt(ways: readonly Point[], stampS: number): Point | null {
  let [low, high] = [0, ways.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ways[middle][2] < stampS) low = middle + 1;
    else high = middle;
  }
  const near = [ways[low - 1], ways[low]].filter(Boolean);
  const best = near.sort((one, other) => Math.abs(one[2] - stampS) - Math.abs(other[2] - stampS))[0];
  return best && Math.abs(best[2] - stampS) <= 1 ? best : null;
}
