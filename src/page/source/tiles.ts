// A map of tiles beneath all else, where the bridge has one: a PMTiles file, of which the page reads what it shows.

import { PMTiles, TileType, type Source } from "pmtiles";
import { cornerOf, earthAt, placesAround, tilesAround, zoomFor, type Geo, type Tile } from "./mercator.ts";
import { readRange } from "./session.ts";
import { drawVectors } from "./vector_tile.ts";
import { spotOf, type Colours, type Frame } from "./view.ts";

const PATH = "/api/map/tiles";
const MOST_SHOWN = 48;
const MOST_KEPT = 192;
const ALPHA = 0.4; // of pictures: what moves has to stand out. Vectors are drawn in colours that are quiet themselves
const AGAIN_MS = 5000; // after a tile could not be read

/** The bridge's file; it renews the session where that is over. */
const bridge: Source = {
  getKey: () => PATH,
  getBytes: async (offset, length) => ({ data: await readRange(PATH, offset, length) }),
};

export class Tiles {
  readonly #file = new PMTiles(bridge);
  #kept = new Map<string, ImageBitmap | null>(); // null: asked for, or there is none
  #bounds: [least: number, most: number] | null = null;
  #hasVectors = false;
  #colours: Colours | null = null; // that vectors are drawn in
  version = 0; // another one when there is more to draw

  /** `changed` is called then. */
  constructor(readonly site: Geo, readonly changed: () => void) {
    void this.#file.getHeader().then(({ minZoom, maxZoom, tileType }) => {
      this.#bounds = [minZoom, maxZoom];
      this.#hasVectors = tileType === TileType.Mvt;
      this.#tell();
    }).catch(() => {}); // without it there is no map, as before
  }

  draw(g: CanvasRenderingContext2D, frame: Frame, colours: Colours): void {
    if (!this.#bounds) return;
    if (this.#hasVectors && colours !== this.#colours) {
      for (const image of this.#kept.values()) image?.close();
      this.#kept = new Map();
    }
    this.#colours = colours;
    const [least, most] = this.#bounds;
    const { east, north } = spotOf(frame, frame.width / 2, frame.height / 2);
    const middle = earthAt(this.site, east, north);
    const zoom = Math.max(least, Math.min(most, zoomFor(frame.scale, middle.latitude)));
    const placeOf = placesAround(this.site);
    const at = (corner: Tile) => frame.at(...placeOf(cornerOf(corner)));
    g.save();
    g.globalAlpha = this.#hasVectors ? 1 : ALPHA;
    for (const tile of tilesAround(middle, frame.range * 1.05, zoom, least, MOST_SHOWN)) {
      const image = this.#imageOf(tile, colours);
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

  #imageOf(tile: Tile, colours: Colours): ImageBitmap | null {
    const key = `${tile.z}/${tile.x}/${tile.y}`;
    const kept = this.#kept.get(key);
    if (kept === undefined) {
      this.#kept.set(key, null);
      void this.#read(this.#kept, key, tile, colours);
      return null;
    }
    return kept;
  }

  async #read(kept: Map<string, ImageBitmap | null>, key: string, { z, x, y }: Tile, colours: Colours): Promise<void> {
    try {
      const found = await this.#file.getZxy(z, x, y);
      if (!found || kept !== this.#kept) return;
      kept.set(key, this.#hasVectors ? drawVectors(new Uint8Array(found.data), colours) : await createImageBitmap(new Blob([found.data])));
    } catch {
      setTimeout(() => kept.delete(key), AGAIN_MS);
      return;
    }
    for (const [oldest, image] of kept) {
      if (kept.size <= MOST_KEPT) break;
      kept.delete(oldest);
      image?.close();
    }
    this.#tell();
  }

  #tell(): void {
    this.version += 1;
    this.changed();
  }
}
