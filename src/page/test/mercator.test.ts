import { expect, test } from "vitest";
import { cornerOf, earthAt, placesAround, tilesAround, zoomFor, type Tile } from "../source/mercator.ts";

const SITE = { latitude: 63.43, longitude: 10.39 };

test("places of the Earth lie where PROJ has them, 20 km from the site", () => {
  const [east, north] = placesAround(SITE)({ latitude: 63.6, longitude: 10.6 });
  // cs2cs +proj=topocentric +ellps=WGS84 +lat_0=63.43 +lon_0=10.39 +h_0=0
  expect(east).toBeCloseTo(10422.281, 1);
  expect(north).toBeCloseTo(18966.919, 1);
  const back = earthAt(SITE, east, north);
  expect([back.latitude, back.longitude].map((value) => value.toFixed(6))).toEqual(["63.600000", "10.600000"]);
});

test("a tile begins at its corner, and those around a place hold it", () => {
  expect(cornerOf({ z: 1, x: 1, y: 1 })).toEqual({ longitude: 0, latitude: 0 });
  expect(cornerOf({ z: 0, x: 0, y: 0 }).latitude).toBeCloseTo(85.0511, 4);
  const tiles = tilesAround(SITE, 3000, 12, 0, 48);
  const holds = ({ z, x, y }: Tile) => {
    const [nw, se] = [cornerOf({ z, x, y }), cornerOf({ z, x: x + 1, y: y + 1 })];
    return nw.longitude <= SITE.longitude && SITE.longitude < se.longitude && se.latitude < SITE.latitude && SITE.latitude <= nw.latitude;
  };
  expect(tiles.filter(holds)).toHaveLength(1);
  expect(tilesAround(SITE, 300_000, 12, 0, 48).length).toBeLessThanOrEqual(48); // coarser, not a part of them
  const nearest = tilesAround(SITE, 300_000, 12, 12, 48); // there is nothing coarser
  expect(nearest).toHaveLength(48);
  expect(holds(nearest[0])).toBe(true);
  for (const side of ["x", "y"] as const) { // 48 squares are a disc of radius 3.9
    const places = nearest.map((tile) => tile[side]);
    expect(Math.max(...places) - Math.min(...places)).toBeLessThanOrEqual(8);
  }
});

test("the zoom is as fine as the canvas", () => {
  expect(zoomFor(1 / 156543, 0)).toBe(0);
  expect(zoomFor(0.4, 60) - zoomFor(0.1, 60)).toBe(2);
});
