// @ts-check
// The panels beside the scope: figures, threats, advice, the table of tracks, the stages, and what went wrong.

import { byId, fillChildren, setText, withChildren } from "./dom.js";
import { ageS, durationText, freshStatus, isStale, meanIntervalMs, newestOf, noticeText } from "./ages.js";

/** @import { Advice, Heard, Level, StageRow, Status, Threat, Track } from "./stream.js" */

const REFUSAL_SHOWN_MS = 15000;
const STAGE_MISSING_AFTER_S = 3;
const MAX_ROWS = 250;
/** @type {Level[]} */
const LEVELS = ["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"];
const STATUS_SIGNS = { CONFIRMED: "●", COASTING: "◌", TENTATIVE: "·" };

/** @typedef {Track & {up_m: number | null, level: Level, score: number}} Row */
/** @typedef {"status" | "track_id" | "class" | "level" | "range_m" | "bearing_deg" | "up_m" | "velocity_mps" | "heading_deg"} Key */
/** @typedef {{key: Key, descending: boolean}} Order */

/** @type {[className: string, text: (row: Row) => string][]} */
const COLUMNS = [
  ["", (row) => STATUS_SIGNS[row.status] ?? "?"],
  ["", (row) => String(row.track_id)],
  ["", (row) => row.class.toLowerCase()],
  ["level", (row) => (row.level === "NONE" ? "" : row.level)],
  ["number", (row) => numberText(row.range_m, 0)],
  ["number", (row) => numberText(row.bearing_deg, 1)],
  ["number", (row) => numberText(row.up_m, 0)],
  ["number", (row) => numberText(row.velocity_mps, 1)],
  ["number", (row) => numberText(row.heading_deg, 0)],
];
const LEVEL_COLUMN = 3;

// What is shown, without the document.

/**
 * @param {number | null} value
 * @param {number} digits
 */
export function numberText(value, digits) {
  return value === null ? "–" : value.toFixed(digits);
}

/**
 * The threat level of each track that has one now, listed as a threat or not.
 * @param {Heard} heard
 * @param {number} now
 * @returns {Map<number, Level>}
 */
export function levelsOf(heard, now) {
  if (!heard.threats || isStale(heard, heard.threats, now)) return new Map();
  /** @type {[number, Level][]} */
  const listed = heard.threats.items.map((threat) => [threat.track_id, threat.level]);
  const below = /** @type {[Level, number[]][]} */ (Object.entries(heard.threats.unlisted));
  return new Map([...below.flatMap(([level, ids]) => ids.map((id) => /** @type {[number, Level]} */ ([id, level]))), ...listed]);
}

/**
 * What an empty list of threats means.
 * @param {Heard} heard
 */
export function noThreatsText(heard) {
  if (!heard.threats) return "No assessment has been heard yet.";
  const assessed = Object.values(heard.threats.unlisted).reduce((sum, ids) => sum + ids.length, 0);
  const tracks = assessed === 1 ? "1 track is" : `${assessed} tracks are`;
  return assessed ? `${tracks} assessed, none as ${heard.threats.listedFrom} or above.` : "No track to assess.";
}

/**
 * The tracks with their levels, in order.
 * @param {Heard} heard
 * @param {Order} order
 * @param {number} now
 * @returns {Row[]}
 */
export function rowsOf(heard, order, now) {
  const levels = levelsOf(heard, now);
  const scores = new Map((heard.threats?.items ?? []).map((threat) => [threat.track_id, threat.score ?? 0]));
  const rows = (heard.tracks?.items ?? []).map((track) => ({
    ...track,
    up_m: track.position_m.z,
    level: levels.get(track.track_id) ?? /** @type {Level} */ ("NONE"),
    score: scores.get(track.track_id) ?? 0,
  }));
  return rows.sort((a, b) => compare(a, b, order));
}

/**
 * @param {Row} a
 * @param {Row} b
 * @param {Order} order
 */
function compare(a, b, { key, descending }) {
  const [x, y] = key === "level" ? [LEVELS.indexOf(a.level), LEVELS.indexOf(b.level)] : [a[key], b[key]];
  if (x === y) return (key === "level" ? b.score - a.score : 0) || a.track_id - b.track_id;
  if (x === null) return 1;      // unknown goes last, whichever way
  if (y === null) return -1;
  return (x < y ? -1 : 1) * (descending ? -1 : 1);
}

/**
 * The order after a click on the head of a column.
 * @param {Order} order
 * @param {Key} key
 * @returns {Order}
 */
export function nextOrder(order, key) {
  const numbersDown = key === "level" || key === "velocity_mps";
  return { key, descending: order.key === key ? !order.descending : numbersDown };
}

/** @param {Threat} threat */
export function threatName(threat) {
  const impact = threat.time_to_impact_s === null ? "" : `, impact in ${durationText(threat.time_to_impact_s)}`;
  return `${threat.class.toLowerCase()} ${threat.track_id}${impact}`;
}

/** @param {Advice} advice */
export function adviceReason(advice) {
  if (advice.state === "PROPOSED") return advice.rationale;
  const by = advice.decided_by ? ` by ${advice.decided_by}` : "";
  return `${advice.state.toLowerCase()}${by}; ${advice.rationale}`;
}

/**
 * How each stage does, those that were never heard at the end.
 * @param {Status | null} status
 * @returns {{text: string, className: string, title: string}[]}
 */
export function stageLines(status) {
  if (!status) return [];
  const never = status.missing_stages.filter((name) => !(name in status.stages));
  return [
    ...Object.entries(status.stages).map(([name, row]) => stageLine(name, row, status.missing_stages.includes(name))),
    ...never.map((name) => ({ text: `${name} missing`, className: "missing", title: "" })),
  ];
}

/**
 * @param {string} name
 * @param {StageRow} row
 * @param {boolean} isMissing
 */
function stageLine(name, row, isMissing) {
  const title = `received ${row.received}, published ${row.published}, dropped ${row.dropped}, errors ${row.errors}`;
  if (isMissing || row.age_s > STAGE_MISSING_AFTER_S) return { text: `${name} missing`, className: "missing", title };
  const rate = row.rate_hz === null ? "" : ` ${row.rate_hz.toFixed(1)} Hz`;
  const latency = row.latency_p50_ms === null ? "" : ` ${row.latency_p50_ms.toFixed(0)} ms`;
  return { text: `${name}${rate}${latency}`, className: row.errors ? "troubled" : "", title };
}

// In the document.

/** @type {[tag: string, className: string][]} */
const THREAT_PARTS = [["span", "level"], ["span", "score"], ["span", "who"], ["button", "act"], ["span", "reason"]];
/** @type {[tag: string, className: string][]} */
const ADVICE_PARTS = [["span", "what"], ["button", "act"], ["button", "act"], ["span", "reason"]];
/** @type {[tag: string, className: string][]} */
const TRACK_CELLS = COLUMNS.map(([className]) => ["td", className]);

/** Shows what was heard. */
export class Panels {
  /** @type {number | null} */
  selected = null;               // the track that was clicked
  /** @type {Order} */
  order = { key: "level", descending: true };
  /** @type {{text: string, at: number} | null} */
  refusal = null;                // what the bridge said against the last command

  /**
   * @param {Heard} heard
   * @param {(scope: string) => boolean} may  whether who is signed in has a scope
   */
  constructor(heard, may) {
    this.heard = heard;
    this.may = may;
  }

  /** @param {number} now */
  show(now) {
    const { heard } = this;
    document.body.dataset.picture = !heard.tracks ? "none" : isStale(heard, heard.tracks, now) ? "stale" : "fresh";
    document.body.dataset.threats = !heard.threats ? "none" : isStale(heard, heard.threats, now) ? "stale" : "fresh";
    this.showNotice(now);
    this.showFigures(now);
    this.showThreats();
    this.showAdvice();
    this.showTracks(now);
    this.showStages(now);
    this.showAlert(now);
  }

  /** @param {number} now */
  showNotice(now) {
    const [text, calm] = noticeText(this.heard, now);
    const notice = byId("notice");
    notice.textContent = text;
    notice.hidden = text === "";
    notice.classList.toggle("calm", calm);
  }

  /** @param {number} now */
  showFigures(now) {
    const { heard } = this;
    const interval = meanIntervalMs(heard.arrivals);
    const newest = newestOf(heard);
    const live = newest && !isStale(heard, newest, now);
    /** @param {{items: unknown[], ageS: number, at: number} | null} part */
    const count = (part) => (part && !isStale(heard, part, now) ? String(part.items.length) : "–");
    const status = freshStatus(heard, now);
    setText(byId("age"), newest ? durationText(ageS(newest, now)) : "–");
    setText(byId("rate"), live && interval ? `${(1000 / interval).toFixed(1)} Hz` : "–");
    setText(byId("track-count"), count(heard.tracks));
    setText(byId("detection-count"), count(heard.detections));
    setText(byId("missed"), heard.lastFrame === null ? "–" : String(heard.missed));
    setText(byId("scans-lost"), status ? String(status.scans_lost) : "–");
    setText(byId("ew"), status && status.ew.signals !== null
      ? `${status.ew.signals} active, ${status.ew.advice_waiting ?? 0} waiting` : "–");
  }

  showThreats() {
    const { heard } = this;
    const items = heard.threats?.items ?? [];
    setText(byId("threat-count"), items.length ? String(items.length) : "");
    byId("no-threats").hidden = items.length > 0;
    setText(byId("no-threats"), noThreatsText(heard));
    const decides = this.may("ew:acknowledge");
    fillChildren(byId("threats"), items.slice(0, MAX_ROWS), () => withChildren("li", THREAT_PARTS), (line, threat) => {
      const [level, score, who, act, reason] = line.children;
      act.dataset.command = `/api/threats/${threat.track_id}/acknowledge`;
      act.hidden = !decides && threat.acknowledged_by === null;
      act.disabled = threat.acknowledged_by !== null;
      setText(act, threat.acknowledged_by === null ? "Acknowledge" : `seen by ${threat.acknowledged_by}`);
      line.className = threat.level + (threat.track_id === this.selected ? " selected" : "");
      line.dataset.id = threat.track_id;
      setText(level, threat.level);
      setText(score, numberText(threat.score, 2));
      setText(who, threatName(threat));
      setText(reason, threat.reason);
    });
  }

  showAdvice() {
    const items = this.heard.advice;
    const decides = this.may("ew:acknowledge");
    byId("advice-section").hidden = items.length === 0;
    setText(byId("advice-count"), String(items.filter((one) => one.state === "PROPOSED").length));
    fillChildren(byId("advice"), items.slice(0, MAX_ROWS), () => withChildren("li", ADVICE_PARTS), (line, one) => {
      const [what, accept, reject, reason] = line.children;
      line.className = one.state;
      setText(what, one.technique);
      for (const [button, word, text] of [[accept, "acknowledge", "Accept"], [reject, "reject", "Reject"]]) {
        button.dataset.command = `/api/ew/advice/${one.id}/${word}`;
        button.hidden = one.state !== "PROPOSED" || !decides;
        setText(button, text);
      }
      setText(reason, adviceReason(one));
    });
  }

  /** @param {number} now */
  showTracks(now) {
    const rows = rowsOf(this.heard, this.order, now);
    const note = rows.length > MAX_ROWS ? `first ${MAX_ROWS} of ${rows.length}` : rows.length ? String(rows.length) : "";
    setText(byId("table-note"), note);
    fillChildren(byId("tracks"), rows.slice(0, MAX_ROWS), () => withChildren("tr", TRACK_CELLS), (line, row) => {
      line.dataset.id = row.track_id;
      line.children[0].title = row.status.toLowerCase();
      line.className = row.status + (row.track_id === this.selected ? " selected" : "");
      COLUMNS.forEach(([, text], i) => setText(line.children[i], text(row)));
      line.children[LEVEL_COLUMN].className = `level ${row.level}`;
    });
    for (const head of document.querySelectorAll("th")) {
      if (head.dataset.key !== this.order.key) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", this.order.descending ? "descending" : "ascending");
    }
  }

  /** @param {number} now */
  showStages(now) {
    const lines = stageLines(freshStatus(this.heard, now));
    fillChildren(byId("stages"), lines, () => document.createElement("li"), (item, line) => {
      item.className = line.className;
      item.title = line.title;
      setText(item, line.text);
    });
  }

  /**
   * Show the bridge's refusal of a command for a while, else the last alarm of the graph.
   * @param {number} now
   */
  showAlert(now) {
    if (this.refusal && now - this.refusal.at < REFUSAL_SHOWN_MS) {
      setText(byId("alert"), this.refusal.text);
      return;
    }
    const alarm = freshStatus(this.heard, now)?.alerts.at(-1);
    setText(byId("alert"), alarm ? `${new Date(alarm.stamp_s * 1000).toLocaleTimeString()} ${alarm.stage}: ${alarm.name}` : "");
  }

  /** @param {string | undefined} key  of the column whose head was clicked */
  sortBy(key) {
    this.order = nextOrder(this.order, /** @type {Key} */ (key));
    this.showTracks(performance.now());
  }

  /** @param {number} id  of a track: chosen, or no longer if it was */
  select(id) {
    this.selected = this.selected === id ? null : id;
  }
}
