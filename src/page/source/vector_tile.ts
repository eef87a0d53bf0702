// Vector tiles (Mapbox Vector Tile 2.1): what is in one, and a picture of it. No names are written: those of tracks have to be read.

import { PbfReader } from "pbf";
import type { Colours } from "./view.ts";

const SIZE = 512; // of the picture [pixels]
const EXTENT = 4096; // of a layer that does not say it
const [POINT, LINE, POLYGON] = [1, 2, 3];
const [MOVE, LINE_TO, CLOSE] = [1, 2, 7];

interface Feature {
  type: number;
  tags: number[]; // index of a key, index of its value, and so on
  geometry: number[]; // commands and their parameters
}

interface Layer {
  name: string;
  extent: number;
  keys: string[];
  words: string[]; // the values that are text, "" for the others
  features: Feature[];
}

/** What takes the corners of a geometry: a path. */
type Pen = Pick<Path2D, "moveTo" | "lineTo" | "closePath">;

function takeFeature(tag: number, feature: Feature, pbf: PbfReader): void {
  if (tag === 2) pbf.readPackedVarint(feature.tags);
  else if (tag === 3) feature.type = pbf.readVarint();
  else if (tag === 4) pbf.readPackedVarint(feature.geometry);
}

function takeLayer(tag: number, layer: Layer, pbf: PbfReader): void {
  if (tag === 1) layer.name = pbf.readString();
  else if (tag === 2) layer.features.push(pbf.readMessage<Feature>(takeFeature, { type: 0, tags: [], geometry: [] }));
  else if (tag === 3) layer.keys.push(pbf.readString());
  else if (tag === 4) layer.words.push(pbf.readMessage<{ text: string }>((field, value, at) => {
    if (field === 1) value.text = at.readString();
  }, { text: "" }).text);
  else if (tag === 5) layer.extent = pbf.readVarint();
}

/** The layers of a tile; an Error where it is none. */
export function layersOf(tile: Uint8Array): Layer[] {
  return new PbfReader(tile).readFields<Layer[]>((tag, layers, pbf) => {
    if (tag === 3) layers.push(pbf.readMessage<Layer>(takeLayer, { name: "", extent: EXTENT, keys: [], words: [], features: [] }));
  }, []);
}

/** Draw a geometry. An Error where it breaks off: no count of a broken tile is believed, however large. */
export function trace(geometry: readonly number[], scale: number, pen: Pen): void {
  let [x, y] = [0, 0];
  for (let at = 0; at < geometry.length;) {
    const command = geometry[at] & 7;
    const count = geometry[at] >>> 3;
    at += 1;
    if (command === CLOSE) {
      pen.closePath();
      continue;
    }
    if (command !== MOVE && command !== LINE_TO) throw new Error(`a geometry has the unknown command ${command}`);
    const end = at + 2 * count;
    if (end > geometry.length) throw new Error("a geometry breaks off");
    for (; at < end; at += 2) {
      x += (geometry[at] >>> 1) ^ -(geometry[at] & 1); // zigzag
      y += (geometry[at + 1] >>> 1) ^ -(geometry[at + 1] & 1);
      if (command === MOVE) pen.moveTo(x * scale, y * scale);
      else pen.lineTo(x * scale, y * scale);
    }
  }
}

// From the lowest to the uppermost.
const KINDS = ["land", "green", "water", "building", "road", "outline"] as const;
type Kind = (typeof KINDS)[number];

// By the names of layers of Protomaps, OpenMapTiles, Shortbread and Mapbox Streets; what is only for names, or a relief, is not drawn.
const KIND_OF_LAYER: [RegExp, Kind | null][] = [
  [/label|_name$|^pois?$|^places?$|housenumber|address|peak|hillshade/, null],
  [/^(earth|land|landuse|landcover|park|sites)$/, "land"],
  [/^(water|ocean|water_polygons|water_lines|waterway)$/, "water"],
  [/^buildings?$/, "building"],
  [/^(roads?|tunnels?|bridges?|transportation|streets|street_polygons|aeroway|transit)$/, "road"],
];
const GREEN = /wood|forest|park|grass|meadow|scrub|heath|wetland|orchard|garden|cemetery|golf|nature_reserve/;
const WIDE = /highway|motorway|trunk|primary|major_road|runway/;

/** The kind of a layer by its name; null: it is not drawn. */
export function kindOf(layer: string): Kind | null {
  const found = KIND_OF_LAYER.find(([name]) => name.test(layer));
  return found ? found[1] : "outline";
}

/** What the schemas call a feature, in words. */
function classOf({ keys, words }: Layer, { tags }: Feature): string {
  let out = "";
  for (let i = 0; i + 1 < tags.length; i += 2) {
    if (/^(kind|class|subclass|kind_detail)$/.test(keys[tags[i]])) out += ` ${words[tags[i + 1]]}`;
  }
  return out;
}

/** A picture of a tile. Throws an Error where it is none. */
export function drawVectors(tile: Uint8Array, colours: Colours): ImageBitmap {
  const parts: Record<Kind, (() => void)[]> = { land: [], green: [], water: [], building: [], road: [], outline: [] };
  const canvas = new OffscreenCanvas(SIZE, SIZE);
  const g = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
  for (const layer of layersOf(tile)) {
    const kind = kindOf(layer.name);
    if (!kind) continue;
    for (const feature of layer.features) {
      const isGreen = kind === "land" && (layer.name === "park" || GREEN.test(classOf(layer, feature)));
      const part = isGreen ? "green" : kind;
      parts[part].push(() => drawFeature(g, layer, feature, part, colours));
    }
  }
  for (const kind of KINDS) for (const draw of parts[kind]) draw();
  return canvas.transferToImageBitmap();
}

function drawFeature(g: OffscreenCanvasRenderingContext2D, layer: Layer, feature: Feature, kind: Kind, colours: Colours): void {
  const scale = SIZE / layer.extent;
  const path = new Path2D();
  g.strokeStyle = colours["map-line"];
  g.lineWidth = 1;
  if (feature.type === POINT) {
    if (kind !== "outline") return; // a place for a name
    trace(feature.geometry, scale, { moveTo: (x, y) => path.rect(x - 2, y - 2, 4, 4), lineTo: () => {}, closePath: () => {} });
    g.stroke(path);
    return;
  }
  if (feature.type !== LINE && feature.type !== POLYGON) return;
  trace(feature.geometry, scale, path);
  if (kind === "road" && WIDE.test(classOf(layer, feature))) g.lineWidth = 3;
  if (kind === "water") g.strokeStyle = colours["map-water"];
  if (feature.type === POLYGON && kind !== "road" && kind !== "outline") {
    g.fillStyle = colours[`map-${kind}`];
    g.fill(path, "evenodd");
    if (kind !== "building") return;
  }
  g.stroke(path);
}
