// Tracks as APP-6 (MIL-STD-2525D) symbols: the frame says identity and dimension, the icon the class. Nobody tells Aegis who is friend or
// foe: what is assessed as HIGH or CRITICAL has the frame of a suspect, everything else that of an unknown, dashed (pending) before it is assessed.

import type { Level } from "./messages.ts";

const AIR = new Set(["DRONE", "BIRD", "AIRCRAFT", "HELICOPTER", "MISSILE"]);
const LOBE = 4.75; // of the frame of an unknown [CSS pixels]
/** How full each level's frame is drawn, and with how wide a line. */
const LOOKS: Record<Level, { fill: number; line: number }> = {
  CRITICAL: { fill: 1, line: 1.6 },
  HIGH: { fill: 0.3, line: 1.6 },
  MEDIUM: { fill: 0.4, line: 2.2 },
  LOW: { fill: 0.12, line: 1.1 },
  NONE: { fill: 0.12, line: 1.2 },
};

/** Draw a track's symbol around a point; one that coasts is hollow and underlined. */
export function drawApp6(
  g: CanvasRenderingContext2D, kind: string, level: Level, coasts: boolean, x: number, y: number, colour: string, ground: string,
): void {
  const { fill, line } = LOOKS[level];
  const filled = coasts ? 0 : fill;
  g.save();
  g.translate(x, y);
  g.lineJoin = "round";
  g.strokeStyle = g.fillStyle = colour;
  traceFrame(g, level === "CRITICAL" || level === "HIGH", AIR.has(kind));
  g.globalAlpha = filled;
  g.fill();
  g.globalAlpha = 1;
  g.lineWidth = line;
  if (level === "NONE") g.setLineDash([2.5, 2]);
  g.stroke();
  g.setLineDash([]);
  if (coasts) g.fillRect(-6, 12, 12, 1.5);
  g.lineWidth = 1.4;
  g.strokeStyle = g.fillStyle = filled === 1 ? ground : colour;
  drawIcon(g, kind);
  g.restore();
}

/** Frames of what flies are open below. */
function traceFrame(g: CanvasRenderingContext2D, suspect: boolean, air: boolean): void {
  g.beginPath();
  if (suspect && air) {
    for (const [x, y] of [[-9, 9], [-9, -1], [0, -11], [9, -1], [9, 9]]) g.lineTo(x, y);
  } else if (suspect) {
    for (const [x, y] of [[0, -12], [12, 0], [0, 12], [-12, 0]]) g.lineTo(x, y);
    g.closePath();
  } else {
    g.arc(-LOBE, 0, LOBE, Math.PI / 2, 1.5 * Math.PI);
    g.arc(0, -LOBE, LOBE, Math.PI, 2 * Math.PI);
    g.arc(LOBE, 0, LOBE, -Math.PI / 2, Math.PI / 2);
    if (!air) g.arc(0, LOBE, LOBE, 0, Math.PI);
  }
}

/** Of each class, lines around the middle, and whether they are filled. 2525D has no bird and no clutter: these are ours. */
const ICONS: Record<string, { lines: number[][][]; filled: boolean }> = {
  DRONE: { lines: [[[-5.5, -2], [0, 1], [5.5, -2], [5.5, 0], [0, 3.5], [-5.5, 0], [-5.5, -2]]], filled: true },
  BIRD: { lines: [[[-5.5, 1], [-3.5, -2], [-1.5, -1.5], [0, 1.5], [1.5, -1.5], [3.5, -2], [5.5, 1]]], filled: false },
  AIRCRAFT: {
    lines: [[[0, 0], [-2.5, -2.2], [-4.5, -2.2], [-5.5, 0], [-4.5, 2.2], [-2.5, 2.2], [0, 0], [2.5, -2.2], [4.5, -2.2], [5.5, 0], [4.5, 2.2], [2.5, 2.2], [0, 0]]],
    filled: true,
  },
  HELICOPTER: { lines: [[[-5.5, -3], [5.5, 3], [5.5, -3], [-5.5, 3], [-5.5, -3]]], filled: true },
  MISSILE: { lines: [[[0, 6], [0, -5]], [[-2.5, -2], [0, -5.5], [2.5, -2]], [[-2.5, 6], [0, 3.5], [2.5, 6]]], filled: false },
  VEHICLE: { lines: [[[-5, -2.5], [5, -2.5], [5, 1.5], [-5, 1.5], [-5, -2.5]], [[-3, 2.5], [-3, 4]], [[3, 2.5], [3, 4]]], filled: false },
  PERSON: { lines: [[[0, -1.5], [0, 2.5]], [[-3, 0], [3, 0]], [[-2.5, 6], [0, 2.5], [2.5, 6]], [[-0.5, -4.5], [0.5, -4.5]]], filled: false },
  VESSEL: { lines: [[[-6, -0.5], [6, -0.5], [3.5, 3.5], [-3.5, 3.5], [-6, -0.5]], [[0, -0.5], [0, -5]]], filled: true },
  CLUTTER: { lines: [[[-3.5, -3.5], [3.5, 3.5]], [[-3.5, 3.5], [3.5, -3.5]]], filled: false },
};

function drawIcon(g: CanvasRenderingContext2D, kind: string): void {
  const icon = ICONS[kind];
  if (!icon) {
    g.font = "bold 11px system-ui, 'DejaVu Sans', sans-serif";
    g.textAlign = "center";
    g.textBaseline = "middle";
    g.fillText("?", 0, 0.5);
    return;
  }
  g.beginPath();
  for (const line of icon.lines) line.forEach(([x, y], i) => (i ? g.lineTo(x, y) : g.moveTo(x, y)));
  if (icon.filled) g.fill();
  g.stroke();
}
