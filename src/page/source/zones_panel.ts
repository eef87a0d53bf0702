// The zones that people draw: a list, and a form for the one that is being drawn or changed. Only for who may.

import { byId, fillChildren, parts, setText, withChildren } from "./dom.ts";
import type { Heard } from "./heard.ts";
import type { DrawnZone, ZoneRule } from "./messages.ts";
import type { Scope } from "./scope.ts";
import { cornersOf, Draft, textOf, type Corner } from "./zone_draft.ts";
import { ZoneOverlay } from "./zone_overlay.ts";
import { CLASSES, contentOf, entryText, isAsked, MOST_RULES, ruleOf, unwatchedText, zoneText } from "./zone_rule.ts";

const SCOPE = "zones:write";
const AGAIN_MS = 2000; // until a zone is watched, or the bridge has answered
const SURE_MS = 5000;
const PARTS = [["span", "name"], ["button", "act"], ["span", "text"], ["span", "problem"]] as const;
const USUAL: ZoneRule = { when: "inside", stay_s: 60, cpa_m: 500, within_s: 60, probability: 0.5, hold_s: 30, priority: 2, classes: [] };

/** What the panel asks of the bridge. */
export interface Bridge {
  may(scope: string): boolean;
  read<T>(path: string): Promise<T | null>;
  command(path: string, content: object | undefined, method: string, headers?: Record<string, string>): Promise<void>;
}

const input = (id: string) => byId<HTMLInputElement>(id);
const entries = () => [...document.querySelectorAll<HTMLInputElement | HTMLSelectElement>("#zone-form [data-rule]")];

export class ZonesPanel {
  readonly overlay: ZoneOverlay;
  #zones: DrawnZone[] = [];
  #known: DrawnZone | null = null; // the one that is changed; null: a new one
  #rules: ZoneRule[] = []; // of the form
  #shown = 0; // which of them
  #told = ""; // what the stream said is drawn, when the list was read
  #readAt = -Infinity;
  #sureUntil = 0; // a second click before that removes the zone
  #isOpen = false;

  constructor(readonly heard: Heard, scope: Scope, readonly bridge: Bridge) {
    this.overlay = new ZoneOverlay(scope, document.querySelector("#zone-overlay") as SVGSVGElement, () => this.#onDraft());
    byId("zone-classes").append(...CLASSES.map((name) => {
      const label = document.createElement("label");
      const box = Object.assign(document.createElement("input"), { type: "checkbox", value: name });
      label.append(box, ` ${name.toLowerCase()}`);
      return label;
    }));
    byId("zones").addEventListener("click", () => this.toggle());
    byId("zone-draw").addEventListener("click", () => this.#edit(null));
    byId("zone-cancel").addEventListener("click", () => this.cancel());
    byId("zone-remove").addEventListener("click", () => void this.#remove());
    byId("zone-when").addEventListener("change", () => this.#showAsked());
    byId("zone-rules").addEventListener("click", (event) => {
      const { number } = (event.target as HTMLElement).dataset;
      if (number === undefined) return;
      this.#keepRule();
      this.#showRule(Number(number));
    });
    byId("zone-rule-add").addEventListener("click", () => {
      this.#keepRule();
      this.#rules.push({ ...USUAL });
      this.#showRule(this.#rules.length - 1);
      byId("zone-when").focus();
    });
    byId("zone-rule-remove").addEventListener("click", () => {
      this.#rules.splice(this.#shown, 1);
      this.#showRule(Math.min(this.#shown, this.#rules.length - 1));
    });
    byId("zone-corners").addEventListener("change", () => this.#takeCorners());
    byId("zone-list").addEventListener("click", (event) => {
      const name = (event.target as HTMLElement).dataset.zone;
      const zone = this.#zones.find((one) => one.name === name);
      if (zone) this.#edit(zone);
    });
    byId("zone-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save();
    });
    byId("zone-form").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.cancel();
    });
    document.addEventListener("keydown", (event) => this.#key(event), { capture: true });
  }

  toggle(): void {
    this.#isOpen = !this.#isOpen;
    if (!this.#isOpen) this.cancel();
    this.#told = "";
    this.#showPanel();
  }

  /** Leave the zone as it was. */
  cancel(): void {
    this.overlay.end();
    this.#known = null;
    this.#showPanel();
  }

  /** Called again and again; `isPast`: what is shown is not of now. */
  show(now: number, isPast: boolean): void {
    const may = this.bridge.may(SCOPE) && !isPast && this.heard.connection !== "signed-out";
    byId("zones").hidden = !may;
    if (!may && this.#isOpen) this.toggle();
    if (!this.#isOpen) return;
    const drawn = this.heard.areas.filter((area) => area.origin === "DRAWN").map(({ name, version }) => `${name} ${version}`).join("\n");
    const isOver = now - this.#readAt > AGAIN_MS;
    if (drawn !== this.#told || (isOver && this.#zones.some((zone) => !zone.watched))) {
      this.#told = drawn;
      void this.#read(now);
    }
    if (now > this.#sureUntil) setText(byId("zone-remove"), "Delete");
  }

  async #read(now: number): Promise<void> {
    this.#readAt = now;
    const found = await this.bridge.read<{ items: DrawnZone[] }>("/api/zones").catch(() => null);
    if (found) this.#zones = found.items;
    setText(byId("zone-note"), found ? (found.items.length ? "" : "None is drawn.") : "The bridge does not say which zones there are.");
    if (!found) setTimeout(() => { this.#told = "?"; }, AGAIN_MS);
    fillChildren(byId("zone-list"), this.#zones, () => withChildren("li", PARTS), (line, zone) => {
      const [name, edit, text, problem] = parts(line);
      setText(name, zone.name);
      edit.dataset.zone = zone.name;
      edit.setAttribute("aria-label", `Edit ${zone.name}`);
      setText(edit, "Edit");
      setText(text, `${zoneText(zone)}; by ${zone.changed_by}`);
      setText(problem, unwatchedText(zone));
    });
  }

  /** Begin with a zone that is there, or with a new one. */
  #edit(zone: DrawnZone | null): void {
    this.#known = zone;
    this.#rules = zone ? zone.rules.map((rule) => ({ ...rule })) : [{ ...USUAL }];
    input("zone-name").value = zone?.name ?? "";
    input("zone-name").readOnly = zone !== null;
    input("zone-floor").value = String(zone?.floor_m ?? "");
    input("zone-ceiling").value = String(zone?.ceiling_m ?? "");
    this.#showRule(0);
    byId("zone-remove").hidden = zone === null;
    setText(byId("zone-problem"), "");
    this.overlay.begin(new Draft(zone ? zone.outline_m.map((corner): Corner => [...corner]) : []));
    this.#onDraft();
    if (zone) input("zone-floor").focus();
    else this.overlay.scope.canvas.focus();
  }

  #onDraft(): void {
    const { draft } = this.overlay;
    const wasDrawing = byId("zone-form").hidden;
    this.overlay.show();
    if (draft) byId<HTMLTextAreaElement>("zone-corners").value = textOf(draft.corners);
    this.#showPanel();
    if (wasDrawing && draft?.closed) input("zone-name").focus();
  }

  #showPanel(): void {
    const { draft, isDrawing } = this.overlay;
    byId("zones").setAttribute("aria-pressed", String(this.#isOpen));
    byId("zone-panel").hidden = !this.#isOpen;
    byId("zone-browse").hidden = draft !== null;
    byId("zone-help").hidden = !isDrawing;
    byId("zone-form").hidden = draft === null || isDrawing;
    setText(byId("zone-count"), isDrawing ? `${draft?.corners.length ?? 0} corners` : "");
  }

  /** Put one of the rules into the form. */
  #showRule(k: number): void {
    this.#shown = k;
    const rule = this.#rules[k];
    byId<HTMLSelectElement>("zone-when").value = String(rule.when);
    for (const entry of entries()) entry.value = entryText(rule, String(entry.dataset.rule));
    for (const box of document.querySelectorAll<HTMLInputElement>("#zone-classes input")) {
      box.checked = (rule.classes as string[]).includes(box.value);
    }
    fillChildren(byId("zone-rules"), this.#rules, () => document.createElement("button"), (button, one) => {
      const number = this.#rules.indexOf(one);
      Object.assign(button, { type: "button", className: "rule" });
      button.dataset.number = String(number);
      button.setAttribute("aria-pressed", String(number === k));
      setText(button, `Rule ${number + 1}`);
    });
    byId("zone-rule-add").hidden = this.#rules.length >= MOST_RULES;
    byId("zone-rule-remove").hidden = this.#rules.length < 2;
    setText(byId("zone-rule-remove"), `Remove rule ${k + 1}`);
    this.#showAsked();
  }

  /** Take what the form says of the rule that it shows. */
  #keepRule(): void {
    const numbers = entries().map(({ dataset, value }) => ({ key: String(dataset.rule), text: value, kinds: dataset.kinds ?? "" }));
    const classes = [...document.querySelectorAll<HTMLInputElement>("#zone-classes input:checked")].map(({ value }) => value);
    this.#rules[this.#shown] = ruleOf(byId<HTMLSelectElement>("zone-when").value, numbers, classes, this.#rules[this.#shown]);
  }

  #showAsked(): void {
    const { value } = byId<HTMLSelectElement>("zone-when");
    for (const entry of entries()) (entry.closest("label") as HTMLElement).hidden = !isAsked(entry.dataset.kinds ?? "", value);
  }

  /** Take corners that were typed in. */
  #takeCorners(): void {
    const corners = cornersOf(byId<HTMLTextAreaElement>("zone-corners").value);
    setText(byId("zone-problem"), corners ? "" : "Corners: a line each, east and north in metres.");
    if (corners) {
      this.overlay.begin(Object.assign(new Draft(corners), { closed: true }));
    }
  }

  async #save(): Promise<void> {
    const { draft } = this.overlay;
    if (!draft) return;
    this.#keepRule();
    await this.#send("PUT", contentOf(draft.corners, input("zone-floor").value, input("zone-ceiling").value, this.#rules));
  }

  async #remove(): Promise<void> {
    if (performance.now() > this.#sureUntil) {
      this.#sureUntil = performance.now() + SURE_MS;
      setText(byId("zone-remove"), "Delete for good?");
      return;
    }
    await this.#send("DELETE");
  }

  /** Let the bridge keep or remove it; what it says against that stays in the form. */
  async #send(method: string, content?: object): Promise<void> {
    const version = this.#known && { "If-Match": `"${this.#known.version}"` };
    try {
      await this.bridge.command(`/api/zones/${encodeURIComponent(input("zone-name").value.trim())}`, content, method, version ?? undefined);
    } catch (error) {
      setText(byId("zone-problem"), error instanceof Error ? error.message : String(error));
      return;
    }
    this.cancel();
    void this.#read(performance.now());
    byId("zone-draw").focus();
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || (event.target as Element).closest("input, select, textarea, dialog")) return;
    const { draft, isDrawing } = this.overlay;
    const acts: Record<string, () => void> = isDrawing && draft ? {
      Enter: () => { if (!draft.close()) draft.closed = true; },
      Backspace: () => draft.back(),
      Escape: () => this.cancel(),
    } : draft ? { Escape: () => this.cancel() } : { z: () => byId("zones").click() };
    if (!acts[event.key] || (event.key === "z" && byId("zones").hidden)) return;
    if (event.key === "Enter" && (event.target as Element).closest("button, a")) return;
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
    if (this.overlay.draft) this.#onDraft();
  }
}
