// What has been heard of the stream, and when. Nothing here knows of the document.

import { ageS, meanIntervalMs, staleAfterMs, type Part } from "./ages.ts";
import type {
  Advice, Alarm, Connection, Detection, Level, Message, PastPicture, ProtectedArea, RadarFrame, Sensor, Signal, Status, Threat, Track,
} from "./messages.ts";

/** Detections to be drawn, where on the map they are (east, north and so on [m]), and how much of a turn ago they were. */
export interface Glow {
  items: Detection[];
  places: Float64Array;
  share: number;
}

/** The detections of one message. */
interface Plots extends Omit<Glow, "share"> {
  at: number;
  turnMs: number;
}

/** The scans of a sensor: a scan whose tracks come late is two frames. */
interface Scans {
  sequence: number; // of the last one
  arrivals: number[]; // when the last ones came [ms]
  turnS: number;
}

export type Point = readonly [east: number | null, north: number | null, stampS: number];

const ARRIVALS_KEPT = 20;
const TRAIL_S = 60;
const TRAIL_STEP_S = 0.99; // between the points of a trail, about: a second of stamps is not always one
const RADIANS = Math.PI / 180;
const CLEAR_AFTER_MS = 60000; // a picture this old is taken away

/** Times are of performance.now() [ms]. */
export class Heard {
  connection: Connection = "signed-out";
  lastFrame: number | null = null; // number of the last radar_frame
  missed = 0;
  arrivals: number[] = []; // when the last scans came, of all sensors
  scans = new Map<string, Scans>(); // by sensor
  sensors = new Map<string, Sensor>(); // where each was with its last detections
  detections: (Part & { items: Detection[] }) | null = null;
  plots = new Map<string, Plots[]>(); // by sensor: the last ones, of an antenna that turns those of its last turn
  tracks: (Part & { items: Track[]; stampS: number }) | null = null;
  threats: (Part & { items: Threat[]; unlisted: Record<string, number[]>; listedFrom: Level }) | null = null;
  levels: ReadonlyMap<number, Level> = new Map(); // of the tracks that are assessed
  signals: Signal[] = [];
  advice: Advice[] = [];
  alarms: Alarm[] | null = null;
  areas: ProtectedArea[] = []; // assets and zones
  status: Status | null = null;
  statusAt = 0;
  trails = new Map<number, Point[]>();
  platform: Point[] = []; // where the sensor was, as the trails; of several the first by name
  #platformOf = "";

  /** Forget everything but the connection. */
  clear(): void {
    Object.assign(this, new Heard(), { connection: this.connection });
  }

  /** A connection begins: its frames have numbers of their own. */
  begin(): void {
    this.lastFrame = null;
    this.arrivals = [];
    this.scans.clear();
  }

  /** The time in which the graph stamps, as far as it is known: a recording has its own. */
  nowS(now: number): number {
    return this.tracks ? this.tracks.stampS + ageS(this.tracks, now) : Date.now() / 1000;
  }

  /** Take a picture away that is so old that nobody should look at it. */
  clearOld(now: number): void {
    if (!this.tracks || now - this.tracks.at <= CLEAR_AFTER_MS) return;
    this.tracks = this.threats = null;
    this.trails.clear();
  }

  take(message: Message, at: number): void {
    switch (message.type) {
      case "radar_frame":
        this.#takeRadarFrame(message, at);
        break;
      case "threats":
        this.threats = {
          items: message.threats, unlisted: message.unlisted ?? {}, listedFrom: message.listed_from ?? "LOW", ageS: message.age_s, at,
        };
        this.levels = levelsIn(message.threats, this.threats.unlisted);
        break;
      case "ew":
        this.signals = message.signals?.items ?? [];
        this.advice = message.advice?.items ?? [];
        break;
      case "alarms":
        this.alarms = message.items;
        break;
      case "protected":
        this.areas = message.items;
        break;
      case "system_status":
        this.status = message;
        this.statusAt = at;
        break;
      default: // heartbeat: the connection itself tells
    }
  }

  #takeRadarFrame(message: RadarFrame, at: number): void {
    if (this.lastFrame !== null && message.frame > this.lastFrame + 1) this.missed += message.frame - this.lastFrame - 1;
    this.lastFrame = message.frame;
    const periodS = this.#countScan(message, at);
    if (message.detections) {
      this.detections = { items: message.detections, ageS: message.age_s, at, periodS };
      this.#place(message);
      const turnMs = (message.turn_s ?? 0) * 1000;
      const before = (this.plots.get(message.sensor_id) ?? []).filter((part) => at - part.at < Math.min(turnMs, part.turnMs));
      this.plots.set(message.sensor_id, [...before, { items: message.detections, places: placesOf(message.detections, message.sensor), at, turnMs }]);
    }
    if (message.tracks) {
      this.tracks = { items: message.tracks, stampS: message.stamp_s, ageS: message.age_s, at, periodS };
      this.#follow(message.tracks, message.stamp_s);
    }
  }

  /** Count a scan once, however many frames it comes in; return its sensor's period, as far as it is known [s]. */
  #countScan({ sensor_id: id, sequence, detections, turn_s: turnS }: RadarFrame, at: number): number {
    let scans = this.scans.get(id);
    const isNew = !scans || sequence > scans.sequence || sequence < scans.sequence - ARRIVALS_KEPT; // else it began anew
    if (!scans) this.scans.set(id, (scans = { sequence, arrivals: [], turnS: 0 }));
    if (detections) scans.turnS = turnS ?? 0;
    if (isNew) {
      scans.sequence = sequence;
      for (const arrivals of [this.arrivals, scans.arrivals]) {
        arrivals.push(at);
        if (arrivals.length > ARRIVALS_KEPT) arrivals.shift();
      }
    }
    const interval = meanIntervalMs(scans.arrivals);
    return interval === null ? scans.turnS : interval / 1000;
  }

  /** Note where a sensor is. */
  #place({ sensor_id: id, sensor, stamp_s: stampS }: RadarFrame): void {
    this.sensors.set(id, sensor);
    const first = [...this.sensors.keys()].sort()[0];
    if (id !== first) return;
    if (first !== this.#platformOf) this.platform = [];
    this.#platformOf = first;
    extend(this.platform, sensor.x_m, sensor.y_m, stampS);
  }

  /** The sensor that relative trails and the course are of; of several the first by name, so that it stays the same. */
  get sensor(): Sensor | null {
    return this.sensors.get([...this.sensors.keys()].sort()[0]) ?? null;
  }

  /** Whether a radar's antenna turns: then there may be video of it. */
  get turns(): boolean {
    return [...this.plots.values()].some((parts) => parts.some(({ turnMs }) => turnMs > 0));
  }

  /** What is to be seen of all sensors' detections: those of an antenna that turns, until it comes round again. */
  glows(now: number): Glow[] {
    const out: Glow[] = [];
    for (const part of [...this.plots.values()].flat()) {
      const share = part.turnMs ? (now - part.at) / part.turnMs : 0;
      if (share < 1 && (part.turnMs || now - part.at <= staleAfterMs(this.arrivals))) {
        out.push({ items: part.items, places: part.places, share });
      }
    }
    return out;
  }

  /** Take a picture of the past, in place of whatever was there. */
  takePast(picture: PastPicture, at: number): void {
    if (picture.stamp_s === null) {
      this.tracks = this.threats = null;
      this.trails.clear();
      return;
    }
    const part = { ageS: picture.age_s ?? 0, at };
    const items = picture.threats.map((threat) => ({ ...threat, acknowledged_by: null }));
    this.tracks = { items: picture.tracks, stampS: picture.stamp_s, ...part };
    this.threats = { items, unlisted: {}, listedFrom: "MEDIUM", ...part };
    this.levels = levelsIn(items, {});
    if (picture.trail_stamps_s.length) this.trails.clear();
    this.addTrails(picture);
    this.#follow(picture.tracks, picture.stamp_s);
  }

  /** Take from history where tracks were before they were heard here. */
  addTrails({ trails, trail_stamps_s: stamps }: PastPicture): void {
    for (const [name, points] of Object.entries(trails)) {
      const known = this.trails.get(Number(name)) ?? [];
      const first = known.length ? known[0][2] : Infinity;
      const before = points.flatMap((point, i): Point[] => (point && stamps[i] < first ? [[...point, stamps[i]]] : []));
      this.trails.set(Number(name), [...before, ...known]);
    }
  }

  #follow(tracks: Track[], stampS: number): void {
    for (const { track_id: id, position_m: { x, y } } of tracks) {
      let trail = this.trails.get(id);
      if (!trail) this.trails.set(id, (trail = []));
      extend(trail, x, y, stampS);
    }
    if (this.trails.size === tracks.length) return;
    const seen = new Set(tracks.map((track) => track.track_id));
    for (const id of this.trails.keys()) if (!seen.has(id)) this.trails.delete(id);
  }
}

/** Where on the map detections are: east, north and so on [m]. */
export function placesOf(items: readonly Detection[], { x_m: x, y_m: y, heading_deg: heading }: Sensor): Float64Array {
  const places = new Float64Array(2 * items.length);
  items.forEach(({ azimuth_deg: azimuth, range_m: range, elevation_deg: elevation }, i) => {
    const angle = (90 - heading + azimuth) * RADIANS; // anticlockwise from the sensor's forward axis, turned into map (x east, y north)
    const ground = elevation ? range * Math.cos(elevation * RADIANS) : range;
    places[2 * i] = x + ground * Math.cos(angle);
    places[2 * i + 1] = y + ground * Math.sin(angle);
  });
  return places;
}

/** Add a point to a trail, a second after the last one, and drop what is over a minute old. */
function extend(trail: Point[], x: number | null, y: number | null, stampS: number): void {
  const last = trail.length ? trail[trail.length - 1][2] : -Infinity;
  if (stampS < last) trail.length = 0; // time began anew
  if (Math.abs(stampS - last) >= TRAIL_STEP_S) trail.push([x, y, stampS]);
  while (trail.length && trail[0][2] < stampS - TRAIL_S) trail.shift();
}

function levelsIn(items: readonly { track_id: number; level: Level }[], unlisted: Record<string, number[]>): Map<number, Level> {
  const levels = new Map<number, Level>();
  for (const [level, ids] of Object.entries(unlisted)) for (const id of ids) levels.set(id, level as Level);
  for (const { track_id: id, level } of items) levels.set(id, level);
  return levels;
}
