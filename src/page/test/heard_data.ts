// What a stream may say, for the tests of the page.

import type { Message, RadarFrame, Threat, Track } from "../source/messages.ts";

export function aTrack(trackId: number, changes: Partial<Track> = {}): Track {
  return {
    track_id: trackId, status: "CONFIRMED", class: "DRONE", position_m: { x: 10 * trackId, y: 5, z: 3 },
    velocity_vector_mps: { x: 1, y: 0 }, range_m: 100, bearing_deg: 45, velocity_mps: 1, heading_deg: 90, ...changes,
  };
}

export function aThreat(trackId: number, changes: Partial<Threat> = {}): Threat {
  return {
    track_id: trackId, class: "DRONE", level: "LOW", score: 0.5, time_to_impact_s: null, reason: "near", acknowledged_by: null,
    ...changes,
  };
}

export function aFrame(number: number, parts: Partial<RadarFrame> = {}): Message {
  const sensor = { x_m: 0, y_m: 0, heading_deg: 0 };
  return { type: "radar_frame", frame: number, stamp_s: number, sequence: number, sensor_id: "radar", age_s: 0.5, sensor, turn_s: null, detections: [], tracks: [], ...parts };
}
