// What is protected and watched, as the scope shows it.

import type { Place } from "./camera.ts";
import type { ProtectedArea } from "./messages.ts";
import { Taken, type Box } from "./taken.ts";

const HEIGHT = 14; // of a name

/** Draw assets and zones; those with an alarm that nobody has seen in its colour. Their names avoid what is `written`, and are added to it. */
export function drawAreas(
  g: CanvasRenderingContext2D, at: Place, scale: number, areas: readonly ProtectedArea[], alarmed: ReadonlySet<string>,
  colours: { line: string; alarm: string }, written: Box[],
): void {
  const taken = new Taken();
  for (const box of written) taken.add(box);
  g.save();
  g.textAlign = "center";
  for (const area of areas) {
    g.beginPath();
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    const reach = (x: number, y: number) => {
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    };
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
      reach(x + r, y + r);
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
    const width = g.measureText(area.name).width;
    const box = nameBox({ x: left, y: top, width: right - left, height: bottom - top }, width, taken);
    taken.add(box);
    written.push(box);
    g.fillText(area.name, box.x + width / 2, box.y + HEIGHT / 2);
  }
  g.restore();
}

/** Where an area's name goes: above it, below, left or right of it, the first that is free; above, where none is. */
export function nameBox(area: Box, width: number, taken: Taken): Box {
  const [middle, level] = [area.x + (area.width - width) / 2, area.y + (area.height - HEIGHT) / 2];
  const places = [
    [middle, area.y - HEIGHT],
    [middle, area.y + area.height],
    [area.x - width - 4, level],
    [area.x + area.width + 4, level],
  ].map(([x, y]) => ({ x, y, width, height: HEIGHT }));
  return places.find((box) => taken.isFree(box)) ?? places[0];
}
