import assert from "node:assert/strict";
import { test } from "vitest";

import { Heard, placesOf } from "../source/heard.ts";
import { MOST_NAMES, namesOf } from "../source/labels.ts";
import { glowsOf, sensorOf, shifted, strobeEnd } from "../source/marks.ts";
import { Pixels, pixelOf, spriteOf } from "../source/pixels.ts";
import { Spots } from "../source/spots.ts";
import { frameOf, metresOf, platformAt, spotOf, type View } from "../source/view.ts";
import { cellOf, CELLS, PLOT_CELL } from "../source/atlas.ts";
import { CLASSES, LEVELS, type Track } from "../source/messages.ts";
import { aFrame, aTrack } from "./heard_data.ts";

const CAMERA = { east: 100, north: -50, range: null, follow: false, courseUp: false };

function aView(changes: Partial<View> = {}): View {
  return {
    camera: CAMERA, up: 0, tracks: [], glows: [], sensor: null, sensors: new Map(), signals: [], areas: [], alarmed: new Set(),
    levels: new Map(), trails: new Map(), platform: null, sigma: null, stale: false, detectionsStale: false, showDetections: true,
    showTrails: true, selected: null, symbols: "level", overlays: [], ...changes,
  };
}

const rounded = (pair: readonly number[]) => pair.map((value) => Math.round(value * 1e6) / 1e6 + 0);

test("north is up, or any other bearing", () => {
  const frame = frameOf(CAMERA, 1000, 452, 352); // a radius of 150
  assert.deepEqual(rounded(frame.at(100, -50)), [226, 176]);
  assert.deepEqual(rounded(frame.at(100, 950)), [226, 26]);
  assert.deepEqual(rounded(frame.at(1100, -50)), [376, 176]);
  const turned = frameOf(CAMERA, 1000, 452, 352, Math.PI / 2); // east is up, north on the left
  assert.deepEqual(rounded(turned.at(1100, -50)), [226, 26]);
  assert.deepEqual(rounded(turned.at(100, 950)), [76, 176]);
});

test("what is under the pointer is found on the map, whatever is up", () => {
  for (const up of [0, 1, -2.5]) {
    const frame = frameOf(CAMERA, 1234, 452, 352, up);
    const { east, north } = spotOf(frame, ...frame.at(777, -321));
    assert.deepEqual(rounded([east, north]), [777, -321]);
    const [right, upwards] = metresOf(frame, 150, 0); // a radius to the right: 90 degrees from what is up
    assert.deepEqual(rounded([right, upwards]), rounded([1234 * Math.cos(up), -1234 * Math.sin(up)]));
  }
});

test("where the platform was is known to a second", () => {
  const ways = [[0, 0, 10], [5, 1, 11], [10, 2, 12], [50, 9, 30]] as const;
  assert.deepEqual([platformAt(ways, 11.4), platformAt(ways, 9.5), platformAt(ways, 29)], [ways[1], ways[0], ways[3]]);
  assert.deepEqual([platformAt(ways, 20), platformAt(ways, 8), platformAt([], 8)], [null, null, null]);
});

test("a trail relative to a ship that sails with the track stays where it is", () => {
  const heard = new Heard();
  for (let n = 0; n < 5; n += 1) {
    const sensor = { x_m: 10 * n, y_m: 0, heading_deg: 90 };
    heard.take(aFrame(n, { stamp_s: 100 + n, sensor, tracks: [aTrack(1, { position_m: { x: 300 + 10 * n, y: 40, z: 0 } })] }), n);
  }
  const view = aView({ platform: heard.platform, sensor: { x_m: 40, y_m: 0, heading_deg: 90 } });
  const trail = heard.trails.get(1) ?? [];
  assert.deepEqual(trail.map((point) => shifted(point, view)), Array(5).fill([340, 40]));
  assert.deepEqual(trail.map((point) => shifted(point, aView())?.[0]), [300, 310, 320, 330, 340]);
  assert.equal(shifted([300, 40, 50], view), null); // where the ship was then nobody here has heard
});

test("of several radars the first by name is what relative trails and the course are of", () => {
  const heard = new Heard();
  const places = { left: { x_m: -3, y_m: 0, heading_deg: 270 }, front: { x_m: 3, y_m: 0, heading_deg: 0 } };
  for (let n = 1; n < 9; n += 1) {
    const sensor_id = n % 2 ? "left" : "front";
    heard.take(aFrame(n, { stamp_s: 100 + n, sensor_id, sensor: places[sensor_id] }), n);
    heard.take(aFrame(n, { stamp_s: 100 + n, sensor_id, detections: null, sensor: { x_m: 99, y_m: 0, heading_deg: 0 } }), n);
  }
  assert.deepEqual(heard.sensor, places.front);
  assert.deepEqual(heard.platform, [2, 4, 6, 8].map((n) => [3, 0, 100 + n]));
  assert.deepEqual(Object.fromEntries(heard.sensors), places);
});

test("strobes of two radars go from where each stands through the jammer", () => {
  const sensors = new Map([["front", { x_m: 3, y_m: 0, heading_deg: 0 }], ["left", { x_m: -400, y_m: 70, heading_deg: 270 }]]);
  const [east, north] = [-1000, 2000];
  for (const [sensor_id, { x_m: x, y_m: y, heading_deg: heading }] of sensors) {
    const compass = (Math.atan2(east - x, north - y) * 180) / Math.PI;
    const signal = { id: 1, sensor_id, kind: "NOISE_JAMMING", azimuth_deg: heading - compass, azimuth_sigma_deg: 1, power_db: 9, evidence: "" };
    const sensor = sensorOf(signal, sensors);
    assert.ok(sensor);
    const [endEast, endNorth] = strobeEnd(sensor, signal.azimuth_deg, Math.hypot(east - x, north - y));
    assert.ok(Math.hypot(endEast - east, endNorth - north) < 1e-9);
  }
  const strange = { id: 2, sensor_id: "mast", kind: "NOISE_JAMMING", azimuth_deg: 5, azimuth_sigma_deg: 1, power_db: 9, evidence: "" };
  assert.equal(sensorOf(strange, sensors), null); // where it is heard nobody knows
  assert.equal(sensorOf(strange, new Map([["front", sensors.get("front")!]])), sensors.get("front"));
  assert.equal(sensorOf(strange, new Map()), null);
});

function spotsOf({ tracks, levels, symbols }: View): Spots {
  const spots = new Spots();
  spots.take(tracks, levels, symbols);
  return spots;
}

test("threatening tracks are drawn above the others, and a place that is not known is not drawn", () => {
  const tracks = [aTrack(1), aTrack(2), aTrack(3), aTrack(4), aTrack(5, { position_m: { x: null, y: 1, z: 1 } })];
  const spots = spotsOf(aView({ tracks, levels: new Map([[1, "CRITICAL"], [2, "MEDIUM"], [3, "LOW"]]) }));
  assert.deepEqual(spots.tracks.map(({ track_id: id }) => id), [4, 3, 2, 1]);
  assert.deepEqual([...spots.east.subarray(0, spots.count)], [40, 30, 20, 10]);
  assert.deepEqual([...spots.levels.subarray(0, spots.count)].map((level) => LEVELS[level]), ["NONE", "LOW", "MEDIUM", "CRITICAL"]);
  spots.take(tracks.slice(0, 1), new Map(), "level"); // the next picture has fewer
  assert.deepEqual([spots.count, spots.tracks.length, spots.levels[0]], [1, 1, LEVELS.indexOf("NONE")]);
});

test("each class, level and status has an APP-6 symbol of its own, within the atlas; a tentative track is drawn as without them", () => {
  const kinds = [...CLASSES, "BALLOON"]; // one that this page does not know is an unknown one
  const tracks = ["CONFIRMED", "COASTING", "TENTATIVE"].flatMap((status) => kinds.map((kind) => ({ status, class: kind })))
    .map((changes, i) => aTrack(i + 1, changes as Partial<Track>));
  const seen = new Set<number>();
  for (const level of LEVELS) {
    const { tracks: drawn, cells } = spotsOf(aView({ tracks, levels: new Map(tracks.map((track) => [track.track_id, level])), symbols: "app6" }));
    const cellOfKind = (status: string, kind: string) => cells[drawn.findIndex((track) => track.status === status && track.class === kind)];
    for (const status of ["CONFIRMED", "COASTING"]) {
      for (const kind of CLASSES) seen.add(cellOfKind(status, kind));
      assert.equal(cellOfKind(status, "BALLOON"), cellOfKind(status, "UNKNOWN"));
    }
    assert.ok(cells.every((cell) => cell < CELLS));
    assert.equal(cellOfKind("TENTATIVE", "DRONE"), cellOf(2, LEVELS.indexOf(level)));
  }
  assert.equal(seen.size, 2 * LEVELS.length * CLASSES.length);
  assert.ok(!seen.has(PLOT_CELL));
});

test("a tentative track has no leader, nor one whose speed is not known", () => {
  const tracks = [aTrack(1), aTrack(2, { status: "TENTATIVE" }), aTrack(3, { velocity_vector_mps: { x: null, y: null } })];
  const { velocityEast, velocityNorth } = spotsOf(aView({ tracks }));
  assert.deepEqual([0, 1, 2].map((i) => Number.isNaN(velocityEast[i] + velocityNorth[i])), [false, true, true]);
});

test("a plot is where the sensor saw it: anticlockwise from its heading", () => {
  const items = [{ range_m: 100, azimuth_deg: 90, elevation_deg: 60 }];
  const places = placesOf(items, { x_m: 5, y_m: 7, heading_deg: 90 });
  assert.deepEqual(rounded([...places]), [5, 57]); // it looks east, so its left is north; 60 degrees up, half as far on the ground
  const glows = [{ items, places, share: 0 }];
  assert.deepEqual(glowsOf(aView({ glows })), glows);
  assert.deepEqual(glowsOf(aView({ glows, detectionsStale: true })), []);
});

test("of thousands of tracks the threatening ones are named first, and no more than can be read", () => {
  const tracks = Array.from({ length: 4000 }, (_, i) => aTrack(i + 1, { position_m: { x: (i % 63) * 30 - 900, y: Math.floor(i / 63) * 30 - 900, z: 0 } }));
  const frame = frameOf({ east: 0, north: 0 }, 1000, 1000, 1000);
  const view = aView({ tracks, levels: new Map([[2000, "CRITICAL"], [1990, "HIGH"]]), selected: 2030 });
  const names = namesOf(view, spotsOf(view), frame);
  assert.deepEqual(names.slice(0, 3).map(({ track }) => track.track_id), [2030, 2000, 1990]);
  assert.ok(names.length <= MOST_NAMES && names.length > 50);
  const outside = aView({ tracks: [aTrack(1, { position_m: { x: 5000, y: 0, z: 0 } })] });
  assert.equal(namesOf(outside, spotsOf(outside), frame).length, 0);
});

test("among other words what threatens and what is chosen is named, and nothing else", () => {
  const tracks = [1, 2, 3, 4].map((id) => aTrack(id, { position_m: { x: 5 * id, y: 0, z: 0 } }));
  const frame = frameOf({ east: 0, north: 0 }, 1000, 1000, 1000);
  const view = aView({ tracks, levels: new Map([[1, "MEDIUM"], [2, "LOW"], [3, "CRITICAL"]]), selected: 4 });
  const names = namesOf(view, spotsOf(view), frame, [{ x: 0, y: 0, width: 1000, height: 1000 }]);
  assert.deepEqual(names.map(({ track }) => track.track_id), [4, 3, 1]);
});

test("pixels by hand: lines go from end to end, and what is outside is left out", () => {
  const lit = (draw: (pixels: Pixels) => void) => {
    const pixels = new Pixels(8, 5);
    draw(pixels);
    assert.equal(pixels.data.length, 40);
    return Array.from({ length: 5 }, (_, y) => [...pixels.data.subarray(8 * y, 8 * y + 8)].map((value) => (value ? "#" : ".")).join(""));
  };
  assert.deepEqual(lit((p) => p.line(1.2, 1.5, 5.9, 1.5, 1)), ["........", ".#####..", "........", "........", "........"]);
  assert.deepEqual(lit((p) => p.line(6, 4, 2, 0, 1)), ["..#.....", "...#....", "....#...", ".....#..", "......#."]);
  assert.deepEqual(lit((p) => p.line(-100, 2, 100, 2, 1)), ["........", "........", "########", "........", "........"]);
  for (const outside of [[-5, -5, -1, 9], [9, 0, 9, 4], [0, 7, 8, 6], [NaN, 1, 2, 2]] as const) {
    assert.equal(lit((p) => p.line(...outside, 1)).join("").includes("#"), false);
  }
  const ring = spriteOf(Uint32Array.of(1, 1, 1, 1, 0, 1, 1, 1, 1), 3, 8);
  assert.deepEqual(lit((p) => p.put(ring, 2.5, 2.5)), ["........", ".###....", ".#.#....", ".###....", "........"]);
  assert.equal(lit((p) => p.put(ring, 0, 0)).join("").includes("#"), false);
  assert.deepEqual([...new Uint8Array(Uint32Array.of(pixelOf("#102030", 0.2)).buffer)], [0x10, 0x20, 0x30, 51]);
});
