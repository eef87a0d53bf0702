import { expect, test } from "vitest";
import { kindOf, layersOf, trace } from "../source/vector_tile.ts";

/** A field of a message: a number, or bytes with their length. */
const field = (tag: number, value: number | number[]): number[] =>
  typeof value === "number" ? [tag << 3, value] : [(tag << 3) | 2, value.length, ...value];
const text = (words: string) => [...new TextEncoder().encode(words)];

/** The example of the specification with two polygons, the second of them with a hole (MVT 2.1, 4.3.5.6), and its corners. */
const POLYGONS = [9, 0, 0, 26, 20, 0, 0, 20, 19, 0, 15, 9, 22, 2, 26, 18, 0, 0, 18, 17, 0, 15, 9, 4, 13, 26, 0, 8, 8, 0, 0, 7, 15];
const CORNERS = [
  [[0, 0], [10, 0], [10, 10], [0, 10]], [[11, 11], [20, 11], [20, 20], [11, 20]], [[13, 13], [13, 17], [17, 17], [17, 13]],
];

const FEATURE = [...field(1, 7), ...field(2, [0, 0]), ...field(3, 3), ...field(4, POLYGONS)];
const LAYER = [ // what a feature names comes after it, as it may
  ...field(2, FEATURE), ...field(15, 2), ...field(1, text("landcover")), ...field(3, text("class")), ...field(4, field(1, text("wood"))),
  ...field(4, field(5, 9)), ...field(5, 64),
];
const TILE = field(3, LAYER);

function cornersOf(geometry: number[], scale = 1): { rings: number[][][]; closed: number } {
  const rings: number[][][] = [];
  let closed = 0;
  trace(geometry, scale, {
    moveTo: (x, y) => void rings.push([[x, y]]),
    lineTo: (x, y) => void rings[rings.length - 1].push([x, y]),
    closePath: () => void (closed += 1),
  });
  return { rings, closed };
}

test("the layers of a tile are read, and their geometry is that of the specification", () => {
  expect(layersOf(new Uint8Array(TILE))).toEqual([{
    name: "landcover", extent: 64, keys: ["class"], words: ["wood", ""], features: [{ type: 3, tags: [0, 0], geometry: POLYGONS }],
  }]);
  expect(cornersOf(POLYGONS)).toEqual({ rings: CORNERS, closed: 3 });
  expect(cornersOf([17, 10, 14, 3, 9], 2).rings).toEqual([[[10, 14]], [[6, 4]]]); // 4.3.5.3: two points
});

test("a broken tile is an error at once, whatever it says to hold", () => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
  const read = (bytes: number[]) => layersOf(new Uint8Array(bytes)).forEach(({ features }) => features.forEach((one) => cornersOf(one.geometry)));
  for (let length = 1; length < TILE.length; length += 1) expect(() => read(TILE.slice(0, length)), String(length)).toThrow();
  expect(() => read([0x1a, ...huge, ...LAYER])).toThrow();
  expect(() => cornersOf([9, 0, 0, 0x7ffffffa])).toThrow("breaks off"); // 2^28 lines
  expect(cornersOf([9, 0, 0, 0x7fffffff]).closed).toBe(1); // closed 2^28 times
  expect(() => cornersOf([3])).toThrow("unknown command 3");
});

test("what a layer holds is told by its name in the usual schemas", () => {
  const kinds = Object.entries({
    land: ["earth", "landuse", "landcover", "park"], water: ["water", "ocean", "waterway"], building: ["buildings", "building"],
    road: ["roads", "transportation", "streets"], outline: ["boundaries", "boundary", "wrecks"],
  });
  for (const [kind, layers] of kinds) expect(layers.map(kindOf)).toEqual(layers.map(() => kind));
  expect(["places", "pois", "place", "poi", "water_name", "transportation_name", "housenumber", "street_labels"].map(kindOf)).toEqual(Array(8).fill(null));
});
