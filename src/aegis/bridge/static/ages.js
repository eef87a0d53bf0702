// @ts-check
// Ages. A message says how old it was when it was sent; from then on this page counts. Nothing here knows of the document.

/** @import { Heard } from "./stream.js" */

/** @typedef {{ageS: number, at: number}} Part  Something heard: its age when it was sent [s], and when it came [ms] */

const STALE_AFTER_MS = 2000;     // at least; three frame intervals where those are longer
const OLD_MEASUREMENT_S = 10;    // frames arrive, but what they show was measured long ago
const STATUS_FOR_MS = 3000;

/**
 * The mean time between frames [ms]; null before the second one.
 * @param {readonly number[]} arrivals
 */
export function meanIntervalMs(arrivals) {
  return arrivals.length < 2 ? null : (arrivals[arrivals.length - 1] - arrivals[0]) / (arrivals.length - 1);
}

/** @param {readonly number[]} arrivals */
export function staleAfterMs(arrivals) {
  return Math.max(STALE_AFTER_MS, 3 * (meanIntervalMs(arrivals) ?? 0));
}

/**
 * For how long nothing new has come [ms].
 * @param {{at: number} | null} part
 * @param {number} now
 */
export function silentMs(part, now) {
  return part ? now - part.at : Infinity;
}

/**
 * The age of what was measured [s].
 * @param {Part} part
 * @param {number} now
 */
export function ageS(part, now) {
  return part.ageS + silentMs(part, now) / 1000;
}

/**
 * Whether a part is too old to be shown as new.
 * @param {Heard} heard
 * @param {Part | null} part
 * @param {number} now
 */
export function isStale(heard, part, now) {
  return silentMs(part, now) > staleAfterMs(heard.arrivals) || heard.connection === "disconnected";
}

/**
 * What came last of tracks and detections.
 * @param {Heard} heard
 * @returns {Part | null}
 */
export function newestOf({ tracks, detections }) {
  if (!tracks || !detections) return tracks ?? detections;
  return detections.at > tracks.at ? detections : tracks;
}

/**
 * The state of the graph; null where the last word on it is old.
 * @param {Heard} heard
 * @param {number} now
 */
export function freshStatus(heard, now) {
  return heard.status && now - heard.statusAt < STATUS_FOR_MS ? heard.status : null;
}

/** @param {number} seconds */
export function durationText(seconds) {
  if (Math.abs(seconds) < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/**
 * What is wrong with the picture, and whether that is as it should be.
 * @param {Heard} heard
 * @param {number} now
 * @returns {[text: string, calm: boolean]}
 */
export function noticeText(heard, now) {
  const newest = newestOf(heard);
  const shown = heard.tracks ? "; the last picture is shown dimmed" : "";
  /** @param {Part} part */
  const silence = (part) => durationText(silentMs(part, now) / 1000);
  if (heard.connection === "connecting") return ["Connecting…", true];
  if (heard.connection === "disconnected") return [`No connection to the bridge${shown}`, false];
  if (!newest) return ["Waiting for the radar: no data yet", true];
  if (isStale(heard, newest, now)) return [`No new data for ${silence(newest)}${shown}`, false];
  if (!heard.tracks) return ["Detections only: nothing has been heard from tracking", false];
  if (isStale(heard, heard.tracks, now)) return [`No new tracks for ${silence(heard.tracks)}${shown}`, false];
  if (ageS(newest, now) > OLD_MEASUREMENT_S) return [`Not live: this was measured ${durationText(ageS(newest, now))} ago`, false];
  return ["", true];
}
