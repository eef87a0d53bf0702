// What is protected and watched, as the scope shows it.

import type { Place } from "./camera.ts";
import type { ProtectedArea } from "./messages.ts";

/** Draw assets and zones; those with an alarm that nobody has seen in its colour. */
export function drawAreas(
  g: CanvasRenderingContext2D, at: Place, scale: number, areas: readonly ProtectedArea[], alarmed: ReadonlySet<string>,
  colours: { line: string; alarm: string },
): void {
  g.save();
  g.textAlign = "center";
  for (const area of areas) {
    g.beginPath();
    let [left, right, top] = [Infinity, -Infinity, Infinity];
    const reach = (x: number, y: number) => [left, right, top] = [Math.min(left, x), Math.max(right, x), Math.min(top, y)];
    if (area.outline_m.length) {
      for (const corner of area.outline_m) {
        const [x, y] = at(...corner);
        g.lineTo(x, y);
        reach(x, y);
      }
      g.closePath();
    } else {
      const [x, y] = at(area.x_m, area.y_m);
      const r = (area.radius_m ?? 0) * scale;
      g.arc(x, y, r, 0, 2 * Math.PI);
      reach(x - r, y - r);
      reach(x + r, y);
    }
    const isAlarmed = alarmed.has(area.name);
    g.strokeStyle = g.fillStyle = isAlarmed ? colours.alarm : colours.line;
    g.lineWidth = isAlarmed ? 2.5 : 1.25;
    g.setLineDash(area.kind === "ASSET" ? [] : [9, 5]);
    g.stroke();
    if (area.kind === "ASSET") {
      g.globalAlpha *= 0.12;
      g.fill();
      g.globalAlpha /= 0.12;
    }
    g.setLineDash([]);
    g.fillText(area.name, (left + right) / 2, top - 7);
  }
  g.restore();
}
