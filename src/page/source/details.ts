// The chosen track: all that the bridge knows of it, asked for once a second.

import { byId, fillChildren, parts, setText, withChildren } from "./dom.ts";
import type { Sigma } from "./scope.ts";
import { numberText } from "./rows.ts";
import { read } from "./session.ts";

/** What GET /api/radar/tracks/ID says of a track, as far as it is shown. */
export interface Details {
  track_id: number;
  status: string;
  class: string;
  confidence: number | null;
  could_be: string;
  position_sigma_m: { x: number | null; y: number | null; z: number | null };
  rcs_dbsm: number | null;
  existence_probability: number | null;
  age_s: number | null;
  hits: number;
  time_since_update_s: number | null;
  sources: string[]; // trackers that hold it; none where one makes the picture
  class_probability: Record<string, number | null>;
}

const EVERY_MS = 1000;
const LEAST_SHARE = 0.005; // classes with less are not listed

/** What is known of a track, as pairs of a name and a value. */
export function facts(track: Details): [name: string, value: string][] {
  const { x, y, z } = track.position_sigma_m;
  const named = track.class === "UNKNOWN"
    ? `unknown${track.could_be ? `, could be ${track.could_be.toLowerCase()}` : ""}`
    : `${track.class.toLowerCase()} (${numberText(track.confidence, 2)})`;
  return [
    ["class", named],
    ["error 1σ E, N, up", `${numberText(x, 1)}, ${numberText(y, 1)}, ${numberText(z, 1)} m`],
    ["RCS", `${numberText(track.rcs_dbsm, 1)} dBsm`],
    ["exists", numberText(track.existence_probability, 3)],
    ["age", `${numberText(track.age_s, 1)} s, ${track.hits} detections`],
    ["last seen", `${numberText(track.time_since_update_s, 1)} s ago`],
    ...(track.sources.length ? [["held by", track.sources.join(", ")] as [string, string]] : []),
  ];
}

/** The classes it may be of, the most probable first. */
export function shares(track: Details): [name: string, share: number][] {
  return Object.entries(track.class_probability)
    .map(([name, share]) => [name, share ?? 0] as [string, number])
    .filter(([, share]) => share >= LEAST_SHARE)
    .sort((a, b) => b[1] - a[1]);
}

export class DetailsPanel {
  #track: Details | null = null;
  #wanted: number | null = null;
  #askedAt = -Infinity;

  /** The errors of the chosen track's position; null before they are known. */
  get sigma(): Sigma | null {
    const { track_id, position_sigma_m: { x, y } } = this.#track ?? { track_id: 0, position_sigma_m: { x: null, y: null } };
    return x === null || y === null ? null : { track_id, east: x, north: y };
  }

  show(selected: number | null, now: number): void {
    if (selected !== this.#wanted) [this.#wanted, this.#track, this.#askedAt] = [selected, null, -Infinity];
    byId("details").hidden = selected === null;
    if (selected === null) return;
    setText(byId("details-name"), `Track ${selected}`);
    if (now - this.#askedAt >= EVERY_MS) {
      this.#askedAt = now;
      void this.#ask(selected);
    }
  }

  async #ask(id: number): Promise<void> {
    const track = (await read<{ track: Details }>(`/api/radar/tracks/${id}`).catch(() => null))?.track ?? null;
    if (id !== this.#wanted) return;
    this.#track = track;
    byId("details").classList.toggle("gone", !track);
    setText(byId("details-state"), track ? "" : "not in the picture any more");
    if (!track) return;
    fillChildren(byId("facts"), facts(track), () => withChildren("div", [["dt", ""], ["dd", ""]]), (line, [name, value]) => {
      const [term, what] = parts(line);
      setText(term, name);
      setText(what, value);
    });
    fillChildren(byId("shares"), shares(track), () => withChildren("li", [["span", ""], ["meter", ""], ["span", "number"]]),
      (line, [name, share]) => {
        const [term, bar, value] = parts(line);
        setText(term, name.toLowerCase());
        (bar as HTMLMeterElement).value = share;
        setText(value, share.toFixed(2));
      });
  }
}
