// How the chosen track went: height, speed, RCS and score of the last minutes, from the history.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { byId, setText } from "./dom.ts";
import { read } from "./session.ts";

const EVERY_MS = 2000;
const POINTS = 300; // about a second apart
const HEIGHT_PX = 62;
const TIMES_PX = 26; // below the last one
const PADDING_PX = 16; // of the place they are in

/** A line: times [s since 1970], ascending, and values; null is a gap. */
export type Line = [times: number[], values: (number | null)[]];

interface Sample {
  stamp_s: number;
  position_m: { z: number | null };
  velocity_mps: number | null;
  rcs_dbsm: number | null;
}

interface Assessed {
  stamp_s: number;
  score: number | null;
}

/** A line of rows that come newest first; rows of the same time are one. */
export function lineOf<T extends { stamp_s: number }>(rows: readonly T[], value: (row: T) => number | null): Line {
  const times: number[] = [];
  const values: (number | null)[] = [];
  for (const row of [...rows].reverse()) {
    if (row.stamp_s === times.at(-1)) values[values.length - 1] = value(row);
    else {
      times.push(row.stamp_s);
      values.push(value(row));
    }
  }
  return [times, values];
}

/** What stands above a chart; where no value is known, it says so. */
export function titleOf(label: string, [, values]: Line): string {
  return values.some((value) => value !== null) ? label : `${label}: none on record`;
}

export class Charts {
  #charts: uPlot[] = [];
  #wanted: number | null = null;
  #askedAt = -Infinity;

  /** Show a track's charts, or none. Called several times a second. */
  show(track: number | null, now: number): void {
    if (track !== this.#wanted) {
      this.#wanted = track;
      this.#askedAt = -Infinity;
      this.#clear();
    }
    if (track === null || now - this.#askedAt < EVERY_MS) return;
    this.#askedAt = now;
    void this.#ask(track);
  }

  /** Draw anew, in the colours of another theme. */
  recolour(): void {
    this.#clear();
    this.#askedAt = -Infinity;
  }

  async #ask(track: number): Promise<void> {
    const [ways, threats] = await Promise.all([
      read<{ items: Sample[] }>(`/api/radar/tracks/${track}/history?limit=${POINTS}`).catch(() => null),
      read<{ items: Assessed[] }>(`/api/threats/history?track_id=${track}&limit=${POINTS}`).catch(() => null),
    ]);
    if (track !== this.#wanted || !ways) return; // without the history there are no charts
    this.#draw([
      ["height m", lineOf(ways.items, (row) => row.position_m.z)],
      ["speed m/s", lineOf(ways.items, (row) => row.velocity_mps)],
      ["RCS dBsm", lineOf(ways.items, (row) => row.rcs_dbsm)],
      ["threat score", lineOf(threats?.items ?? [], (row) => row.score)],
    ]);
  }

  #draw(lines: [label: string, line: Line][]): void {
    const place = byId("charts");
    const times = lines.flatMap(([, [of]]) => of);
    place.hidden = times.length === 0;
    const width = place.clientWidth - PADDING_PX; // only now: what is hidden has none
    if (!times.length || width <= 0) return;
    const [first, last] = [Math.min(...times), Math.max(...times)];
    lines.forEach(([label, line], i) => {
      this.#charts[i] ??= new uPlot(options(label, width, i === lines.length - 1), line, place);
      this.#charts[i].setData(line, false);
      setText(this.#charts[i].root.querySelector(".u-title") as Element, titleOf(label, line));
      this.#charts[i].setScale("x", { min: first, max: Math.max(last, first + 1) });
    });
  }

  #clear(): void {
    for (const chart of this.#charts) chart.destroy();
    this.#charts = [];
    byId("charts").hidden = true;
  }
}

function options(label: string, width: number, isLast: boolean): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: colour("dim"), grid: { stroke: colour("line"), width: 1 }, font: "10px system-ui, sans-serif" };
  return {
    title: label,
    width,
    height: HEIGHT_PX + (isLast ? TIMES_PX : 0),
    padding: [4, 8, isLast ? 0 : 4, 0],
    legend: { show: false },
    cursor: { sync: { key: "track" }, drag: { x: false, y: false } },
    scales: { y: { range: (_, low, high) => (label === "threat score" ? [0, 1] : spread(low, high)) } },
    axes: [{ ...axis, size: TIMES_PX, show: isLast }, { ...axis, size: 44, space: 16 }],
    series: [{}, { stroke: colour("accent"), width: 1.5, points: { show: false } }],
  };
}

/** The ends of a scale that holds these values: a line that does not move stands in the middle. */
export function spread(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const margin = Math.max((high - low) * 0.1, 0.5);
  return [low - margin, high + margin];
}
