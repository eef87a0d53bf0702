// The list of alarms, and what a person does about one: see it, shelve it for a reason, write a note.

import { activeCount, isWaiting, stateText } from "./alarms.ts";
import { byId, fillChildren, parts, setText, withChildren } from "./dom.ts";
import type { Heard } from "./heard.ts";
import { stableOrder } from "./rows.ts";

const MOST_LISTED = 100;
const PARTS = [
  ["span", "rule"], ["button", "act"], ["button", "act"], ["button", "act"], ["span", "text"], ["span", "reason"],
] as const;

/** What the dialog asks for. */
export type Asking = "shelve" | "note";

/** Sends a command with what was entered. */
export type Send = (path: string, body: object) => Promise<void>;

export class AlarmsPanel {
  #order: number[] = [];
  #asking: { id: number; what: Asking } | null = null;

  /** `may` tells whether who is signed in has a scope; `send` takes what was entered to the bridge. */
  constructor(readonly heard: Heard, readonly may: (scope: string) => boolean, readonly send: Send) {
    const dialog = byId<HTMLDialogElement>("alarm-dialog");
    byId("alarm-cancel").addEventListener("click", () => dialog.close());
    byId("alarm-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  show(now: number): void {
    const alarms = this.heard.alarms ?? [];
    const list = byId("alarms");
    this.#order = stableOrder(this.#order, alarms.map((alarm) => alarm.id), list.matches(":hover, :focus-within"));
    const byNumber = new Map(alarms.map((alarm) => [alarm.id, alarm]));
    const count = activeCount(this.heard, now);
    setText(byId("alarm-figure"), count === null ? "–" : String(count));
    byId("alarm-section").hidden = this.#order.length === 0;
    setText(byId("alarm-count"), count === null ? "not known now" : `${count} on`);
    fillChildren(list, this.#order.slice(0, MOST_LISTED), () => withChildren("li", PARTS), (line, id) => {
      const alarm = byNumber.get(id);
      const [rule, see, shelve, note, text, reason] = parts(line);
      line.dataset.id = String(alarm?.track_id ?? "");
      line.className = !alarm ? "over" : `${alarm.state} priority-${alarm.priority}${isWaiting(alarm) ? " waiting" : ""}`;
      setText(rule, alarm ? `${alarm.rule}${alarm.zone ? ` · ${alarm.zone}` : ""} · track ${alarm.track_id}` : `alarm ${id} is no longer listed`);
      setText(text, alarm?.text ?? "");
      setText(reason, alarm ? stateText(alarm) : "");
      const decides = alarm !== undefined && this.may("ew:acknowledge");
      see.dataset.command = `/api/alarms/${id}/acknowledge`;
      see.hidden = !decides || alarm.acknowledged_by !== null;
      setText(see, "Acknowledge");
      const isShelved = (alarm?.shelved_until_s ?? null) !== null;
      if (isShelved) shelve.dataset.command = `/api/alarms/${id}/unshelve`;
      else delete shelve.dataset.command;
      shelve.dataset.ask = isShelved ? "" : `shelve ${id}`;
      shelve.hidden = !decides;
      setText(shelve, isShelved ? "Unshelve" : "Shelve…");
      note.dataset.ask = `note ${id}`;
      note.hidden = !decides;
      setText(note, "Note…");
    });
  }

  /** Ask for what a button stands for: "shelve 7", "note 7". */
  ask(words: string): void {
    const [what, number] = words.split(" ");
    const id = Number(number);
    const alarm = this.heard.alarms?.find((one) => one.id === id);
    if (!alarm) return;
    this.#asking = { id, what: what as Asking };
    const shelves = what === "shelve";
    setText(byId("alarm-question"), `${shelves ? "Shelve" : "Note to"} ${alarm.rule}, track ${alarm.track_id}`);
    byId("alarm-duration").hidden = !shelves;
    const text = byId<HTMLInputElement>("alarm-text");
    text.required = shelves;
    text.value = "";
    setText(byId("alarm-text-label"), shelves ? "Reason" : "Note; empty removes it");
    setText(byId("alarm-problem"), "");
    byId<HTMLDialogElement>("alarm-dialog").showModal();
  }

  async #submit(): Promise<void> {
    if (!this.#asking) return;
    const { id, what } = this.#asking;
    const text = byId<HTMLInputElement>("alarm-text").value.trim();
    const minutes = Number(byId<HTMLSelectElement>("alarm-minutes").value);
    try {
      await this.send(`/api/alarms/${id}/${what}`, what === "shelve" ? { reason: text, duration_s: minutes * 60 } : { text });
      byId<HTMLDialogElement>("alarm-dialog").close();
    } catch (error) {
      setText(byId("alarm-problem"), error instanceof Error ? error.message : String(error));
    }
  }
}
