// From Web Mercator tiles to `map`: the plane that touches the Earth at the site (WGS 84). Nothing here knows of the document.

const RADIANS = Math.PI / 180;
const AXIS_M = 6378137;
const FLATTENING = 1 / 298.257223563;
const ECCENTRICITY2 = FLATTENING * (2 - FLATTENING);
const PIXEL_M = 156543.034; // of a tile of 256 pixels at zoom 0, on the equator
const METRES_A_DEGREE = 111320;

export interface Geo {
  latitude: number; // [deg]
  longitude: number;
}

export interface Tile {
  z: number;
  x: number;
  y: number;
}

type Vector = [number, number, number];

function onEarth({ latitude, longitude }: Geo): Vector {
  const [sin, cos] = [Math.sin(latitude * RADIANS), Math.cos(latitude * RADIANS)];
  const n = AXIS_M / Math.sqrt(1 - ECCENTRICITY2 * sin * sin);
  return [n * cos * Math.cos(longitude * RADIANS), n * cos * Math.sin(longitude * RADIANS), n * (1 - ECCENTRICITY2) * sin];
}

/** Where on the map places of the Earth are [m], on the ellipsoid. */
export function placesAround(site: Geo): (at: Geo) => [east: number, north: number] {
  const origin = onEarth(site);
  const [sinLat, cosLat] = [Math.sin(site.latitude * RADIANS), Math.cos(site.latitude * RADIANS)];
  const [sinLon, cosLon] = [Math.sin(site.longitude * RADIANS), Math.cos(site.longitude * RADIANS)];
  return (at) => {
    const [dx, dy, dz] = onEarth(at).map((value, k) => value - origin[k]) as Vector;
    return [-sinLon * dx + cosLon * dy, -sinLat * cosLon * dx - sinLat * sinLon * dy + cosLat * dz];
  };
}

/** The place of the Earth under a place of the map. */
export function earthAt(site: Geo, east: number, north: number): Geo {
  const placeOf = placesAround(site);
  const at = { ...site };
  for (let step = 0; step < 6; step += 1) {
    const [e, n] = placeOf(at);
    at.latitude += (north - n) / METRES_A_DEGREE;
    at.longitude += (east - e) / (METRES_A_DEGREE * Math.cos(at.latitude * RADIANS));
  }
  return at;
}

/** The corner of a tile to the north-west. */
export function cornerOf({ z, x, y }: Tile): Geo {
  const n = 2 ** z;
  return { longitude: (x / n) * 360 - 180, latitude: Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / n))) / RADIANS };
}

/** The tile that a place is in, in fractions. */
function tileAt({ latitude, longitude }: Geo, z: number): [x: number, y: number] {
  const n = 2 ** z;
  const y = (1 - Math.asinh(Math.tan(latitude * RADIANS)) / Math.PI) / 2;
  return [((longitude + 180) / 360) * n, y * n];
}

/** The zoom whose pixels are about those of the canvas [pixels a metre]. */
export function zoomFor(scale: number, latitude: number): number {
  return Math.ceil(Math.log2(PIXEL_M * Math.cos(latitude * RADIANS) * scale) - 0.3) + 0;
}

/**
 * The tiles within a distance of a place [m], at a zoom, or at a lesser one so that they are no more than so many. Where there is no
 * lesser one, those nearest to the place.
 */
export function tilesAround(middle: Geo, rangeM: number, zoom: number, least: number, most: number): Tile[] {
  const up = rangeM / METRES_A_DEGREE;
  const right = up / Math.cos(middle.latitude * RADIANS);
  for (let z = zoom; ; z -= 1) {
    const last = 2 ** z - 1;
    const [west, top] = tileAt({ latitude: middle.latitude + up, longitude: middle.longitude - right }, z).map(Math.floor);
    const [east, bottom] = tileAt({ latitude: middle.latitude - up, longitude: middle.longitude + right }, z).map(Math.floor);
    if ((east - west + 1) * (bottom - top + 1) > most && z > least) continue;
    const [middleX, middleY] = tileAt(middle, z).map((value) => value - 0.5);
    const reach = Math.ceil(Math.sqrt(most)); // beyond it none is among the nearest
    const out: Tile[] = [];
    for (let y = Math.max(0, top, Math.floor(middleY) - reach); y <= Math.min(last, bottom, middleY + reach); y += 1) {
      for (let x = Math.max(west, Math.floor(middleX) - reach); x <= Math.min(east, middleX + reach); x += 1) out.push({ z, x, y });
    }
    const far = ({ x, y }: Tile) => Math.hypot(x - middleX, y - middleY);
    const nearest = out.sort((a, b) => far(a) - far(b)).slice(0, most);
    return nearest.map(({ x, y }) => ({ z, x: ((x % (last + 1)) + last + 1) % (last + 1), y }));
  }
}
