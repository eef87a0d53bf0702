// A track's symbol says its threat level by shape as well as by colour, and its status by how it is filled.

import type { Level, Track } from "./messages.ts";

const HALF_PI = Math.PI / 2;
/** Corners of each level's shape, and where the first one points; no corners: a circle. */
const SHAPES: Record<Level, { corners: number; first: number; size: number }> = {
  CRITICAL: { corners: 4, first: -HALF_PI, size: 8 }, // a diamond
  HIGH: { corners: 3, first: -HALF_PI, size: 7.5 }, // a triangle
  MEDIUM: { corners: 4, first: -HALF_PI / 2, size: 7 }, // a square
  LOW: { corners: 0, first: 0, size: 4.5 },
  NONE: { corners: 0, first: 0, size: 4 },
};

/** Begin a path in the shape of a level around a point. */
export function tracePath(g: CanvasRenderingContext2D, level: Level, x: number, y: number, scale = 1): void {
  const { corners, first, size } = SHAPES[level];
  g.beginPath();
  if (!corners) {
    g.arc(x, y, size * scale, 0, 2 * Math.PI);
    return;
  }
  for (let i = 0; i < corners; i += 1) {
    const angle = first + (i * 2 * Math.PI) / corners;
    g.lineTo(x + size * scale * Math.cos(angle), y + size * scale * Math.sin(angle));
  }
  g.closePath();
}

/** Draw a track's symbol: filled when confirmed, hollow while it coasts, a small hollow circle while it is tentative. */
export function drawSymbol(
  g: CanvasRenderingContext2D, status: Track["status"], level: Level, x: number, y: number, colour: string, ground: string,
): void {
  if (status === "TENTATIVE") tracePath(g, "NONE", x, y, 0.6);
  else tracePath(g, level, x, y);
  g.fillStyle = status === "CONFIRMED" ? colour : ground;
  g.fill();
  g.stroke();
  if (level === "CRITICAL" && status !== "TENTATIVE") {
    tracePath(g, level, x, y, 1.6);
    g.stroke();
  }
}
