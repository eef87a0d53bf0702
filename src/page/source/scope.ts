// The plan position indicator: north up. It draws what it is given and knows nothing else.

import { drawAreas } from "./areas.ts";
import { bearingText, leaderSeconds, lengthText, roundRange, type Camera, type Place } from "./camera.ts";
import type { Glow, Point } from "./heard.ts";
import { LABEL, Labels } from "./labels.ts";
import { LEVELS, type Level, type ProtectedArea, type Sensor, type Signal, type Track } from "./messages.ts";
import { drawSymbol } from "./symbols.ts";

/** What is drawn. */
export interface View {
  camera: Camera;
  tracks: Track[];
  glows: Glow[]; // the detections
  sensor: Sensor | null;
  signals: Signal[];
  areas: ProtectedArea[];
  alarmed: ReadonlySet<string>; // names of areas with an alarm that nobody has seen
  levels: Map<number, Level>; // by track
  trails: Map<number, Point[]>; // by track
  sigma: Sigma | null; // of the chosen track
  measured: { from: Spot; to: Spot } | null;
  stale: boolean;
  detectionsStale: boolean;
  showDetections: boolean;
  showTrails: boolean;
  selected: number | null;
}

/** One-sigma errors of a track's position [m]. */
export interface Sigma {
  track_id: number;
  east: number;
  north: number;
}

export interface Spot {
  east: number;
  north: number;
}

interface Label {
  x: number;
  y: number;
  track: Track;
  level: Level;
  selected: boolean;
}

const RINGS = 4;
const AFTERGLOW = 0.7; // by which a plot fades until the antenna comes round again
const FONT = "11px system-ui, 'DejaVu Sans', sans-serif";
const RADIANS = Math.PI / 180;
const TWO_SIGMA = 2;

const INKS = ["scope", "ring", "words", "plot", "label", "chosen", "strobe", "sensor"] as const;
type Colours = Record<Level | (typeof INKS)[number], string>;

/** The colours of the theme; those of the levels are in palette.css, for all viewers. Canvases know no styles. */
function coloursOf(theme: CSSStyleDeclaration): Colours {
  const entries = [...LEVELS, ...INKS].map((name) => [name, theme.getPropertyValue(`--${name.toLowerCase()}`).trim()]);
  return Object.fromEntries(entries) as Colours;
}

export class Scope {
  readonly #g: CanvasRenderingContext2D;
  #colours = coloursOf(getComputedStyle(document.documentElement));
  #autoRange = 1000;
  #spots: { id: number; x: number; y: number }[] = []; // where tracks were drawn, to find the one that is clicked
  #last: View | null = null;
  range = 1000; // of the last drawing, from the middle to the edge [m]
  leaderS = 0; // how far ahead its leaders show the tracks

  constructor(readonly canvas: HTMLCanvasElement) {
    this.#g = canvas.getContext("2d") as CanvasRenderingContext2D;
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  /** Take the colours of the page's theme. */
  recolour(): void {
    this.#colours = coloursOf(getComputedStyle(document.documentElement));
    if (this.#last) this.draw(this.#last);
  }

  resize(): void {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
    this.canvas.height = Math.round(this.canvas.clientHeight * ratio);
    if (this.#last) this.draw(this.#last);
  }

  /** Grow at once, shrink only when the picture would be much too small, so that the scale stays calm. */
  #fitRange({ tracks, camera, sensor }: View): number {
    let furthest = 50;
    for (const { status, position_m: { x, y } } of tracks) {
      if (status === "TENTATIVE") continue; // they come and go
      furthest = Math.max(furthest, Math.hypot((x ?? 0) - camera.east, (y ?? 0) - camera.north));
    }
    if (sensor) furthest = Math.max(furthest, Math.hypot(sensor.x_m - camera.east, sensor.y_m - camera.north));
    const wanted = roundRange(furthest * 1.08);
    if (wanted > this.#autoRange || wanted < this.#autoRange * 0.6) this.#autoRange = wanted;
    return this.#autoRange;
  }

  /** The track drawn nearest to a point of the canvas [CSS pixels], or null. */
  trackAt(x: number, y: number): number | null {
    let best = null;
    let bestDistance = 14;
    for (const spot of this.#spots) {
      const distance = Math.hypot(spot.x - x, spot.y - y);
      if (distance < bestDistance) [best, bestDistance] = [spot.id, distance];
    }
    return best;
  }

  /** The point of the map under a point of the canvas [CSS pixels]. */
  spotAt(x: number, y: number): Spot {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const { east, north } = this.#last?.camera ?? { east: 0, north: 0 };
    const scale = this.metresPerPixel();
    return { east: east + (x - width / 2) * scale, north: north - (y - height / 2) * scale };
  }

  metresPerPixel(): number {
    return this.range / Math.max(this.#radius(), 1);
  }

  #radius(): number {
    return Math.min(this.canvas.clientWidth, this.canvas.clientHeight) / 2 - 26;
  }

  draw(view: View): void {
    this.#last = view;
    const g = this.#g;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.canvas.width / ratio, this.canvas.height / ratio];
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    const radius = Math.min(width, height) / 2 - 26;
    if (radius < 20) return;
    this.range = view.camera.range ?? this.#fitRange(view);
    const scale = radius / this.range;
    const [cx, cy] = [width / 2, height / 2];
    const at: Place = (east, north) => [
      cx + ((east ?? 0) - view.camera.east) * scale, cy - ((north ?? 0) - view.camera.north) * scale,
    ];

    this.#drawGrid(cx, cy, radius);
    g.save();
    g.beginPath();
    g.arc(cx, cy, radius, 0, 2 * Math.PI);
    g.clip();
    this.#drawOrigin(at);
    drawAreas(g, at, scale, view.areas, view.alarmed, { line: this.#colours.words, alarm: this.#colours.CRITICAL });
    if (view.sensor) this.#drawSensor(at, view.sensor);
    g.globalAlpha = view.stale ? 0.3 : 1;
    if (view.sensor) for (const signal of view.signals) this.#drawStrobe(at, view.sensor, signal, 2 * radius / scale);
    if (view.showTrails) this.#drawTrails(at, view);
    if (view.showDetections && !view.detectionsStale) for (const glow of view.glows) this.#drawDetections(at, glow);
    this.#drawTracks(at, view, scale);
    if (view.measured) this.#drawMeasured(at, view.measured.from, view.measured.to);
    g.restore();
  }

  #drawGrid(cx: number, cy: number, radius: number): void {
    const g = this.#g;
    g.fillStyle = this.#colours.scope;
    g.beginPath();
    g.arc(cx, cy, radius, 0, 2 * Math.PI);
    g.fill();
    g.lineWidth = 1;
    g.font = FONT;
    g.strokeStyle = this.#colours.ring;
    g.fillStyle = this.#colours.words;
    g.textBaseline = "middle";
    g.textAlign = "center";
    for (let i = 0; i < 36; i += 1) {
      const angle = i * 10 * RADIANS;
      const [sx, sy] = [Math.sin(angle), -Math.cos(angle)];
      const inner = i % 9 ? (i % 3 ? 0.985 : 0.97) : 0.94;
      g.beginPath();
      g.moveTo(cx + sx * radius * inner, cy + sy * radius * inner);
      g.lineTo(cx + sx * radius, cy + sy * radius);
      g.stroke();
      if (i % 3) continue;
      g.fillText(i % 9 ? String(i * 10).padStart(3, "0") : "NESW"[i / 9], cx + sx * (radius + 14), cy + sy * (radius + 14));
    }
    g.textAlign = "left";
    for (let ring = 1; ring <= RINGS; ring += 1) {
      const r = (radius * ring) / RINGS;
      g.beginPath();
      g.arc(cx, cy, r, 0, 2 * Math.PI);
      g.stroke();
      g.fillText(lengthText((this.range * ring) / RINGS), cx + 4, cy - r + 9);
    }
  }

  #drawOrigin(at: Place): void {
    const g = this.#g;
    const [x, y] = at(0, 0);
    g.strokeStyle = this.#colours.words;
    g.beginPath();
    g.moveTo(x - 4, y); g.lineTo(x + 4, y);
    g.moveTo(x, y - 4); g.lineTo(x, y + 4);
    g.stroke();
  }

  #drawSensor(at: Place, sensor: Sensor): void {
    const g = this.#g;
    const [x, y] = at(sensor.x_m, sensor.y_m);
    const heading = sensor.heading_deg * RADIANS;
    g.strokeStyle = this.#colours.sensor;
    g.beginPath();
    g.arc(x, y, 5, 0, 2 * Math.PI);
    g.moveTo(x + 5 * Math.sin(heading), y - 5 * Math.cos(heading));
    g.lineTo(x + 14 * Math.sin(heading), y - 14 * Math.cos(heading));
    g.stroke();
  }

  /** The direction that a jammer is in, with its error: where along it nobody knows. */
  #drawStrobe(at: Place, sensor: Sensor, signal: Signal, length: number): void {
    if (signal.azimuth_deg === null) return;
    const g = this.#g;
    const end = (azimuth: number): [number, number] => {
      const bearing = (sensor.heading_deg - azimuth) * RADIANS; // azimuths are anticlockwise
      return at(sensor.x_m + length * Math.sin(bearing), sensor.y_m + length * Math.cos(bearing));
    };
    const from = at(sensor.x_m, sensor.y_m);
    const error = TWO_SIGMA * (signal.azimuth_sigma_deg ?? 0);
    g.save();
    g.strokeStyle = g.fillStyle = this.#colours.strobe;
    g.beginPath();
    g.moveTo(...from);
    g.lineTo(...end(signal.azimuth_deg - error));
    g.lineTo(...end(signal.azimuth_deg + error));
    g.closePath();
    g.globalAlpha *= 0.15;
    g.fill();
    g.restore();
    g.save();
    g.strokeStyle = this.#colours.strobe;
    g.setLineDash([8, 4]);
    g.beginPath();
    g.moveTo(...from);
    g.lineTo(...end(signal.azimuth_deg));
    g.stroke();
    g.restore();
  }

  #drawTrails(at: Place, view: View): void {
    const g = this.#g;
    g.lineWidth = 1;
    for (const track of view.tracks) {
      const trail = view.trails.get(track.track_id);
      if (!trail?.length) continue;
      g.strokeStyle = `${this.#colours[view.levels.get(track.track_id) ?? "NONE"]}70`;
      g.beginPath();
      for (const [east, north] of trail) g.lineTo(...at(east, north));
      g.lineTo(...at(track.position_m.x, track.position_m.y));
      g.stroke();
    }
  }

  #drawDetections(at: Place, { items: detections, sensor: { x_m: sx, y_m: sy, heading_deg: heading }, share }: Glow): void {
    const g = this.#g;
    g.save();
    g.globalAlpha *= 1 - AFTERGLOW * share;
    g.fillStyle = this.#colours.plot;
    for (const detection of detections) {
      // Anticlockwise from the sensor's forward axis, turned into map (x east, y north).
      const angle = (90 - heading + detection.azimuth_deg) * RADIANS;
      const ground = detection.range_m * Math.cos((detection.elevation_deg ?? 0) * RADIANS);
      const [x, y] = at(sx + ground * Math.cos(angle), sy + ground * Math.sin(angle));
      g.fillRect(x - 1.25, y - 1.25, 2.5, 2.5);
    }
    g.restore();
  }

  #drawTracks(at: Place, view: View, scale: number): void {
    const g = this.#g;
    const labels: Label[] = [];
    this.#spots = [];
    const fastest = Math.max(0, ...view.tracks.filter(({ status }) => status !== "TENTATIVE").map((track) => track.velocity_mps ?? 0));
    this.leaderS = leaderSeconds(fastest, this.range);
    for (const track of view.tracks) {
      const { x: east, y: north } = track.position_m;
      if (east === null || north === null) continue;
      const level = view.levels.get(track.track_id) ?? "NONE";
      const selected = track.track_id === view.selected;
      const tentative = track.status === "TENTATIVE";
      const [x, y] = at(east, north);
      this.#spots.push({ id: track.track_id, x, y });
      g.strokeStyle = this.#colours[level];
      g.lineWidth = 1.5;
      const { x: ve, y: vn } = track.velocity_vector_mps;
      if (!tentative && ve !== null && vn !== null) {
        g.beginPath();
        g.moveTo(x, y);
        g.lineTo(...at(east + ve * this.leaderS, north + vn * this.leaderS));
        g.stroke();
      }
      drawSymbol(g, track, level, x, y, this.#colours[level], this.#colours.scope);
      if (selected) {
        g.strokeStyle = this.#colours.chosen;
        g.beginPath();
        g.arc(x, y, 14, 0, 2 * Math.PI);
        g.stroke();
        if (view.sigma?.track_id === track.track_id) this.#drawSigma(x, y, view.sigma, scale);
      }
      if (selected || !tentative) labels.push({ x, y, track, level, selected });
    }
    this.#drawLabels(labels);
  }

  #drawSigma(x: number, y: number, sigma: Sigma, scale: number): void {
    const g = this.#g;
    g.save();
    g.setLineDash([3, 3]);
    g.beginPath();
    g.ellipse(x, y, TWO_SIGMA * sigma.east * scale, TWO_SIGMA * sigma.north * scale, 0, 0, 2 * Math.PI);
    g.stroke();
    g.restore();
  }

  /** Name the tracks, the threatening ones first; a name without a free place is left out. */
  #drawLabels(labels: Label[]): void {
    const g = this.#g;
    const rank = (label: Label) => (label.selected ? -1 : LEVELS.indexOf(label.level));
    labels.sort((a, b) => rank(a) - rank(b) || a.track.track_id - b.track.track_id);
    const places = new Labels();
    g.font = FONT;
    g.textAlign = "left";
    for (const { x, y, track, level, selected } of labels) {
      const box = places.place(x, y);
      if (!box) continue;
      const left = box.x < x;
      g.textAlign = left ? "right" : "left";
      const edge = left ? box.x + LABEL.width : box.x;
      g.fillStyle = selected ? this.#colours.chosen : this.#colours.label;
      g.fillText(String(track.track_id), edge, box.y + 7);
      g.fillStyle = this.#colours[level];
      g.fillText(track.class.toLowerCase(), edge, box.y + 19);
    }
    g.textAlign = "left";
  }

  #drawMeasured(at: Place, from: Spot, to: Spot): void {
    const g = this.#g;
    const [x, y] = at(to.east, to.north);
    g.strokeStyle = g.fillStyle = this.#colours.chosen;
    g.lineWidth = 1;
    g.beginPath();
    g.moveTo(...at(from.east, from.north));
    g.lineTo(x, y);
    g.stroke();
    g.fillText(bearingText(to.east - from.east, to.north - from.north), x + 8, y - 8);
  }
}
