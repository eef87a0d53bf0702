// What moves on the scope: plots, trails, leaders and symbols. gl_marks.ts draws them by WebGL2, flat_marks.ts where that is not there.

import type { Glow, Point } from "./heard.ts";
import type { Sensor, Signal } from "./messages.ts";
import type { Spots } from "./spots.ts";
import { platformAt, type Colours, type Frame, type View } from "./view.ts";

export const AFTERGLOW = 0.7; // by which a plot fades until the antenna comes round again
export const TRAIL_ALPHA = 0.44;

/** Draws what moves. */
export interface Marks {
  readonly kind: "webgl2" | "2d";
  readonly canvas: HTMLCanvasElement;
  /** `leaderS`: how far ahead leaders reach [s]. */
  draw(view: View, spots: Spots, frame: Frame, leaderS: number): void;
  recolour(colours: Colours): void;
}

/** The sensor that hears a signal: the one that it names, or the only one there is. */
export function sensorOf(signal: Signal, sensors: ReadonlyMap<string, Sensor>): Sensor | null {
  const [only] = sensors.values();
  return sensors.get(signal.sensor_id) ?? (sensors.size === 1 ? only : null);
}

/** The end of a strobe [m]: so far in the direction of an azimuth [degrees], which is anticlockwise from the sensor's heading. */
export function strobeEnd(sensor: Sensor, azimuth: number, length: number): [east: number, north: number] {
  const bearing = ((sensor.heading_deg - azimuth) * Math.PI) / 180;
  return [sensor.x_m + length * Math.sin(bearing), sensor.y_m + length * Math.cos(bearing)];
}

/** The detections that are drawn. */
export function glowsOf(view: View): Glow[] {
  return view.showDetections && !view.detectionsStale ? view.glows : [];
}

/** How bright a detection is drawn. */
export function strengthOf({ share }: Glow): number {
  return 1 - AFTERGLOW * share;
}

/** Where a point of a trail is drawn: over ground as it was, or as far from the platform as it was then. */
export function shifted(point: Point, view: View): [east: number, north: number] | null {
  const [east, north, stampS] = point;
  if (east === null || north === null) return null;
  if (!view.platform || !view.sensor) return [east, north];
  const then = platformAt(view.platform, stampS);
  return then && [east - (then[0] ?? 0) + view.sensor.x_m, north - (then[1] ?? 0) + view.sensor.y_m];
}
