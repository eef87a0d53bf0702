// A map of raster tiles beneath all else, where the bridge has one: a PMTiles file, of which the page reads what it shows.

import { PMTiles, type Source } from "pmtiles";
import { cornerOf, earthAt, placesAround, tilesAround, zoomFor, type Geo, type Tile } from "./mercator.ts";
import { readRange } from "./session.ts";
import { spotOf, type Frame } from "./view.ts";

const PATH = "/api/map/tiles";
const MOST_SHOWN = 48;
const MOST_KEPT = 192;
const ALPHA = 0.4; // what moves has to stand out
const AGAIN_MS = 5000; // after a tile could not be read

/** The bridge's file; it renews the session where that is over. */
const bridge: Source = {
  getKey: () => PATH,
  getBytes: async (offset, length) => ({ data: await readRange(PATH, offset, length) }),
};

export class Tiles {
  readonly #file = new PMTiles(bridge);
  readonly #kept = new Map<string, ImageBitmap | null>(); // null: asked for, or there is none
  #bounds: [least: number, most: number] | null = null;
  version = 0; // another one when there is more to draw

  /** `changed` is called then. */
  constructor(readonly site: Geo, readonly changed: () => void) {
    void this.#file.getHeader().then(({ minZoom, maxZoom }) => {
      this.#bounds = [minZoom, maxZoom];
      this.#tell();
    }).catch(() => {}); // without it there is no map, as before
  }

  draw(g: CanvasRenderingContext2D, frame: Frame): void {
    if (!this.#bounds) return;
    const [least, most] = this.#bounds;
    const { east, north } = spotOf(frame, frame.width / 2, frame.height / 2);
    const middle = earthAt(this.site, east, north);
    const zoom = Math.max(least, Math.min(most, zoomFor(frame.scale, middle.latitude)));
    const placeOf = placesAround(this.site);
    const at = (corner: Tile) => frame.at(...placeOf(cornerOf(corner)));
    g.save();
    g.globalAlpha = ALPHA;
    for (const tile of tilesAround(middle, frame.range * 1.05, zoom, least, MOST_SHOWN)) {
      const image = this.#imageOf(tile);
      if (!image) continue;
      const { z, x, y } = tile;
      const [[left, top], [rightX, rightY], [belowX, belowY]] = [at(tile), at({ z, x: x + 1, y }), at({ z, x, y: y + 1 })];
      const size = image.width;
      g.save();
      g.transform((rightX - left) / size, (rightY - top) / size, (belowX - left) / size, (belowY - top) / size, left, top);
      g.drawImage(image, 0, 0);
      g.restore();
    }
    g.restore();
  }

  #imageOf(tile: Tile): ImageBitmap | null {
    const key = `${tile.z}/${tile.x}/${tile.y}`;
    const kept = this.#kept.get(key);
    if (kept === undefined) {
      this.#kept.set(key, null);
      void this.#read(key, tile);
      return null;
    }
    return kept;
  }

  async #read(key: string, { z, x, y }: Tile): Promise<void> {
    try {
      const found = await this.#file.getZxy(z, x, y);
      if (!found) return;
      this.#kept.set(key, await createImageBitmap(new Blob([found.data])));
    } catch {
      setTimeout(() => this.#kept.delete(key), AGAIN_MS);
      return;
    }
    for (const [oldest, image] of this.#kept) {
      if (this.#kept.size <= MOST_KEPT) break;
      this.#kept.delete(oldest);
      image?.close();
    }
    this.#tell();
  }

  #tell(): void {
    this.version += 1;
    this.changed();
  }
}
