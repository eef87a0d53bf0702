// What lies under all else, where the bridge has it: a coast line, tiles of a map.

import type { Geo } from "./mercator.ts";
import { read } from "./session.ts";
import { Tiles } from "./tiles.ts";
import type { Frame } from "./view.ts";

/** GET /api/map. */
interface MapLines {
  lines_m: [east: number, north: number][][];
  tiles_site: Geo | null; // where the origin of map is, where there are tiles
}

/** What lies under the picture; null is not there. */
export interface Beneath {
  coast: Coast | null;
  tiles: Tiles | null;
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

/** The bridge's map; `changed` is called when more of its tiles have come. */
export async function fetchMap(changed: () => void): Promise<Beneath> {
  const lines = await read<MapLines>("/api/map").catch(() => null);
  return {
    coast: lines?.lines_m.length ? new Coast(lines) : null,
    tiles: lines?.tiles_site ? new Tiles(lines.tiles_site, changed) : null,
  };
}
