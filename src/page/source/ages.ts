// Ages. A message says how old it was when it was sent; from then on this page counts. Nothing here knows of the document.

import type { Heard } from "./heard.ts";
import type { Connection, Status } from "./messages.ts";

/** Something heard: its age when it was sent [s], and when it came [ms]. */
export interface Part {
  ageS: number;
  at: number;
  periodS?: number; // between the scans of its sensor
}

const STALE_AFTER_MS = 2000;     // at least; three frame intervals where those are longer
const LATE_MEASUREMENT_S = 2;    // frames arrive, but what they show was measured some time ago; two periods where those are longer
const OLD_MEASUREMENT_S = 10;    // ... long ago; three periods where those are longer
const STATUS_FOR_MS = 3000;
const GAP_S = 3;                 // a picture of the past is kept about once a second

/** The mean time between frames [ms]; null before the second one. */
export function meanIntervalMs(arrivals: readonly number[]): number | null {
  return arrivals.length < 2 ? null : (arrivals[arrivals.length - 1] - arrivals[0]) / (arrivals.length - 1);
}

export function staleAfterMs(arrivals: readonly number[]): number {
  return Math.max(STALE_AFTER_MS, 3 * (meanIntervalMs(arrivals) ?? 0));
}

/** For how long nothing new has come [ms]. */
export function silentMs(part: { at: number } | null, now: number): number {
  return part ? now - part.at : Infinity;
}

/** The age of what was measured [s]. */
export function ageS(part: Part, now: number): number {
  return part.ageS + silentMs(part, now) / 1000;
}

/** Whether it was measured long ago, however newly it came: a recording, or a clock that is wrong. */
export function isOld(part: Part | null, now: number): boolean {
  return part !== null && ageS(part, now) > Math.max(OLD_MEASUREMENT_S, 3 * (part.periodS ?? 0));
}

/** What the picture is, while there is a connection, and how that is said. */
export function pictureState(heard: Heard, now: number): [state: Connection, words: string] {
  const newest = newestOf(heard);
  if (heard.arrivals.length === 0 || !newest) return ["waiting", "waiting"];
  if (isStale(heard, newest, now) || isOld(newest, now)) return ["stale", "stale"];
  const shown = heard.tracks && !isStale(heard, heard.tracks, now) ? heard.tracks : newest;
  const age = ageS(shown, now);
  if (age <= Math.max(LATE_MEASUREMENT_S, 2 * (shown.periodS ?? 0))) return ["live", "live"];
  return ["late", `late ${Math.floor(age)} s`];
}

/** Whether a part is too old to be shown as new. */
export function isStale(heard: Heard, part: Part | null, now: number): boolean {
  if (heard.connection === "replay") return part === null || part.ageS > GAP_S;
  return silentMs(part, now) > staleAfterMs(heard.arrivals) || heard.connection === "disconnected";
}

/** What came last of tracks and detections. */
export function newestOf({ tracks, detections }: Heard): Part | null {
  if (!tracks || !detections) return tracks ?? detections;
  return detections.at > tracks.at ? detections : tracks;
}

/** The state of the graph; null where the last word on it is old. */
export function freshStatus(heard: Heard, now: number): Status | null {
  return heard.status && now - heard.statusAt < STATUS_FOR_MS ? heard.status : null;
}

/** Why what a stage has said is of before: it was taken out of active. Empty while it works. */
export function restText(status: Status | null, stage: string): string {
  const state = status?.stages[stage]?.detail?.lifecycle;
  return state ? `of before: ${stage} is ${state}` : "";
}

export function durationText(seconds: number): string {
  if (Math.abs(seconds) < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** What is wrong with one of several sensors: the picture of the others goes on. */
function troubleText(status: Status | null): string {
  const trouble = status?.troubles?.find((one) => one.topic === "detections");
  if (!trouble) return "";
  const since = durationText(trouble.for_s);
  if (trouble.state === "SILENT") return `No data from the sensor '${trouble.sensor_id}' for ${since}: what only it sees is not known`;
  return `The sensor '${trouble.sensor_id}' gives the same scan again and again for ${since}: what it sees is not known`;
}

/** Nothing has come yet: calm, until the bridge says that it is late. */
function beforeTheFirst(status: Status | null): [text: string, calm: boolean] {
  const late = status?.troubles?.find((one) => one.topic === "detections");
  if (!late) return ["Waiting for the radar: no data yet", true];
  return [`No data: the radar has not been heard for ${durationText(late.for_s)}`, false];
}

/** What is wrong with the picture, and whether that is as it should be. */
export function noticeText(heard: Heard, now: number): [text: string, calm: boolean] {
  const newest = newestOf(heard);
  const shown = heard.tracks ? "; the last picture is shown dimmed" : "";
  const silence = (part: Part) => durationText(silentMs(part, now) / 1000);
  if (heard.connection === "connecting") return ["Connecting…", true];
  if (heard.connection === "disconnected") return [`No connection to the bridge${shown}`, false];
  if (!newest) return beforeTheFirst(freshStatus(heard, now));
  if (isStale(heard, newest, now)) return [`No new data for ${silence(newest)}${shown}`, false];
  if (!heard.tracks) return ["Detections only: nothing has been heard from tracking", false];
  if (isStale(heard, heard.tracks, now)) return [`No new tracks for ${silence(heard.tracks)}${shown}`, false];
  if (heard.threats && isStale(heard, heard.threats, now)) {
    return [`No threat assessment for ${silence(heard.threats)}: whether anything is a threat is not known`, false];
  }
  const trouble = troubleText(freshStatus(heard, now));
  if (trouble) return [trouble, false];
  if (isOld(newest, now)) return [`Not live: this was measured ${durationText(ageS(newest, now))} ago`, false];
  return ["", true];
}
