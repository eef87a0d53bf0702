// What the tracks lie on, and what is around them: rings, the coast, what is protected, the sensor and its strobes; bearings. Drawn
// anew only when it changes.

import { drawAreas } from "./areas.ts";
import { lengthText } from "./camera.ts";
import type { Beneath } from "./coast.ts";
import { sensorOf, strobeEnd } from "./marks.ts";
import type { Sensor, Signal } from "./messages.ts";
import type { Box } from "./taken.ts";
import type { Colours, Frame, View } from "./view.ts";

export const FONT = "11px system-ui, 'DejaVu Sans', sans-serif";
const RINGS = 4;
const RADIANS = Math.PI / 180;
const TWO_SIGMA = 2;

export class Ground {
  written: Box[] = []; // where words are, as drawn last
  readonly #g: CanvasRenderingContext2D;
  #drawn: unknown[] = [];

  readonly #edge: CanvasRenderingContext2D;

  /** What moves is drawn between the two: `edge` hides what of it is beyond the scope. */
  constructor(readonly canvas: HTMLCanvasElement, readonly edge: HTMLCanvasElement) {
    this.#g = canvas.getContext("2d") as CanvasRenderingContext2D;
    this.#edge = edge.getContext("2d") as CanvasRenderingContext2D;
  }

  draw(view: View, frame: Frame, colours: Colours, { coast, tiles }: Beneath): void {
    const { width, height, a, b, tx, ty, radius } = frame;
    const ratio = window.devicePixelRatio || 1;
    const sensors = [...view.sensors.values()];
    const now = [
      width, height, a, b, tx, ty, ratio, colours, coast, tiles?.version, view.areas, [...view.alarmed].join("\n"), view.stale, view.signals,
      sensors.map((one) => `${one.x_m} ${one.y_m} ${one.heading_deg}`).join("\n"),
    ];
    if (now.every((value, i) => Object.is(value, this.#drawn[i]))) return;
    this.#drawn = now;
    this.written = [];
    const g = this.#g;
    [this.canvas.width, this.canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.fillStyle = colours.scope;
    g.beginPath();
    g.arc(width / 2, height / 2, radius, 0, 2 * Math.PI);
    g.fill();
    g.save();
    g.clip();
    tiles?.draw(g, frame, colours);
    coast?.draw(g, frame, colours.coast);
    g.restore();
    this.#drawRings(frame, colours);
    this.#drawEdge(frame, colours, ratio);
    g.beginPath();
    g.arc(width / 2, height / 2, radius, 0, 2 * Math.PI);
    g.clip();
    this.#drawOrigin(frame, colours);
    g.font = FONT;
    drawAreas(g, frame.at, frame.scale, view.areas, view.alarmed, { line: colours.words, alarm: colours.CRITICAL }, this.written);
    for (const sensor of sensors) this.#drawSensor(frame, sensor, colours);
    g.globalAlpha = view.stale ? 0.3 : 1;
    for (const signal of view.signals) {
      const sensor = sensorOf(signal, view.sensors);
      if (sensor) this.#drawStrobe(frame, sensor, signal, colours);
    }
  }

  #drawRings({ width, height, radius, range }: Frame, colours: Colours): void {
    const g = this.#g;
    const [cx, cy] = [width / 2, height / 2];
    g.lineWidth = 1;
    g.font = FONT;
    g.strokeStyle = colours.ring;
    g.fillStyle = colours.words;
    g.textBaseline = "middle";
    g.textAlign = "left";
    for (let ring = 1; ring <= RINGS; ring += 1) {
      const r = (radius * ring) / RINGS;
      g.beginPath();
      g.arc(cx, cy, r, 0, 2 * Math.PI);
      g.stroke();
      const words = lengthText((range * ring) / RINGS);
      g.fillText(words, cx + 4, cy - r + 9);
      this.written.push({ x: cx + 4, y: cy - r + 3, width: g.measureText(words).width, height: 12 });
    }
  }

  /** The outside of the scope, with the bearings. */
  #drawEdge({ width, height, radius, up }: Frame, colours: Colours, ratio: number): void {
    const g = this.#edge;
    [this.edge.width, this.edge.height] = [this.canvas.width, this.canvas.height];
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    const [cx, cy] = [width / 2, height / 2];
    g.fillStyle = colours.ground;
    g.beginPath();
    g.rect(0, 0, width, height);
    g.arc(cx, cy, radius, 0, 2 * Math.PI);
    g.fill("evenodd");
    g.lineWidth = 1;
    g.font = FONT;
    g.strokeStyle = colours.ring;
    g.fillStyle = colours.words;
    g.textBaseline = "middle";
    g.textAlign = "center";
    for (let i = 0; i < 36; i += 1) {
      const angle = i * 10 * RADIANS - up;
      const [sx, sy] = [Math.sin(angle), -Math.cos(angle)];
      const inner = i % 9 ? (i % 3 ? 0.985 : 0.97) : 0.94;
      g.beginPath();
      g.moveTo(cx + sx * radius * inner, cy + sy * radius * inner);
      g.lineTo(cx + sx * radius, cy + sy * radius);
      g.stroke();
      if (i % 3) continue;
      g.fillText(i % 9 ? String(i * 10).padStart(3, "0") : "NESW"[i / 9], cx + sx * (radius + 14), cy + sy * (radius + 14));
    }
  }

  #drawOrigin({ at }: Frame, colours: Colours): void {
    const g = this.#g;
    const [x, y] = at(0, 0);
    g.strokeStyle = colours.words;
    g.beginPath();
    g.moveTo(x - 4, y); g.lineTo(x + 4, y);
    g.moveTo(x, y - 4); g.lineTo(x, y + 4);
    g.stroke();
  }

  #drawSensor({ at, up }: Frame, sensor: Sensor, colours: Colours): void {
    const g = this.#g;
    const [x, y] = at(sensor.x_m, sensor.y_m);
    const heading = sensor.heading_deg * RADIANS - up;
    g.strokeStyle = colours.sensor;
    g.lineWidth = 1;
    g.beginPath();
    g.arc(x, y, 5, 0, 2 * Math.PI);
    g.moveTo(x + 5 * Math.sin(heading), y - 5 * Math.cos(heading));
    g.lineTo(x + 14 * Math.sin(heading), y - 14 * Math.cos(heading));
    g.stroke();
  }

  /** The direction that a jammer is in, with its error: where along it nobody knows. */
  #drawStrobe({ at, radius, scale }: Frame, sensor: Sensor, signal: Signal, colours: Colours): void {
    if (signal.azimuth_deg === null) return;
    const g = this.#g;
    const length = (2 * radius) / scale;
    const end = (azimuth: number): [number, number] => at(...strobeEnd(sensor, azimuth, length));
    const from = at(sensor.x_m, sensor.y_m);
    const error = TWO_SIGMA * (signal.azimuth_sigma_deg ?? 0);
    g.save();
    g.strokeStyle = g.fillStyle = colours.strobe;
    g.beginPath();
    g.moveTo(...from);
    g.lineTo(...end(signal.azimuth_deg - error));
    g.lineTo(...end(signal.azimuth_deg + error));
    g.closePath();
    g.globalAlpha *= 0.15;
    g.fill();
    g.restore();
    g.save();
    g.strokeStyle = colours.strobe;
    g.setLineDash([8, 4]);
    g.beginPath();
    g.moveTo(...from);
    g.lineTo(...end(signal.azimuth_deg));
    g.stroke();
    g.restore();
  }
}
