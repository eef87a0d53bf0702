// What the bridge says on the stream: of each message, what this page looks at. Unknown is null.

export type Level = "NONE" | "LOW" | "MEDIUM" | "HIGH" | "CRITICAL";
/** `replay`: what is shown is of the past. */
export type Connection = "replay" | "signed-out" | "connecting" | "waiting" | "live" | "late" | "stale" | "disconnected";

export interface Track {
  track_id: number;
  status: "TENTATIVE" | "CONFIRMED" | "COASTING";
  class: string;
  position_m: { x: number | null; y: number | null; z: number | null }; // east, north, up
  velocity_vector_mps: { x: number | null; y: number | null };
  range_m: number | null;
  bearing_deg: number | null;
  velocity_mps: number | null;
  heading_deg: number | null;
}

export interface Detection {
  range_m: number;
  azimuth_deg: number;
  elevation_deg: number | null;
}

export interface Sensor {
  x_m: number;
  y_m: number;
  heading_deg: number;
}

export interface Threat {
  track_id: number;
  class: string;
  level: Level;
  score: number | null;
  time_to_impact_s: number | null;
  reason: string;
  acknowledged_by: string | null;
}

/** An active EW signal; its bearing is anticlockwise from its sensor's forward axis. */
export interface Signal {
  id: number;
  sensor_id: string;
  kind: string;
  azimuth_deg: number | null;
  azimuth_sigma_deg: number | null;
  power_db: number | null;
  evidence: string;
}

export interface Advice {
  id: number;
  state: "PROPOSED" | "ACKNOWLEDGED" | "REJECTED" | "EXPIRED" | "WITHDRAWN";
  technique: string;
  rationale: string;
  decided_by: string | null;
}

/** Of a zone rule; all that are on, and those that have ended lately. */
export interface Alarm {
  id: number;
  rule: string;
  zone: string | null;
  track_id: number;
  state: "ACTIVE" | "ENDED";
  priority: number; // 1 is most urgent
  raised_s: number;
  text: string;
  acknowledged_by: string | null;
  shelved_until_s: number | null;
  shelved_by: string | null;
  shelf_reason: string | null;
  note: string | null;
}

/** An asset or a zone: round, or with an outline. */
export interface ProtectedArea {
  name: string;
  kind: "ASSET" | "ZONE";
  x_m: number | null;
  y_m: number | null;
  radius_m: number | null;
  outline_m: [east: number, north: number][];
  origin: "CONFIGURED" | "DRAWN"; // by parameters, or by a person
  version: number; // of what is drawn
}

/** A rule of a zone, by its parameters. */
export type ZoneRule = Record<string, string | number | string[]>;

/** A zone as it is sent. */
export interface ZoneContent {
  outline_m: [east: number, north: number][];
  floor_m: number | null;
  ceiling_m: number | null;
  rules: ZoneRule[];
}

/** A zone of /api/zones. */
export interface DrawnZone extends ZoneContent {
  name: string;
  version: number;
  changed_by: string;
  watched: boolean;
  problem: string | null;
}

export interface StageRow {
  age_s: number;
  rate_hz: number | null;
  latency_p50_ms: number | null;
  received: number;
  published: number;
  dropped: number;
  errors: number;
  // Its state, where that lets it not work; and what is not as it should be, in words.
  detail?: { lifecycle?: string; trouble?: string } | null;
}

export interface Status {
  stages: Record<string, StageRow>;
  missing_stages: string[];
  troubles: { topic: string; sensor_id: string; state: "SILENT" | "STUCK"; for_s: number }[];
  scans_lost: number;
  ew: { signals: number | null; advice_waiting: number | null };
  alerts: { stamp_s: number; stage: string; name: string }[];
}

export interface RadarFrame {
  frame: number;
  stamp_s: number;
  age_s: number;
  sequence: number; // of the scan; each sensor counts its own
  sensor_id: string;
  sensor: Sensor;
  turn_s: number | null; // of the sensor's antenna; null: it does not turn
  detections: Detection[] | null;
  tracks: Track[] | null;
}

/** GET /api/replay: the picture of a time. */
export interface PastPicture {
  t_s: number;
  stamp_s: number | null; // null: nothing is on record of then
  age_s: number | null;
  tracks: Track[];
  threats: Omit<Threat, "acknowledged_by">[];
  trail_stamps_s: number[];
  trails: Record<string, ([east: number, north: number] | null)[]>;
}

export interface Admitted {
  type: "auth_ok";
  allowed: string[];
}

export type Message =
  | ({ type: "radar_frame" } & RadarFrame)
  | { type: "threats"; threats: Threat[]; age_s: number; listed_from?: Level; unlisted?: Record<string, number[]> }
  | { type: "ew"; signals?: { items: Signal[] } | null; advice: { items: Advice[] } | null }
  | { type: "alarms"; items: Alarm[] }
  | { type: "protected"; items: ProtectedArea[] }
  | ({ type: "system_status" } & Status)
  | { type: "heartbeat" };

/** How tracks are drawn: the level as a shape, or APP-6 symbols. */
export type Symbols = "level" | "app6";

/** In the order of ClassInfo. */
export const CLASSES = ["UNKNOWN", "DRONE", "BIRD", "AIRCRAFT", "HELICOPTER", "MISSILE", "VEHICLE", "PERSON", "VESSEL", "CLUTTER"];

/** The worst first. */
export const LEVELS: readonly Level[] = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "NONE"];
