import assert from "node:assert/strict";
import { test } from "vitest";

import {
  ageS, durationText, freshStatus, isOld, isStale, meanIntervalMs, newestOf, noticeText, pictureState, restText, silentMs, staleAfterMs,
} from "../source/ages.ts";
import { Heard } from "../source/heard.ts";
import type { Status } from "../source/messages.ts";
import { aFrame, aTrack } from "./heard_data.ts";

/** Frames every 500 ms from 0 on, the last one at `until`. */
function heardUntil(until, parts) {
  const heard = new Heard();
  heard.connection = "live";
  for (let at = 0, n = 1; at <= until; at += 500, n += 1) heard.take(aFrame(n, parts), at);
  return heard;
}

test("an interval needs two frames", () => {
  assert.equal(meanIntervalMs([]), null);
  assert.equal(meanIntervalMs([7]), null);
  assert.equal(meanIntervalMs([0, 100, 300]), 150);
});

test("a picture is stale after two seconds, or three intervals where those are longer", () => {
  assert.equal(staleAfterMs([]), 2000);
  assert.equal(staleAfterMs([0, 100]), 2000);
  assert.equal(staleAfterMs([0, 1000, 2000]), 3000);
  const heard = heardUntil(1000);
  assert.equal(isStale(heard, heard.tracks, 3000), false);
  assert.equal(isStale(heard, heard.tracks, 3001), true);
  assert.equal(isStale(heard, null, 1000), true);
  heard.connection = "disconnected";
  assert.equal(isStale(heard, heard.tracks, 1000), true);
});

test("what was measured long ago is old, however newly it came", () => {
  assert.deepEqual([9, 11].map((old) => isOld({ ageS: old, at: 1000 }, 1000)), [false, true]);
  assert.equal(isOld(null, 0), false);
});

/** Scans of a radar every `periodS`, each so old when it comes; `at` is when the last one came [ms]. */
function heardEvery(periodS, ageS, parts = {}) {
  const heard = new Heard();
  for (let n = 1; n <= 4; n += 1) heard.take(aFrame(n, { age_s: ageS, ...parts }), 1000 * periodS * n);
  return { heard, at: 4000 * periodS };
}

test("a picture that was measured some time ago is called late, with its age, and long ago stale", () => {
  const said = (ageS, periodS = 0.1, parts = {}) => {
    const { heard, at } = heardEvery(periodS, ageS, parts);
    return pictureState(heard, at).join(": ");
  };
  assert.deepEqual([1.9, 2.1, 5.5, 8.9, 9.9, 10.1].map((age) => said(age)),
    ["live: live", "late: late 2 s", "late: late 5 s", "late: late 8 s", "late: late 9 s", "stale: stale"]);
  assert.deepEqual([11, 23.9, 24.1, 35.9, 36.1].map((age) => said(age, 12)), // of a radar that turns in 12 s
    ["live: live", "live: live", "late: late 24 s", "late: late 35 s", "stale: stale"]);
  const first = new Heard(); // its first scan says how long a turn takes
  first.take(aFrame(1, { age_s: 11, turn_s: 12 }), 0);
  assert.deepEqual(pictureState(first, 0), ["live", "live"]);
  assert.deepEqual(pictureState(new Heard(), 0), ["waiting", "waiting"]);
});

test("scans with one constant stamp are late although they come", () => {
  const heard = new Heard();
  for (let n = 1; n <= 31; n += 1) heard.take(aFrame(n, { stamp_s: 100, age_s: 0.1 * n }), 100 * n);
  assert.deepEqual(pictureState(heard, 3100), ["late", "late 3 s"]);
});

test("a scan is counted once, whether its tracks come with it or late", () => {
  const heard = new Heard();
  let frame = 0;
  for (let n = 1; n <= 15; n += 1) { // 10 scans a second; tracks come one scan late
    heard.take(aFrame(frame += 1, { sequence: n, tracks: null }), 100 * n);
    if (n > 1) heard.take(aFrame(frame += 1, { sequence: n - 1, detections: null }), 100 * n + 40);
  }
  assert.equal(meanIntervalMs(heard.arrivals), 100);
  assert.equal(heard.missed, 0);
  heard.take(aFrame(frame += 1, { sequence: 1 }), 1600); // the radar's process began anew
  assert.equal(heard.arrivals.at(-1), 1500);
  for (let n = 30; n <= 60; n += 1) heard.take(aFrame(frame += 1, { sequence: n }), 100 * n);
  heard.take(aFrame(frame += 1, { sequence: 1 }), 6100);
  assert.equal(heard.arrivals.at(-1), 6100);
  for (let n = 1; n <= 20; n += 1) for (const sensor_id of ["front", "left"]) heard.take(aFrame(frame += 1, { sequence: 100 + n, sensor_id }), 1e4 + 100 * n);
  assert.equal(heard.tracks?.periodS, 0.1); // each has its own
});

test("an age goes on from what the message said", () => {
  assert.equal(ageS({ ageS: 0.5, at: 1000 }, 3000), 2.5);
  assert.equal(silentMs({ at: 1000 }, 3000), 2000);
  assert.equal(silentMs(null, 3000), Infinity);
});

test("the newest of tracks and detections counts", () => {
  const heard = new Heard();
  assert.equal(newestOf(heard), null);
  heard.take(aFrame(1, { tracks: null }), 10);
  assert.equal(newestOf(heard), heard.detections);
  heard.take(aFrame(2, { detections: null }), 20);
  assert.equal(newestOf(heard), heard.tracks);
  heard.take(aFrame(3, { tracks: null }), 30);
  assert.equal(newestOf(heard), heard.detections);
});

test("a sensor that is silent or stuck beside another that is not is said", () => {
  const heard = heardUntil(1000, { tracks: [aTrack(1)] });
  const status = { stages: {}, missing_stages: [], scans_lost: 0, ew: { signals: 0, advice_waiting: 0 }, alerts: [] };
  const said = (troubles) => {
    heard.take({ type: "system_status", ...status, troubles }, 1000);
    return noticeText(heard, 1100);
  };
  assert.deepEqual(said([]), ["", true]);
  assert.deepEqual(said([{ topic: "detections", sensor_id: "left", state: "SILENT", for_s: 3.04 }]),
    ["No data from the sensor 'left' for 3.0 s: what only it sees is not known", false]);
  assert.deepEqual(said([{ topic: "detections", sensor_id: "left", state: "STUCK", for_s: 3.04 }]),
    ["The sensor 'left' gives the same scan again and again for 3.0 s: what it sees is not known", false]);
});

test("a radar that was never heard is waited for calmly until the bridge says that it is late", () => {
  const heard = new Heard();
  heard.connection = "live";
  const status = { stages: {}, missing_stages: [], scans_lost: 0, ew: { signals: 0, advice_waiting: 0 }, alerts: [] };
  const said = (troubles) => {
    heard.take({ type: "system_status", ...status, troubles }, 1000);
    return noticeText(heard, 1100);
  };
  assert.deepEqual(said([]), ["Waiting for the radar: no data yet", true]);
  assert.deepEqual(said([{ topic: "detections", sensor_id: "", state: "SILENT", for_s: 15.04 }]),
    ["No data: the radar has not been heard for 15.0 s", false]);
});

test("durations are said in the unit that suits them", () => {
  const said = new Map([
    [-0.25, "-250 ms"], [0, "0 ms"], [0.9994, "999 ms"], [1, "1.0 s"], [119.9, "119.9 s"], [120, "2 min"], [3600, "60 min"],
    [7200, "2 h"], [172800, "2 days"],
  ]);
  for (const [seconds, text] of said) assert.equal(durationText(seconds), text);
});

test("a status of the graph is good for three seconds", () => {
  const heard = new Heard();
  assert.equal(freshStatus(heard, 0), null);
  heard.take(({ type: "system_status", stages: {} }), 1000);
  assert.equal(freshStatus(heard, 3999), heard.status);
  assert.equal(freshStatus(heard, 4000), null);
});

test("the notice says what is wrong, and whether it is as it should be", () => {
  const heard = new Heard();
  heard.connection = "connecting";
  assert.deepEqual(noticeText(heard, 0), ["Connecting…", true]);
  heard.connection = "waiting";
  assert.deepEqual(noticeText(heard, 0), ["Waiting for the radar: no data yet", true]);
  heard.connection = "disconnected";
  assert.deepEqual(noticeText(heard, 0), ["No connection to the bridge", false]);

  const tracked = heardUntil(1000, { tracks: [aTrack(1)] });
  assert.deepEqual(noticeText(tracked, 1500), ["", true]);
  assert.deepEqual(noticeText(tracked, 6000), ["No new data for 5.0 s; the last picture is shown dimmed", false]);
  tracked.connection = "disconnected";
  assert.deepEqual(noticeText(tracked, 1500), ["No connection to the bridge; the last picture is shown dimmed", false]);

  const detected = heardUntil(1000, { tracks: null });
  assert.deepEqual(noticeText(detected, 1500), ["Detections only: nothing has been heard from tracking", false]);

  const lost = heardUntil(1000, { tracks: [aTrack(1)] });
  for (let at = 1500; at <= 5000; at += 500) lost.take(aFrame(at, { tracks: null }), at);
  assert.deepEqual(noticeText(lost, 5000), ["No new tracks for 4.0 s; the last picture is shown dimmed", false]);

  const unassessed = heardUntil(1000, { tracks: [aTrack(1)] });
  unassessed.take({ type: "threats", threats: [], age_s: 0 }, 1000);
  for (let at = 1500; at <= 5000; at += 500) unassessed.take(aFrame(at, { tracks: [aTrack(1)] }), at);
  assert.deepEqual(noticeText(unassessed, 5000),
    ["No threat assessment for 4.0 s: whether anything is a threat is not known", false]);

  const old = heardUntil(1000, { age_s: 3600 });
  assert.deepEqual(noticeText(old, 1000), ["Not live: this was measured 60 min ago", false]);
});

test("what a stage said before it was taken out of active is told to be of before", () => {
  const stage = { age_s: 0.1, detail: { lifecycle: "inactive" } } as Status["stages"][string];
  const status = { stages: { ew: stage, threat: { ...stage, detail: null } } } as unknown as Status;
  assert.equal(restText(status, "ew"), "of before: ew is inactive");
  assert.equal(restText(status, "threat"), "");
  assert.equal(restText(status, "tracking"), "");
  assert.equal(restText(null, "ew"), "");
});
