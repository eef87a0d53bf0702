import assert from "node:assert/strict";
import { test } from "vitest";

import {
  adviceReason, criticalText, levelsOf, nextOrder, noThreatsText, numberText, rowsOf, stageLines, stableOrder, threatName,
} from "../source/rows.ts";
import { durationText } from "../source/ages.ts";
import { nameBox } from "../source/areas.ts";
import { bearingText, fromHash, HOME, leaderSeconds, lengthText, roundRange, toHash, zoomed } from "../source/camera.ts";
import { Heard } from "../source/heard.ts";
import { LABEL, Labels } from "../source/labels.ts";
import { seen } from "../source/table.ts";
import { Taken, type Box } from "../source/taken.ts";
import { aFrame, aThreat, aTrack } from "./heard_data.ts";

function heardOf(tracks, threats) {
  const heard = new Heard();
  heard.connection = "live";
  heard.take(aFrame(1, { tracks }), 1000);
  if (threats) heard.take({ type: "threats", threats, age_s: 0 }, 1000);
  return heard;
}

const ids = (heard, order, now = 1000) => rowsOf(heard, order, now).map((row) => row.track_id);

test("unknown numbers are a dash", () => {
  assert.deepEqual([numberText(null, 1), numberText(0, 1), numberText(12.345, 2), numberText(-0.4, 0), numberText(-0.04, 1)], ["–", "0.0", "12.35", "0", "0.0"]);
});

test("the worst threat comes first, of equal ones that with the higher score, then the lower id", () => {
  const threats = [aThreat(3, { level: "LOW", score: 0.1 }), aThreat(2, { level: "CRITICAL" }), aThreat(4, { level: "LOW", score: 0.4 })];
  const heard = heardOf([1, 2, 3, 4, 5].map((id) => aTrack(id)), threats);
  assert.deepEqual(ids(heard, { key: "level", descending: true }), [2, 4, 3, 1, 5]);
  assert.deepEqual(ids(heard, { key: "level", descending: false }), [1, 5, 4, 3, 2]);
});

test("an assessment that is old colours no track", () => {
  const heard = heardOf([aTrack(1)], [aThreat(1, { level: "CRITICAL" })]);
  assert.equal(levelsOf(heard, 3000).get(1), "CRITICAL");
  assert.equal(levelsOf(heard, 3001).size, 0);
  assert.equal(rowsOf(heard, { key: "level", descending: true }, 3001)[0].level, "NONE");
});

test("a track below the list of threats has its level, and one that is in neither has none", () => {
  const heard = heardOf([aTrack(1), aTrack(2), aTrack(3)]);
  assert.equal(noThreatsText(heard, 1000), "No assessment has been heard yet.");
  heard.take({ type: "threats", threats: [aThreat(1, { level: "HIGH" })], age_s: 0, listed_from: "MEDIUM", unlisted: { LOW: [2] } }, 1000);
  const rows = rowsOf(heard, { key: "track_id", descending: false }, 1000);
  assert.deepEqual(rows.map((row) => row.level), ["HIGH", "LOW", "NONE"]);
  heard.take({ type: "threats", threats: [], age_s: 0, listed_from: "MEDIUM", unlisted: { LOW: [1, 2] } }, 1000);
  assert.equal(noThreatsText(heard, 1000), "2 tracks are assessed, none as MEDIUM or above.");
  heard.take({ type: "threats", threats: [], age_s: 0, listed_from: "MEDIUM", unlisted: {} }, 1000);
  assert.equal(noThreatsText(heard, 1000), "No track to assess.");
  assert.equal(noThreatsText(heard, 3001), "No new assessment: whether anything is a threat is not known.");
});

test("what is unknown goes last, whichever way", () => {
  const heard = heardOf([aTrack(1, { range_m: null }), aTrack(2, { range_m: 50 }), aTrack(3, { range_m: 70 })]);
  assert.deepEqual(ids(heard, { key: "range_m", descending: false }), [2, 3, 1]);
  assert.deepEqual(ids(heard, { key: "range_m", descending: true }), [3, 2, 1]);
});

test("heights are those of the positions", () => {
  const heard = heardOf([aTrack(1, { position_m: { x: 0, y: 0, z: 20 } }), aTrack(2, { position_m: { x: 0, y: 0, z: 10 } })]);
  assert.deepEqual(ids(heard, { key: "up_m", descending: false }), [2, 1]);
});

test("a second click on a head turns the order", () => {
  const byRange = nextOrder({ key: "level", descending: true }, "range_m");
  assert.deepEqual(byRange, { key: "range_m", descending: false });
  assert.deepEqual(nextOrder(byRange, "range_m"), { key: "range_m", descending: true });
  assert.deepEqual(nextOrder(byRange, "velocity_mps"), { key: "velocity_mps", descending: true }); // the fastest first
});

test("a threat is named with its impact, where there is one", () => {
  assert.equal(threatName(aThreat(7)), "drone 7");
  assert.equal(threatName(aThreat(7, { time_to_impact_s: 11.75 })), "drone 7, impact in 11.8 s");
  assert.equal(threatName(aThreat(7, { time_to_impact_s: 0 })), "drone 7, there now");
});

test("advice that is decided says by whom", () => {
  const advice = { id: 1, technique: "hop", rationale: "noise is up", decided_by: null };
  assert.equal(adviceReason({ ...advice, state: "PROPOSED" }), "noise is up");
  assert.equal(adviceReason({ ...advice, state: "EXPIRED" }), "expired; noise is up");
  assert.equal(adviceReason({ ...advice, state: "REJECTED", decided_by: "eve" }), "rejected by eve; noise is up");
});

test("stages say how they do, and those that are missing come out", () => {
  const row = { age_s: 0.5, rate_hz: 2, latency_p50_ms: 12.4, received: 9, published: 8, dropped: 1, errors: 0 };
  const title = "received 9, published 8, dropped 1, errors 0";
  const stages = {
    detection: row, tracking: { ...row, errors: 1 }, threat: { ...row, age_s: 3.1 }, bridge: { ...row, rate_hz: null, latency_p50_ms: null },
    silent: row,
  };
  const status = { stages, missing_stages: ["silent", "ew"], scans_lost: 0, ew: { signals: null, advice_waiting: null }, alerts: [] };
  assert.deepEqual(stageLines(status), [
    { text: "detection 2.0 Hz 12 ms", className: "", title },
    { text: "tracking 2.0 Hz 12 ms", className: "troubled", title: title.replace("errors 0", "errors 1") },
    { text: "threat missing", className: "missing", title },
    { text: "bridge", className: "", title },
    { text: "silent missing", className: "missing", title },
    { text: "ew missing", className: "missing", title: "" },
  ]);
  assert.deepEqual(stageLines(null), []);
  const played = { stages: { threat: { ...row, latency_p50_ms: 96058555492 } }, missing_stages: [] };
  const resting = { stages: { ew: { ...row, detail: { lifecycle: "inactive" } } }, missing_stages: ["ew"] };
  assert.deepEqual(stageLines(resting as never), [{ text: "ew inactive", className: "missing", title }]);
  const losing = { stages: { detection: { ...row, detail: { trouble: "3 point not finite" } } }, missing_stages: [] };
  assert.deepEqual(stageLines(losing as never), [{ text: "detection 2.0 Hz 12 ms: 3 point not finite", className: "troubled", title }]);
  assert.equal(stageLines(played as never)[0].text, `threat 2.0 Hz ${durationText(96058555.492)}`);
});

test("the scope's edge is at a round range", () => {
  const edges = [[54, 60], [99.95, 100], [101, 200], [650, 800], [1080, 2000]];
  for (const [distance, edge] of edges) assert.equal(roundRange(distance), edge);
  assert.deepEqual([lengthText(250), lengthText(12.5), lengthText(1250)], ["250 m", "12.5 m", "1.25 km"]);
});

test("the table can be filtered by id and by the beginning of class, level and status", () => {
  const heard = heardOf([aTrack(1), aTrack(12, { class: "BIRD" }), aTrack(3, { status: "COASTING" })], [aThreat(1, { level: "HIGH" })]);
  const wanted = (filter) => rowsOf(heard, { key: "track_id", descending: false }, 1000, filter).map((row) => row.track_id);
  assert.deepEqual([wanted(""), wanted("1"), wanted("dro"), wanted("Drone coast"), wanted("high"), wanted("none")],
    [[1, 3, 12], [1], [1, 3], [3], [1], []]);
});

test("while somebody points at the list of threats no row moves, and what is new comes below", () => {
  assert.deepEqual(stableOrder([1, 2, 9], [3, 1, 2], false), [3, 1, 2]);
  assert.deepEqual(stableOrder([1, 2, 9], [3, 1, 2], true), [1, 2, 9, 3]);
});

test("a critical threat that nobody has seen is said in words, an old one is not", () => {
  const heard = heardOf([aTrack(1)], [aThreat(1, { level: "CRITICAL" }), aThreat(2, { level: "CRITICAL" }), aThreat(3, { level: "HIGH" })]);
  assert.equal(criticalText(heard, 1000), "CRITICAL: drone 1, and 1 more");
  assert.equal(criticalText(heard, 3001), "");
  const known = heardOf([aTrack(1)], [aThreat(1, { level: "CRITICAL", acknowledged_by: "eve" })]);
  assert.equal(criticalText(known, 1000), "");
});

test("only the rows that are seen are in the table", () => {
  assert.deepEqual(seen(0, 240, 5000), [0, 18]);
  assert.deepEqual(seen(24000, 240, 5000), [992, 1018]);
  assert.deepEqual(seen(24000, 240, 3), [2, 3]); // the filter has left few, before the list has scrolled back
  assert.deepEqual(seen(0, 240, 0), [0, 0]);
});

test("zooming keeps what is under the pointer in its place", () => {
  const before = { east: 100, north: -50, range: 1000, follow: false, courseUp: false };
  const after = zoomed(before, 1000, 0.5, 600, 250);
  assert.equal(after.range, 500);
  assert.equal((600 - before.east) / 1000, (600 - after.east) / 500);
  assert.equal((250 - before.north) / 1000, (250 - after.north) / 500);
  assert.equal(zoomed(before, 30, 0.1, 0, 0).range, 20);
});

test("the view survives as the end of an address", () => {
  const camera = { east: 120, north: -3400, range: 5000, follow: true, courseUp: true };
  assert.deepEqual(fromHash(`#${toHash(camera, 7)}`), { camera, selected: 7, time: null });
  assert.deepEqual(fromHash(`#${toHash(camera, null, 1790000000.25)}`), { camera, selected: null, time: 1790000000.3 });
  assert.equal(toHash(HOME, null), "");
  for (const odd of ["", "#", "#at=x,y&range=-5&track=0", "#at=1&range=1e99&track=1.5&t=now"]) {
    assert.deepEqual(fromHash(odd), { camera: HOME, selected: null, time: null });
  }
});

test("leaders are as long as fits the scale", () => {
  assert.deepEqual([leaderSeconds(20, 1000), leaderSeconds(250, 10000), leaderSeconds(1.4, 100), leaderSeconds(0, 1000)], [5, 5, 10, 600]);
});

test("a measured line says bearing and distance", () => {
  assert.deepEqual([bearingText(0, 1000), bearingText(-100, 0), bearingText(3, -3)], ["000° 1 km", "270° 100 m", "135° 4.2 m"]);
});

test("names do not lie on one another, and take the other side before they are left out", () => {
  const labels = new Labels();
  const boxes = Array.from({ length: 12 }, () => labels.place(100, 100)).filter((box) => box !== null);
  assert.equal(boxes.length, 4);
  for (const a of boxes) {
    for (const b of boxes) assert.ok(a === b || Math.abs(a.x - b.x) >= LABEL.width || Math.abs(a.y - b.y) >= LABEL.height - 1);
  }
});

/** By definition: whether two boxes share a point of their insides. */
const overlap = (a: Box, b: Box) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

test("what is taken is told as by comparing with all", () => {
  let seed = 7;
  const random = (most: number) => ((seed = (seed * 48271) % 2147483647) / 2147483647) * most; // Park and Miller's
  const [taken, boxes] = [new Taken(), [] as Box[]];
  for (let k = 0; k < 2000; k += 1) {
    const box = { x: random(1500) - 300, y: random(900) - 100, width: random(250), height: random(40) };
    assert.equal(taken.isFree(box), !boxes.some((other) => overlap(box, other)));
    if (k % 10 === 0) {
      taken.add(box);
      boxes.push(box);
    }
  }
});

test("a name avoids other words always, and symbols where it can", () => {
  const above = { x: 105, y: 87, width: 70, height: 25 };
  const right = { x: 105, y: 112, width: 70, height: 25 };
  const left = { x: 0, y: 80, width: 90, height: 60 };
  assert.equal(new Labels(9, [above]).place(100, 100)?.y, 112);
  assert.equal(new Labels(9, [], [above]).place(100, 100)?.y, 112);
  assert.deepEqual(new Labels(9, [above], [right, left]).place(100, 100), { x: 109, y: 112, ...LABEL });
  assert.equal(new Labels(9, [above, right, left]).place(100, 100), null);
});

test("the name of what threatens is never left out: farther off, or over other words", () => {
  const [above, left] = [{ x: 105, y: 87, width: 70, height: 50 }, { x: 0, y: 80, width: 90, height: 60 }];
  assert.deepEqual(new Labels(9, [above, left]).place(100, 100, true), { x: 109, y: 62, ...LABEL });
  assert.deepEqual(new Labels(9, [{ x: 0, y: 0, width: 300, height: 300 }]).place(100, 100, true), { x: 109, y: 87, ...LABEL });
});

test("the names of areas go above, below or beside them, and none is left out", () => {
  const area = { x: 100, y: 100, width: 40, height: 40 };
  const [taken, boxes] = [new Taken(), [] as Box[]];
  for (let k = 0; k < 4; k += 1) {
    const box = nameBox(area, 80, taken);
    assert.ok(!boxes.some((other) => overlap(box, other)) && !overlap(box, area));
    taken.add(box);
    boxes.push(box);
  }
  assert.deepEqual(nameBox(area, 80, taken), boxes[0]);
});
