// The coast line, where the bridge has one: drawn under all else.

import { read } from "./session.ts";
import type { Frame } from "./view.ts";

/** GET /api/map. */
interface MapLines {
  lines_m: [east: number, north: number][][];
}

export class Coast {
  readonly #path = new Path2D();

  constructor({ lines_m: lines }: MapLines) {
    for (const line of lines) line.forEach(([east, north], i) => (i ? this.#path.lineTo(east, north) : this.#path.moveTo(east, north)));
  }

  draw(g: CanvasRenderingContext2D, { a, b, tx, ty, scale }: Frame, colour: string): void {
    g.save();
    g.transform(a, b, b, -a, tx, ty);
    g.lineWidth = 1.25 / scale;
    g.strokeStyle = colour;
    g.stroke(this.#path);
    g.restore();
  }
}

/** The bridge's coast line; null where it has none. */
export async function fetchCoast(): Promise<Coast | null> {
  const lines = await read<MapLines>("/api/map").catch(() => null);
  return lines?.lines_m.length ? new Coast(lines) : null;
}
