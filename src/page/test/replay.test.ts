import assert from "node:assert/strict";
import { test } from "vitest";

import { isStale } from "../source/ages.ts";
import { Heard } from "../source/heard.ts";
import type { PastPicture } from "../source/messages.ts";
import { advanced, replayText } from "../source/replay.ts";
import { levelsOf, noThreatsText } from "../source/rows.ts";
import { aFrame, aThreat, aTrack } from "./heard_data.ts";

function aPicture(changes: Partial<PastPicture> = {}): PastPicture {
  return { t_s: 100.4, stamp_s: 100, age_s: 0.4, tracks: [aTrack(1)], threats: [aThreat(1, { level: "HIGH" })], trail_stamps_s: [], trails: {}, ...changes };
}

function past(): Heard {
  const heard = new Heard();
  heard.connection = "replay";
  return heard;
}

test("time goes on at a speed, and not into the future", () => {
  assert.deepEqual([advanced(100, 2, 0.5, 1000), advanced(100, 2, 60, 1000), advanced(990, 2, 60, 1000)], [101, 220, 1000]);
});

test("a page that shows the past says so, and where nothing is on record", () => {
  assert.match(replayText(0, 0.4, true), /^REPLAY .*: this is not live$/);
  assert.match(replayText(0, null, true), /nothing is on record/);
  assert.match(replayText(0, null, false), /asking the history/);
});

test("a picture of the past does not grow old while it is looked at; one before a gap is old", () => {
  const heard = past();
  heard.takePast(aPicture(), 1000);
  assert.equal(isStale(heard, heard.tracks, 90000), false);
  assert.equal(levelsOf(heard, 90000).get(1), "HIGH");
  heard.takePast(aPicture({ age_s: 8 }), 1000);
  assert.equal(isStale(heard, heard.tracks, 1000), true);
});

test("where nothing is on record nothing is shown", () => {
  const heard = past();
  heard.takePast(aPicture(), 1000);
  heard.takePast(aPicture({ stamp_s: null, age_s: null, tracks: [], threats: [] }), 1000);
  assert.deepEqual([heard.tracks, heard.threats, heard.trails.size], [null, null, 0]);
  assert.equal(noThreatsText(heard, 1000), "Nothing is on record of this time.");
});

test("trails grow while the past goes on, and begin anew where it jumps", () => {
  const heard = past();
  const trails = { trail_stamps_s: [98, 99, 100], trails: { 1: [[5, 5], null, [10, 5]] as [number, number][] } };
  heard.takePast(aPicture(trails), 1000);
  assert.deepEqual(heard.trails.get(1), [[5, 5, 98], [10, 5, 100]]);
  heard.takePast(aPicture({ stamp_s: 101, tracks: [aTrack(1, { position_m: { x: 12, y: 5, z: 0 } })] }), 1000);
  assert.deepEqual(heard.trails.get(1).at(-1), [12, 5, 101]);
  heard.takePast(aPicture({ ...trails, stamp_s: 100 }), 1000);
  assert.deepEqual(heard.trails.get(1), [[5, 5, 98], [10, 5, 100]]);
});

test("what history has goes before what was heard, once", () => {
  const heard = new Heard();
  heard.take(aFrame(1, { stamp_s: 100, tracks: [aTrack(1)] }), 0);
  heard.addTrails(aPicture({ trail_stamps_s: [98, 99, 100], trails: { 1: [[1, 1], [2, 2], [3, 3]], 2: [[9, 9], null, null] } }));
  assert.deepEqual(heard.trails.get(1).map(([, , stamp]) => stamp), [98, 99, 100]);
  heard.take(aFrame(2, { stamp_s: 101, tracks: [aTrack(1)] }), 0);
  assert.deepEqual([...heard.trails.keys()], [1]); // 2 is not in the picture
});
