// Delta frames of the stream (docs/bridge.md), into the messages that JSON would have been. Nothing here knows of the document.

import { CLASSES, type Detection, type RadarFrame, type Track } from "./messages.ts";

const VERSION = 1;
const [FULL, HAS_DETECTIONS, HAS_TRACKS] = [1, 2, 4];
const STATUSES = ["UNKNOWN", "TENTATIVE", "CONFIRMED", "COASTING"];
const STEPS = [1e4, 1e4, 1e4, 1e4, 1e4, 1e4]; // of position and velocity
const [KIND, STATUS, FIELDS] = [8, 9, 10];
const UNKNOWN = NaN;
const DEGREES = 180 / Math.PI;

/** A track that goes on from message to message; what follows from position and velocity is worked out when it is asked for. */
class LiveTrack implements Track {
  readonly fields = new Array<number>(FIELDS).fill(0);
  readonly position_m: { x: number | null; y: number | null; z: number | null } = { x: 0, y: 0, z: 0 };
  readonly velocity_vector_mps: { x: number | null; y: number | null; z: number | null } = { x: 0, y: 0, z: 0 };

  constructor(readonly track_id: number) {}

  set(field: number, value: number): void {
    this.fields[field] = value;
    const known = Number.isNaN(value) ? null : value / (STEPS[field] ?? 1);
    if (field < 3) this.position_m[AXES[field]] = known;
    else if (field < 6) this.velocity_vector_mps[AXES[field - 3]] = known;
  }

  get status(): Track["status"] {
    return (STATUSES[this.fields[STATUS]] ?? "UNKNOWN") as Track["status"];
  }

  get class(): string {
    return CLASSES[this.fields[KIND]] ?? "UNKNOWN";
  }

  get range_m(): number | null {
    return length(this.position_m);
  }

  get bearing_deg(): number | null {
    return bearing(this.position_m.x, this.position_m.y);
  }

  get velocity_mps(): number | null {
    return length(this.velocity_vector_mps);
  }

  get heading_deg(): number | null {
    return bearing(this.velocity_vector_mps.x, this.velocity_vector_mps.y);
  }
}

const AXES = ["x", "y", "z"] as const;

function length({ x, y, z }: { x: number | null; y: number | null; z: number | null }): number | null {
  return x === null || y === null || z === null ? null : Math.sqrt(x * x + y * y + z * z);
}

function bearing(east: number | null, north: number | null): number | null {
  if (east === null || north === null || (east === 0 && north === 0)) return null;
  return (Math.atan2(east, north) * DEGREES + 360) % 360;
}

/** Reads one message. */
class Reader {
  at = 2;

  constructor(readonly bytes: Uint8Array) {}

  number(): number {
    const { bytes } = this;
    let byte = bytes[this.at++];
    let value = byte & 127;
    for (let factor = 128; byte > 127; factor *= 128) { // beyond 31 bits there are no shifts
      byte = bytes[this.at++];
      value += (byte & 127) * factor;
    }
    return value;
  }

  /** A signed number; NaN is unknown. */
  value(): number {
    const number = this.number();
    if (number === 0) return UNKNOWN;
    return number % 2 ? (number - 1) / 2 : -number / 2;
  }

  scaled(steps: number): number | null {
    const value = this.value();
    return Number.isNaN(value) ? null : value / steps;
  }

  text(): string {
    const size = this.number();
    this.at += size;
    return new TextDecoder().decode(this.bytes.subarray(this.at - size, this.at));
  }

  skipValues(count: number): void {
    for (let left = count; left > 0; this.at += 1) if (this.bytes[this.at] < 128) left -= 1;
  }
}

/** The frames of one connection. */
export class Deltas {
  #frame: number | null = null; // of the last message
  #byId = new Map<number, LiveTrack>();
  #tracks: LiveTrack[] = []; // in the order of their ids

  /** A connection begins. */
  begin(): void {
    this.#frame = null;
  }

  /** The next message; null where one before it is missing: a full one has to be asked for. Throws where it is of another version. */
  take(data: ArrayBuffer): ({ type: "radar_frame" } & RadarFrame) | null {
    const bytes = new Uint8Array(data);
    if (bytes[0] !== VERSION) throw new Error(`a delta frame of version ${bytes[0]}, and this page knows ${VERSION}: reload it`);
    const flags = bytes[1];
    const reader = new Reader(bytes);
    const [frame, base] = [reader.number(), reader.number()];
    if (!(flags & FULL) && base !== this.#frame) return null;
    this.#frame = frame;
    if (flags & FULL) {
      this.#byId.clear();
      this.#tracks = [];
    }
    const stampS = new DataView(data).getFloat64(reader.at, true);
    reader.at += 8;
    const ageS = reader.scaled(1e3) ?? 0;
    const sequence = reader.number();
    const sensorId = reader.text();
    reader.text(); // frame_id
    const [x, y] = [reader.scaled(1e3) ?? 0, reader.scaled(1e3) ?? 0];
    reader.skipValues(1);
    const sensor = { x_m: x, y_m: y, heading_deg: reader.scaled(1e4) ?? 0 };
    const turnS = reader.scaled(1e3);
    const detections = flags & HAS_DETECTIONS ? readDetections(reader) : null;
    if (flags & HAS_TRACKS) this.#readTracks(reader);
    const tracks = flags & HAS_TRACKS ? this.#tracks : null;
    return {
      type: "radar_frame", frame, stamp_s: stampS, age_s: ageS, sequence, sensor_id: sensorId, sensor, turn_s: turnS, detections, tracks,
    };
  }

  #readTracks(reader: Reader): void {
    const gone = reader.number();
    for (let i = 0, id = 0; i < gone; i += 1) {
      id += reader.number();
      this.#byId.delete(id);
    }
    const changed = reader.number();
    const before = this.#byId.size;
    for (let i = 0, id = 0; i < changed; i += 1) {
      id += reader.number();
      let track = this.#byId.get(id);
      if (!track) this.#byId.set(id, (track = new LiveTrack(id)));
      const fields = reader.number();
      for (let k = 0; k < FIELDS; k += 1) if ((fields >> k) & 1) track.set(k, reader.value() + (track.fields[k] || 0)); // NaN: from 0
    }
    if (gone || this.#byId.size !== before) this.#tracks = [...this.#byId.values()].sort((a, b) => a.track_id - b.track_id);
  }
}

function readDetections(reader: Reader): Detection[] {
  const out: Detection[] = [];
  for (let left = reader.number(); left > 0; left -= 1) {
    reader.skipValues(3); // id, class, confidence
    const [range, azimuth, elevation] = [reader.value() / 1e2, reader.value() / 1e4, reader.value() / 1e4];
    reader.skipValues(3); // range rate, SNR, RCS
    out.push({ range_m: range, azimuth_deg: azimuth, elevation_deg: Number.isNaN(elevation) ? null : elevation });
  }
  return out;
}
