// @ts-check
// The plan position indicator: north up, centred on the origin of `map`. It draws what it is given and knows nothing else.

/** @import { Glow, Level, Sensor, Track } from "./stream.js" */

/**
 * What is drawn.
 *
 * @typedef {object} View
 * @property {Track[]} tracks
 * @property {Glow[]} glows  the detections
 * @property {Sensor | null} sensor
 * @property {Map<number, Level>} levels  by track
 * @property {Map<number, [x: number | null, y: number | null][]>} trails  by track
 * @property {number | null} range  to the edge [m]; null: what fits
 * @property {boolean} stale
 * @property {boolean} detectionsStale
 * @property {boolean} showDetections
 * @property {boolean} showTrails
 * @property {number | null} selected
 */

/** @typedef {(east: number | null, north: number | null) => [x: number, y: number]} Place  of the map, on the canvas */
/** @typedef {{x: number, y: number, track: Track, level: Level, selected: boolean}} Label */

/** @type {Level[]} */
const LEVELS = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "NONE"];
const RINGS = 4;
const LEADER_S = 10;           // a track's line ends where it will be after this time
const AFTERGLOW = 0.7;         // by which a plot fades until the antenna comes round again
const LABEL = { width: 62, height: 24 };
const STEPS = [1, 2, 3, 4, 5, 6, 8, 10];
const RADIANS = Math.PI / 180;

/**
 * The next "round" range that holds a distance [m].
 * @param {number} distance
 */
export function roundRange(distance) {
  const decade = 10 ** Math.floor(Math.log10(distance));
  return decade * (STEPS.find((step) => step * decade >= distance * 0.999) ?? 10);
}

/** @param {number} metres */
export function lengthText(metres) {
  return metres >= 1000 ? `${+(metres / 1000).toFixed(2)} km` : `${+metres.toFixed(1)} m`;
}

/** The colours of the levels, which palette.css has for all viewers: canvases know no styles. */
function levelColours() {
  const style = getComputedStyle(document.documentElement);
  const entries = LEVELS.map((level) => [level, style.getPropertyValue(`--${level.toLowerCase()}`).trim()]);
  return /** @type {Record<Level, string>} */ (Object.fromEntries(entries));
}

export class Scope {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.colours = levelColours();
    this.autoRange = 1000;
    /** @type {{id: number, x: number, y: number}[]} */
    this.spots = [];           // where tracks were drawn, to find the one that is clicked
    /** @type {View | null} */
    this.last = null;
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
    this.canvas.height = Math.round(this.canvas.clientHeight * ratio);
    if (this.last) this.draw(this.last);
  }

  /**
   * Grow at once, shrink only when the picture would be much too small, so that the scale stays calm.
   * @param {Track[]} tracks
   */
  fitRange(tracks) {
    let furthest = 50;
    for (const { position_m: { x, y } } of tracks) furthest = Math.max(furthest, Math.hypot(x ?? 0, y ?? 0));
    const wanted = roundRange(furthest * 1.08);
    if (wanted > this.autoRange || wanted < this.autoRange * 0.6) this.autoRange = wanted;
    return this.autoRange;
  }

  /**
   * The track drawn nearest to a point of the canvas [CSS pixels], or null.
   * @param {number} x
   * @param {number} y
   */
  trackAt(x, y) {
    let best = null;
    let bestDistance = 14;
    for (const spot of this.spots) {
      const distance = Math.hypot(spot.x - x, spot.y - y);
      if (distance < bestDistance) [best, bestDistance] = [spot.id, distance];
    }
    return best;
  }

  /** @param {View} view */
  draw(view) {
    this.last = view;
    const { context: g, canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.width / ratio, canvas.height / ratio];
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    const radius = Math.min(width, height) / 2 - 26;
    if (radius < 20) return;
    const range = view.range ?? this.fitRange(view.tracks);
    const scale = radius / range;
    const [cx, cy] = [width / 2, height / 2];
    /** @type {Place} */
    const at = (east, north) => [cx + (east ?? 0) * scale, cy - (north ?? 0) * scale];

    this.drawGrid(cx, cy, radius, range);
    g.save();
    g.beginPath();
    g.arc(cx, cy, radius, 0, 2 * Math.PI);
    g.clip();
    if (view.sensor) this.drawSensor(at, view.sensor);
    g.globalAlpha = view.stale ? 0.3 : 1;
    if (view.showTrails) this.drawTrails(at, view);
    if (view.showDetections && !view.detectionsStale) for (const glow of view.glows) this.drawDetections(at, glow);
    this.drawTracks(at, view);
    g.restore();
  }

  /**
   * @param {number} cx
   * @param {number} cy
   * @param {number} radius
   * @param {number} range
   */
  drawGrid(cx, cy, radius, range) {
    const g = this.context;
    g.fillStyle = "#0d161d";
    g.beginPath();
    g.arc(cx, cy, radius, 0, 2 * Math.PI);
    g.fill();
    g.lineWidth = 1;
    g.font = "11px system-ui, 'DejaVu Sans', sans-serif";
    g.strokeStyle = "#1d2d38";
    g.textBaseline = "middle";
    for (let i = 0; i < 12; i += 1) {
      const angle = i * 30 * RADIANS;
      const [sx, sy] = [Math.sin(angle), -Math.cos(angle)];
      g.beginPath();
      g.moveTo(cx + sx * radius * (i % 3 ? 0.97 : 0.06), cy + sy * radius * (i % 3 ? 0.97 : 0.06));
      g.lineTo(cx + sx * radius, cy + sy * radius);
      g.stroke();
      g.fillStyle = i % 3 ? "#5b7080" : "#9db0bd";
      g.textAlign = "center";
      g.fillText(i % 3 ? String(i * 30).padStart(3, "0") : "NESW"[i / 3], cx + sx * (radius + 14), cy + sy * (radius + 14));
    }
    g.textAlign = "left";
    for (let ring = 1; ring <= RINGS; ring += 1) {
      const r = (radius * ring) / RINGS;
      g.strokeStyle = ring === RINGS ? "#2b4150" : "#1d2d38";
      g.beginPath();
      g.arc(cx, cy, r, 0, 2 * Math.PI);
      g.stroke();
      g.fillStyle = "#6d8393";
      g.fillText(lengthText((range * ring) / RINGS), cx + 4, cy - r + 9);
    }
    g.strokeStyle = "#6d8393";
    g.beginPath();
    g.moveTo(cx - 4, cy); g.lineTo(cx + 4, cy);
    g.moveTo(cx, cy - 4); g.lineTo(cx, cy + 4);
    g.stroke();
  }

  /**
   * @param {Place} at
   * @param {Sensor} sensor
   */
  drawSensor(at, sensor) {
    const g = this.context;
    const [x, y] = at(sensor.x_m, sensor.y_m);
    const heading = sensor.heading_deg * RADIANS;
    g.strokeStyle = "#5fb3a8";
    g.globalAlpha = 0.7;
    g.beginPath();
    g.arc(x, y, 5, 0, 2 * Math.PI);
    g.moveTo(x + 5 * Math.sin(heading), y - 5 * Math.cos(heading));
    g.lineTo(x + 14 * Math.sin(heading), y - 14 * Math.cos(heading));
    g.stroke();
  }

  /**
   * @param {Place} at
   * @param {View} view
   */
  drawTrails(at, view) {
    const g = this.context;
    g.lineWidth = 1;
    for (const track of view.tracks) {
      const trail = view.trails.get(track.track_id);
      if (!trail || trail.length < 2) continue;
      g.strokeStyle = `${this.colours[view.levels.get(track.track_id) ?? "NONE"]}50`;
      g.beginPath();
      g.moveTo(...at(...trail[0]));
      for (const point of trail) g.lineTo(...at(...point));
      g.stroke();
    }
  }

  /**
   * @param {Place} at
   * @param {Glow} glow
   */
  drawDetections(at, { items: detections, sensor: { x_m: sx, y_m: sy, heading_deg: heading }, share }) {
    const g = this.context;
    g.save();
    g.globalAlpha *= 1 - AFTERGLOW * share;
    g.fillStyle = "#c3d3df";
    for (const detection of detections) {
      // Anticlockwise from the sensor's forward axis, turned into map (x east, y north).
      const angle = (90 - heading + detection.azimuth_deg) * RADIANS;
      const ground = detection.range_m * Math.cos((detection.elevation_deg ?? 0) * RADIANS);
      const [x, y] = at(sx + ground * Math.cos(angle), sy + ground * Math.sin(angle));
      g.fillRect(x - 1.25, y - 1.25, 2.5, 2.5);
    }
    g.restore();
  }

  /**
   * @param {Place} at
   * @param {View} view
   */
  drawTracks(at, view) {
    const g = this.context;
    /** @type {Label[]} */
    const labels = [];
    this.spots = [];
    g.font = "11px system-ui, 'DejaVu Sans', sans-serif";
    g.textAlign = "left";
    for (const track of view.tracks) {
      const { x: east, y: north } = track.position_m;
      if (east === null || north === null) continue;
      const level = view.levels.get(track.track_id) ?? "NONE";
      const selected = track.track_id === view.selected;
      const tentative = track.status === "TENTATIVE";
      const [x, y] = at(east, north);
      this.spots.push({ id: track.track_id, x, y });
      g.strokeStyle = g.fillStyle = this.colours[level];
      g.lineWidth = 1.5;
      const { x: ve, y: vn } = track.velocity_vector_mps;
      if (!tentative && ve !== null && vn !== null) {
        g.beginPath();
        g.moveTo(x, y);
        g.lineTo(...at(east + ve * LEADER_S, north + vn * LEADER_S));
        g.stroke();
      }
      g.beginPath();
      g.arc(x, y, tentative ? 2.5 : 4.5, 0, 2 * Math.PI);
      if (track.status === "CONFIRMED") g.fill();
      else {
        g.fillStyle = "#0d161d";
        g.fill();
        g.stroke();
        g.fillStyle = this.colours[level];
      }
      if (selected) {
        g.strokeStyle = "#ffffff";
        g.beginPath();
        g.arc(x, y, 10, 0, 2 * Math.PI);
        g.stroke();
      }
      if (selected || !tentative) labels.push({ x, y, track, level, selected });
    }
    this.drawLabels(labels);
  }

  /**
   * Name the tracks, the threatening ones first; a name that would cover another one is left out.
   * @param {Label[]} labels
   */
  drawLabels(labels) {
    const g = this.context;
    /** @param {Label} label */
    const rank = (label) => (label.selected ? -1 : LEVELS.indexOf(label.level));
    labels.sort((a, b) => rank(a) - rank(b) || a.track.track_id - b.track.track_id);
    /** @type {{x: number, y: number}[]} */
    const placed = [];
    for (const { x, y, track, level, selected } of labels) {
      if (placed.some((p) => Math.abs(p.x - x) < LABEL.width && Math.abs(p.y - y) < LABEL.height)) continue;
      placed.push({ x, y });
      g.fillStyle = selected ? "#ffffff" : "#b9c8d3";
      g.fillText(String(track.track_id), x + 8, y - 6);
      g.fillStyle = this.colours[level];
      g.fillText(track.class.toLowerCase(), x + 8, y + 6);
    }
  }
}
