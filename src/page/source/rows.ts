// What the lists show, as text and order. Nothing here knows of the document.

import { durationText, isStale } from "./ages.ts";
import type { Heard } from "./heard.ts";
import { LEVELS, type Advice, type Level, type StageRow, type Status, type Threat, type Track } from "./messages.ts";

/** A track in the table. */
export interface Row {
  track_id: number;
  track: Track;
  level: Level;
  score: number;
}
export type Key = "status" | "track_id" | "class" | "level" | "range_m" | "bearing_deg" | "up_m" | "velocity_mps" | "heading_deg";
export interface Order {
  key: Key;
  descending: boolean;
}

const STAGE_MISSING_AFTER_S = 3;
const MINUTE_MS = 60_000;

export function numberText(value: number | null, digits: number): string {
  return value === null ? "–" : value.toFixed(digits).replace(/^-(0(?:\.0*)?)$/, "$1"); // no "-0"
}

const NO_LEVELS: ReadonlyMap<number, Level> = new Map();

/** The threat level of each track that has one now, listed as a threat or not. */
export function levelsOf(heard: Heard, now: number): ReadonlyMap<number, Level> {
  return !heard.threats || isStale(heard, heard.threats, now) ? NO_LEVELS : heard.levels;
}

/** What an empty list of threats means. */
export function noThreatsText(heard: Heard, now: number): string {
  if (heard.connection === "replay") {
    return heard.threats ? "No threat of MEDIUM or above is on record of this time." : "Nothing is on record of this time.";
  }
  if (!heard.threats) return "No assessment has been heard yet.";
  if (isStale(heard, heard.threats, now)) return "No new assessment: whether anything is a threat is not known.";
  const assessed = Object.values(heard.threats.unlisted).reduce((sum, ids) => sum + ids.length, 0);
  const tracks = assessed === 1 ? "1 track is" : `${assessed} tracks are`;
  return assessed ? `${tracks} assessed, none as ${heard.threats.listedFrom} or above.` : "No track to assess.";
}

/**
 * The tracks with their levels that have a text in id, class, level or status, in order. `before` has the ids as they stood: what is
 * nearly in order already is sorted soon.
 */
export function rowsOf(heard: Heard, order: Order, now: number, filter = "", before: readonly number[] = []): Row[] {
  const levels = levelsOf(heard, now);
  const scores = new Map((heard.threats?.items ?? []).map((threat) => [threat.track_id, threat.score ?? 0]));
  const wanted = filter.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const rows = new Map<number, Row>();
  for (const track of heard.tracks?.items ?? []) {
    const level = levels.get(track.track_id) ?? "NONE";
    if (!wanted.every((word) => matches(track, level, word))) continue;
    rows.set(track.track_id, { track_id: track.track_id, track, level, score: scores.get(track.track_id) ?? 0 });
  }
  const nearly: Row[] = [];
  for (const id of before) {
    const row = rows.get(id);
    if (row && rows.delete(id)) nearly.push(row);
  }
  for (const row of rows.values()) nearly.push(row);
  const value = VALUES[order.key];
  return nearly.sort((a, b) => compare(a, b, value, order));
}

function matches(track: Track, level: Level, word: string): boolean {
  const names = [track.class, track.status, level === "NONE" ? "" : level];
  return String(track.track_id) === word || names.some((name) => name.toLowerCase().startsWith(word));
}

const RANKS = Object.fromEntries(LEVELS.map((level, i) => [level, -i])) as Record<Level, number>;
const VALUES: Record<Key, (row: Row) => string | number | null> = {
  status: ({ track }) => track.status,
  track_id: ({ track_id: id }) => id,
  class: ({ track }) => track.class,
  level: ({ level }) => RANKS[level],
  range_m: ({ track }) => track.range_m,
  bearing_deg: ({ track }) => track.bearing_deg,
  up_m: ({ track }) => track.position_m.z,
  velocity_mps: ({ track }) => track.velocity_mps,
  heading_deg: ({ track }) => track.heading_deg,
};

function compare(a: Row, b: Row, value: (row: Row) => string | number | null, { key, descending }: Order): number {
  const [x, y] = [value(a), value(b)];
  if (x === y) return (key === "level" ? b.score - a.score : 0) || a.track_id - b.track_id;
  if (x === null) return 1; // unknown goes last, whichever way
  if (y === null) return -1;
  return (x < y ? -1 : 1) * (descending ? -1 : 1);
}

/** The order after a click on the head of a column. */
export function nextOrder(order: Order, key: Key): Order {
  const numbersDown = key === "level" || key === "velocity_mps";
  return { key, descending: order.key === key ? !order.descending : numbersDown };
}

/** The order in which the numbers are to stand: `before` as far as it goes while somebody points at the list. */
export function stableOrder(before: readonly number[], now: readonly number[], pointedAt: boolean): number[] {
  if (!pointedAt) return [...now];
  const known = new Set(before);
  return [...before, ...now.filter((id) => !known.has(id))];
}

export function threatName(threat: Threat): string {
  const seconds = threat.time_to_impact_s;
  const impact = seconds === null ? "" : seconds > 0 ? `, impact in ${durationText(seconds)}` : ", there now";
  return `${threat.class.toLowerCase()} ${threat.track_id}${impact}`;
}

/** The critical threats that nobody has seen yet, in words; empty where there are none. */
export function criticalText(heard: Heard, now: number): string {
  if (!heard.threats || isStale(heard, heard.threats, now)) return "";
  const unseen = heard.threats.items.filter((threat) => threat.level === "CRITICAL" && threat.acknowledged_by === null);
  if (!unseen.length) return "";
  const first = `CRITICAL: ${threatName(unseen[0])}`;
  return unseen.length === 1 ? first : `${first}, and ${unseen.length - 1} more`;
}

export function adviceReason(advice: Advice): string {
  if (advice.state === "PROPOSED") return advice.rationale;
  const by = advice.decided_by ? ` by ${advice.decided_by}` : "";
  return `${advice.state.toLowerCase()}${by}; ${advice.rationale}`;
}

export interface StageLine {
  text: string;
  className: string;
  title: string;
}

/** How each stage does, those that were never heard at the end. */
export function stageLines(status: Status | null): StageLine[] {
  if (!status) return [];
  const never = status.missing_stages.filter((name) => !(name in status.stages));
  return [
    ...Object.entries(status.stages).map(([name, row]) => stageLine(name, row, status.missing_stages.includes(name))),
    ...never.map((name) => ({ text: `${name} missing`, className: "missing", title: "" })),
  ];
}

function stageLine(name: string, row: StageRow, isMissing: boolean): StageLine {
  const title = `received ${row.received}, published ${row.published}, dropped ${row.dropped}, errors ${row.errors}`;
  if (row.detail?.lifecycle && row.age_s <= STAGE_MISSING_AFTER_S) return { text: `${name} ${row.detail.lifecycle}`, className: "missing", title };
  if (isMissing || row.age_s > STAGE_MISSING_AFTER_S) return { text: `${name} missing`, className: "missing", title };
  const rate = row.rate_hz === null ? "" : ` ${row.rate_hz.toFixed(1)} Hz`;
  const latency = row.latency_p50_ms === null ? "" : ` ${row.latency_p50_ms < MINUTE_MS ? `${row.latency_p50_ms.toFixed(0)} ms` : durationText(row.latency_p50_ms / 1000)}`;
  const trouble = row.detail?.trouble ? `: ${row.detail.trouble}` : "";
  return { text: `${name}${rate}${latency}${trouble}`, className: row.errors || trouble ? "troubled" : "", title };
}
