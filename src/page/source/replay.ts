// The past, from the bridge's history: a time that goes on, or stands, and the picture of it.

import { byId, setText } from "./dom.ts";
import { Heard } from "./heard.ts";
import type { PastPicture } from "./messages.ts";
import { read } from "./session.ts";
import { dateText } from "./times.ts";

const TRAIL_S = 60;
const JUMP_S = 20; // beyond this the trails are asked for anew
const STEP_S = 1; // of the keys
const BEGIN_S = 60; // before now, where it begins
const MARKS = "name=THREAT_CRITICAL&name=ALARM_RAISED&severity=WARNING&severity=ERROR&limit=200";

/** The time [s since 1970] after some more seconds at a speed; it never runs into the future. */
export function advanced(t: number, elapsedS: number, speed: number, nowS: number): number {
  return Math.min(t + elapsedS * speed, nowS);
}

/** What the page says while it shows the past. */
export function replayText(t: number, ageS: number | null, isKnown: boolean): string {
  const when = dateText(t);
  if (!isKnown) return `REPLAY ${when}: asking the history`;
  if (ageS === null) return `REPLAY ${when}: nothing is on record of this time`;
  return `REPLAY ${when}: this is not live`;
}

export class Replay {
  readonly heard = new Heard(); // what the panels show meanwhile
  t: number | null = null; // the time that is shown; null: the page is live
  playing = false;
  #shown: number | null = null; // the time of the last picture
  #ageS: number | null = null;
  #problem = "";
  #asking = false;
  #tickedAt = 0;

  /** `changed` is called when there is another picture, and when replay begins and ends; `nowS` tells the time of the graph. */
  constructor(readonly changed: () => void, readonly nowS: () => number) {
    this.heard.connection = "replay";
    byId("replay").addEventListener("click", () => (this.t === null ? this.begin(this.nowS() - BEGIN_S) : this.end()));
    byId("replay-live").addEventListener("click", () => this.end());
    byId("replay-play").addEventListener("click", () => this.toggle());
    byId("replay-time").addEventListener("input", (event) => this.seek(Number((event.target as HTMLInputElement).value)));
    byId("replay-window").addEventListener("change", () => this.#showWindow());
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  get text(): string {
    return this.#problem || replayText(this.t ?? 0, this.#ageS, this.#shown !== null);
  }

  begin(t: number): void {
    this.playing = true;
    this.seek(t);
    this.#showWindow();
  }

  end(): void {
    this.t = this.#shown = null;
    this.playing = false;
    this.changed();
  }

  toggle(): void {
    this.playing = !this.playing;
    this.changed();
  }

  seek(t: number): void {
    this.t = Math.min(t, this.nowS());
    this.#tickedAt = performance.now();
    void this.#ask();
    this.changed();
  }

  /** Go on in time; called several times a second. */
  tick(now: number): void {
    if (this.t === null) return;
    const elapsedS = (now - this.#tickedAt) / 1000;
    this.#tickedAt = now;
    if (this.playing) {
      this.t = advanced(this.t, elapsedS, Number(byId<HTMLSelectElement>("replay-speed").value), this.nowS());
      void this.#ask();
    }
    this.#show();
  }

  #show(): void {
    const slider = byId<HTMLInputElement>("replay-time");
    if (document.activeElement !== slider || this.playing) slider.value = String(this.t);
    slider.setAttribute("aria-valuetext", dateText(this.t ?? 0));
    setText(byId("replay-play"), this.playing ? "Pause" : "Play");
  }

  /** Set the ends of the slider, and mark what happened there. */
  #showWindow(): void {
    if (this.t === null) return;
    const length = Number(byId<HTMLSelectElement>("replay-window").value);
    const last = Math.min(this.nowS(), this.t + length / 2);
    const slider = byId<HTMLInputElement>("replay-time");
    [slider.min, slider.max] = [String(last - length), String(last)];
    this.#show();
    const within = `since_s=${last - length}&until_s=${last}`;
    void read<{ items: { stamp_s: number }[] }>(`/api/events?${MARKS}&${within}`).catch(() => null).then((found) => {
      byId("replay-marks").replaceChildren(...(found?.items ?? []).map(({ stamp_s: at }) => new Option("", String(at))));
    });
  }

  async #ask(): Promise<void> {
    if (this.#asking || this.t === null) return; // the next tick asks for the time that it is then
    const t = this.t;
    const jumped = this.#shown === null || Math.abs(t - this.#shown) > JUMP_S || t < this.#shown;
    this.#asking = true;
    try {
      const picture = await read<PastPicture>(`/api/replay?t=${t}&trail_s=${jumped ? TRAIL_S : 0}`);
      this.#problem = picture ? "" : "REPLAY: the history does not answer";
      if (picture && this.t !== null) {
        this.heard.takePast(picture, performance.now());
        [this.#shown, this.#ageS] = [t, picture.age_s];
      }
    } catch {
      this.#problem = "REPLAY: the bridge does not answer";
    }
    this.#asking = false;
    this.changed();
    if (!this.playing && this.t !== null && this.t !== t) void this.#ask(); // it was moved meanwhile
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("picture").hidden) return;
    const target = event.target as Element;
    if (target.closest("input, select, textarea, dialog") || (event.key === " " && target.closest("button"))) return;
    if (event.key === "t" && this.t === null) this.begin(this.nowS() - BEGIN_S);
    else if (this.t === null) return;
    else if (event.key === "t" || event.key === "l") this.end();
    else if (event.key === " ") this.toggle();
    else if (event.key === "," || event.key === ".") {
      this.playing = false;
      this.seek(this.t + (event.key === "," ? -STEP_S : STEP_S));
    } else return;
    event.preventDefault();
  }
}
