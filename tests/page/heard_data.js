// What a stream may say, for the tests of the page.

/** @import { Threat, Track } from "../../src/aegis/bridge/static/stream.js" */

/**
 * @param {number} trackId
 * @param {Partial<Track>} changes
 * @returns {Track}
 */
export function aTrack(trackId, changes = {}) {
  return {
    track_id: trackId, status: "CONFIRMED", class: "DRONE", position_m: { x: 10 * trackId, y: 5, z: 3 },
    velocity_vector_mps: { x: 1, y: 0 }, range_m: 100, bearing_deg: 45, velocity_mps: 1, heading_deg: 90, ...changes,
  };
}

/**
 * @param {number} trackId
 * @param {Partial<Threat>} changes
 * @returns {Threat}
 */
export function aThreat(trackId, changes = {}) {
  return {
    track_id: trackId, class: "DRONE", level: "LOW", score: 0.5, time_to_impact_s: null, reason: "near", acknowledged_by: null,
    ...changes,
  };
}

/**
 * @param {number} number
 * @param {object} parts
 * @returns {any}
 */
export function aFrame(number, parts = {}) {
  const sensor = { x_m: 0, y_m: 0, heading_deg: 0 };
  return { type: "radar_frame", frame: number, sensor_id: "radar", age_s: 0.5, sensor, turn_s: null, detections: [], tracks: [], ...parts };
}
