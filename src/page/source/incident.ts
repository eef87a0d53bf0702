// An incident to take along: a dialog for its time, and the zip that the bridge makes of it. Meanwhile the page goes on.

import { byId, setText } from "./dom.ts";
import type { Alarm } from "./messages.ts";

const BESIDE_S = 300; // before and after what it is about
const SCOPES = ["radar:read", "threats:read", "metrics:read", "ew:acknowledge"];
const BUTTONS = ["replay-incident", "alarm-incident"];

/** A time [s since 1970]. */
export interface Span {
  from: number;
  to: number;
}

/** What is offered for a time of the past. */
export function spanAround(t: number, nowS: number): Span {
  return { from: t - BESIDE_S, to: Math.min(t + BESIDE_S, nowS) };
}

/** What is offered for the alarms that are listed: from before the first that is on, else the last that ended, until now. */
export function spanOf(alarms: readonly Alarm[], nowS: number): Span {
  const on = alarms.filter((alarm) => alarm.state === "ACTIVE").map((alarm) => alarm.raised_s);
  const raised = on.length ? Math.min(...on) : Math.max(...alarms.map((alarm) => alarm.raised_s), -Infinity);
  return { from: (Number.isFinite(raised) ? raised : nowS) - BESIDE_S, to: nowS };
}

/** A time as an input of the kind datetime-local has it, of this browser's zone. */
export function inputOf(seconds: number): string {
  const offsetS = new Date(seconds * 1000).getTimezoneOffset() * 60;
  return new Date((seconds - offsetS) * 1000).toISOString().slice(0, 19);
}

/** The time of such an input; null where it has none. */
export function secondsOf(text: string): number | null {
  const found = new Date(text).getTime() / 1000;
  return Number.isFinite(found) ? found : null;
}

/** What the dialog asks of the rest of the page. */
export interface Asked {
  may(scope: string): boolean;
  save(path: string, signal: AbortSignal): Promise<void>;
  refused(text: string): void; // what the bridge says against it
  span(isPast: boolean): Span; // that is offered
}

export class IncidentDialog {
  #saving: AbortController | null = null;

  constructor(readonly asked: Asked) {
    const [replay, alarms] = BUTTONS.map((id) => byId(id));
    replay.addEventListener("click", () => this.#clicked(true));
    alarms.addEventListener("click", () => this.#clicked(false));
    byId("incident-cancel").addEventListener("click", () => byId<HTMLDialogElement>("incident-dialog").close());
    byId("incident-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** Called again and again: who may, and whether one is being saved. */
  show(): void {
    const may = SCOPES.every((scope) => this.asked.may(scope));
    for (const id of BUTTONS) {
      byId(id).hidden = !may;
      setText(byId(id), this.#saving ? "Saving incident… Cancel" : "Save incident…");
    }
  }

  #clicked(isPast: boolean): void {
    if (this.#saving) {
      this.#saving.abort();
      return;
    }
    const { from, to } = this.asked.span(isPast);
    byId<HTMLInputElement>("incident-from").value = inputOf(Math.floor(from));
    byId<HTMLInputElement>("incident-to").value = inputOf(Math.ceil(to));
    setText(byId("incident-problem"), "");
    byId<HTMLDialogElement>("incident-dialog").showModal();
  }

  #submit(): void {
    const [from, to] = ["incident-from", "incident-to"].map((id) => secondsOf(byId<HTMLInputElement>(id).value));
    if (from === null || to === null || from >= to) {
      setText(byId("incident-problem"), "The end has to be later than the begin.");
      return;
    }
    byId<HTMLDialogElement>("incident-dialog").close();
    void this.#save(`/api/incident?from=${from}&to=${to}`);
  }

  async #save(path: string): Promise<void> {
    this.#saving = new AbortController();
    this.show();
    try {
      await this.asked.save(path, this.#saving.signal);
    } catch (error) {
      if (!this.#saving.signal.aborted) this.asked.refused(`The incident was not saved: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#saving = null;
    this.show();
  }
}
