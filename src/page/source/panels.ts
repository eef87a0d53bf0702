// The panels beside the scope: figures, threats, advice, the table of tracks, the stages, and what went wrong.

import { ageS, durationText, freshStatus, isStale, meanIntervalMs, newestOf, noticeText, restText } from "./ages.ts";
import { byId, fillChildren, parts, setText, withChildren } from "./dom.ts";
import type { Heard } from "./heard.ts";
import type { Threat } from "./messages.ts";
import {
  adviceReason, criticalText, nextOrder, noThreatsText, numberText, rowsOf, stableOrder, stageLines, threatName, type Key, type Order,
} from "./rows.ts";
import { showTable } from "./table.ts";
import { clockText, eventWords } from "./times.ts";

const REFUSAL_SHOWN_MS = 15000;
const MOST_LISTED = 250;
const THREAT_PARTS = [["span", "level"], ["span", "score"], ["span", "who"], ["button", "act"], ["span", "reason"]] as const;
const ADVICE_PARTS = [["span", "what"], ["button", "act"], ["button", "act"], ["span", "reason"]] as const;

/** Shows what was heard. */
export class Panels {
  heard: Heard; // what is shown: of now, or of the past
  replayText = ""; // what is to be said of the past
  selected: number | null = null; // the track that was clicked
  order: Order = { key: "level", descending: true };
  refusal: { text: string; at: number } | null = null; // what the bridge said against the last command
  #threats: number[] = []; // in the order in which they stand
  #rows: number[] = []; // of the table, as they stood

  /** `may` tells whether who is signed in has a scope. */
  constructor(readonly live: Heard, readonly may: (scope: string) => boolean) {
    this.heard = live;
  }

  show(now: number): void {
    const { heard } = this;
    document.body.dataset.picture = !heard.tracks ? "none" : isStale(heard, heard.tracks, now) ? "stale" : "fresh";
    document.body.dataset.threats = !heard.threats ? "none" : isStale(heard, heard.threats, now) ? "stale" : "fresh";
    this.#showNotice(now);
    this.#showFigures(now);
    this.#showThreats(now);
    this.#showAdvice(now);
    this.showTracks(now);
    this.#showStages(now);
    this.showAlert(now);
  }

  #showNotice(now: number): void {
    const [text, calm] = this.replayText ? [this.replayText, false] : noticeText(this.heard, now);
    const notice = byId("notice");
    notice.hidden = text === "";
    notice.classList.toggle("calm", calm);
    setText(notice, text);
    // Said once, not with each second that passes.
    setText(byId("spoken"), text.replace(/[\d.]+ (ms|s|min|h|days)/, "a while"));
  }

  #showFigures(now: number): void {
    const { heard } = this;
    const interval = meanIntervalMs(heard.arrivals);
    const newest = newestOf(heard);
    const live = newest && !isStale(heard, newest, now);
    const count = (part: { items: unknown[]; ageS: number; at: number } | null) =>
      part && !isStale(heard, part, now) ? String(part.items.length) : "–";
    const status = freshStatus(this.live, now);
    setText(byId("age"), newest ? durationText(ageS(newest, now)) : "–");
    setText(byId("rate"), live && interval ? `${(1000 / interval).toFixed(1)} Hz` : "–");
    setText(byId("track-count"), count(heard.tracks));
    setText(byId("detection-count"), count(heard.detections));
    setText(byId("missed"), heard.lastFrame === null ? "–" : String(heard.missed));
    setText(byId("scans-lost"), status ? String(status.scans_lost) : "–");
    setText(byId("ew"), status && status.ew.signals !== null
      ? `${status.ew.signals} active, ${status.ew.advice_waiting ?? 0} waiting` : "–");
  }

  #showThreats(now: number): void {
    const { heard } = this;
    const items = heard.threats?.items ?? [];
    const list = byId("threats");
    // Nothing moves under the pointer: a button must not become another track's while a hand is on its way to it.
    this.#threats = stableOrder(this.#threats, items.map((threat) => threat.track_id), list.matches(":hover"));
    const byTrack = new Map(items.map((threat) => [threat.track_id, threat]));
    setText(byId("threat-count"), items.length ? String(items.length) : "");
    byId("no-threats").hidden = items.length > 0;
    setText(byId("no-threats"), noThreatsText(heard, now));
    const critical = criticalText(this.live, now);
    setText(byId("critical"), critical && this.replayText ? `Now, not in this picture: ${critical}` : critical);
    fillChildren(list, this.#threats.slice(0, MOST_LISTED), () => withChildren("li", THREAT_PARTS), (line, id) => {
      this.#showThreat(line, id, byTrack.get(id));
    });
  }

  #showThreat(line: HTMLElement, id: number, threat: Threat | undefined): void {
    const [level, score, who, act, reason] = parts(line);
    const button = act as HTMLButtonElement;
    line.dataset.id = String(id);
    line.className = `${threat?.level ?? "over"}${id === this.selected ? " selected" : ""}`;
    if (!threat) { // its row stays while somebody points at the list
      for (const part of [level, score, reason]) setText(part, "");
      setText(who, `track ${id} is no longer listed`);
      button.hidden = true;
      return;
    }
    button.dataset.command = `/api/threats/${id}/acknowledge`;
    button.hidden = this.replayText !== "" || (!this.may("ew:acknowledge") && threat.acknowledged_by === null);
    button.disabled = threat.acknowledged_by !== null;
    setText(button, threat.acknowledged_by === null ? "Acknowledge" : `seen by ${threat.acknowledged_by}`);
    setText(level, threat.level);
    setText(score, numberText(threat.score, 2));
    setText(who, threatName(threat));
    setText(reason, threat.reason);
  }

  #showAdvice(now: number): void {
    const items = this.live.advice;
    const rests = restText(freshStatus(this.live, now), "ew");
    const decides = this.may("ew:acknowledge") && !rests;
    byId("advice-section").hidden = items.length === 0;
    byId("advice-section").classList.toggle("rests", rests !== "");
    setText(byId("advice-count"), rests || String(items.filter((one) => one.state === "PROPOSED").length));
    fillChildren(byId("advice"), items.slice(0, MOST_LISTED), () => withChildren("li", ADVICE_PARTS), (line, one) => {
      const [what, accept, reject, reason] = parts(line);
      line.className = one.state;
      setText(what, one.technique);
      for (const [button, word, text] of [[accept, "acknowledge", "Accept"], [reject, "reject", "Reject"]] as const) {
        button.dataset.command = `/api/ew/advice/${one.id}/${word}`;
        button.hidden = one.state !== "PROPOSED" || !decides;
        setText(button, text);
      }
      setText(reason, adviceReason(one));
    });
  }

  showTracks(now: number): void {
    const all = this.heard.tracks?.items.length ?? 0;
    const rows = rowsOf(this.heard, this.order, now, byId<HTMLInputElement>("filter").value, this.#rows);
    this.#rows = rows.map((row) => row.track_id);
    setText(byId("table-note"), rows.length < all ? `${rows.length} of ${all}` : all ? String(all) : "");
    showTable(rows, this.selected);
    for (const head of document.querySelectorAll("th")) {
      if (head.dataset.key !== this.order.key) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", this.order.descending ? "descending" : "ascending");
    }
  }

  #showStages(now: number): void {
    const lines = stageLines(freshStatus(this.live, now));
    fillChildren(byId("stages"), lines, () => document.createElement("li"), (item, line) => {
      item.className = line.className;
      item.title = line.title;
      setText(item, line.text);
    });
  }

  /** Show the bridge's refusal of a command for a while, else the last alarm of the graph. */
  showAlert(now: number): void {
    if (this.refusal && now - this.refusal.at < REFUSAL_SHOWN_MS) {
      setText(byId("alert"), this.refusal.text);
      return;
    }
    const alarm = freshStatus(this.live, now)?.alerts.at(-1);
    setText(byId("alert"), alarm ? `${clockText(alarm.stamp_s)} ${alarm.stage}: ${eventWords(alarm.name)}` : "");
  }

  /** Sort by a column whose head was clicked. */
  sortBy(key: string | undefined): void {
    this.order = nextOrder(this.order, key as Key);
    this.showTracks(performance.now());
  }

  /** Choose a track, or no longer if it was. */
  select(id: number): void {
    this.selected = this.selected === id ? null : id;
  }
}
