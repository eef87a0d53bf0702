// The table of tracks: only the rows that can be seen are in the document, so that thousands cost no more than a screenful.

import { byId, fillChildren, parts, setText, withChildren } from "./dom.ts";
import { numberText, type Row } from "./rows.ts";

const ROW_PX = 24; // as in style.css
const AROUND = 8; // rows above and below those that are seen
const STATUS_SIGNS: Record<string, string> = { CONFIRMED: "●", COASTING: "◌", TENTATIVE: "·" };
const COLUMNS: readonly [className: string, text: (row: Row) => string][] = [
  ["", ({ track }) => STATUS_SIGNS[track.status] ?? "?"],
  ["", ({ track }) => String(track.track_id)],
  ["", ({ track }) => track.class.toLowerCase()],
  ["level", ({ level }) => (level === "NONE" ? "" : level)],
  ["number", ({ track }) => numberText(track.range_m, 0)],
  ["number", ({ track }) => numberText(track.bearing_deg, 1)],
  ["number", ({ track }) => numberText(track.position_m.z, 0)],
  ["number", ({ track }) => numberText(track.velocity_mps, 1)],
  ["number", ({ track }) => numberText(track.heading_deg, 0)],
];
const LEVEL_COLUMN = 3;
const CELLS = COLUMNS.map(([className]) => ["td", className] as const);

/** Which rows are to be in the document: from the first to before the last. */
export function seen(scrolled: number, height: number, rows: number): [first: number, last: number] {
  const first = Math.min(Math.max(0, Math.floor(scrolled / ROW_PX) - AROUND), Math.max(0, rows - 1));
  return [first, Math.min(rows, Math.ceil((scrolled + height) / ROW_PX) + AROUND)];
}

let [scrolled, height] = [0, 0]; // of the frame [pixels]; asked of it only when they change: the answer needs a layout of all that was written

/** Call back when other rows are to be seen. */
export function watchTable(changed: () => void): void {
  const frame = byId("table");
  const look = () => {
    [scrolled, height] = [frame.scrollTop, frame.clientHeight];
    changed();
  };
  frame.addEventListener("scroll", look);
  new ResizeObserver(look).observe(frame);
}

export function showTable(rows: readonly Row[], selected: number | null): void {
  const [first, last] = seen(scrolled, height, rows.length);
  byId("rows-above").style.height = `${first * ROW_PX}px`;
  byId("rows-below").style.height = `${(rows.length - last) * ROW_PX}px`;
  fillChildren(byId("tracks"), rows.slice(first, last), () => withChildren("tr", CELLS), (line, row) => {
    const cells = parts(line);
    line.dataset.id = String(row.track_id);
    cells[0].title = row.track.status.toLowerCase();
    line.className = row.track.status + (row.track_id === selected ? " selected" : "");
    COLUMNS.forEach(([, text], i) => setText(cells[i], text(row)));
    cells[LEVEL_COLUMN].className = `level ${row.level}`;
  });
}
