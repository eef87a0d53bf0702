// What part of the map the scope shows, and how it is moved. Nothing here knows of the document.

export interface Camera {
  east: number; // of the middle [m]
  north: number;
  range: number | null; // from the middle to the edge [m]; null: what fits the confirmed tracks
  follow: boolean; // the middle stays on the chosen track
  courseUp: boolean; // the course of what is followed, else the heading of the sensor, is up; else north is
}

export type Place = (east: number | null, north: number | null) => [x: number, y: number];

export const HOME: Readonly<Camera> = { east: 0, north: 0, range: null, follow: false, courseUp: false };
const STEPS = [1, 2, 3, 4, 5, 6, 8, 10];
const LEAST_RANGE = 20;
const MOST_RANGE = 500_000;
const LEADERS_S = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600];
const LONGEST_LEADER = 0.15; // of the range

/** The next "round" range that holds a distance [m]. */
export function roundRange(distance: number): number {
  const decade = 10 ** Math.floor(Math.log10(distance));
  return decade * (STEPS.find((step) => step * decade >= distance * 0.999) ?? 10);
}

export function lengthText(metres: number): string {
  return metres >= 1000 ? `${+(metres / 1000).toFixed(2)} km` : `${+metres.toFixed(1)} m`;
}

/** Bearing clockwise from north [deg], three digits, and distance of a point from another one. */
export function bearingText(east: number, north: number): string {
  const bearing = Math.round((Math.atan2(east, north) * 180) / Math.PI + 360) % 360;
  return `${String(bearing).padStart(3, "0")}° ${lengthText(Math.hypot(east, north))}`;
}

/** Move the middle so that what was under the pointer stays there while the range changes by a factor. */
export function zoomed(camera: Camera, range: number, factor: number, east: number, north: number): Camera {
  const next = Math.min(Math.max(range * factor, LEAST_RANGE), MOST_RANGE);
  const kept = next / range;
  const middle = camera.follow ? camera : { east: east + (camera.east - east) * kept, north: north + (camera.north - north) * kept };
  return { ...camera, east: middle.east, north: middle.north, range: next };
}

/** How far ahead the leaders show the tracks [s]: so that the longest is no longer than a part of the range. */
export function leaderSeconds(fastest: number, range: number): number {
  const wanted = fastest > 0 ? (range * LONGEST_LEADER) / fastest : Infinity;
  return [...LEADERS_S].reverse().find((seconds) => seconds <= wanted) ?? LEADERS_S[0];
}

/** The view as the end of an address, and back; what is as usual is left out. */
export function toHash(camera: Camera, selected: number | null, time: number | null = null): string {
  const words = new URLSearchParams();
  if (camera.east !== 0 || camera.north !== 0) words.set("at", `${Math.round(camera.east)},${Math.round(camera.north)}`);
  if (camera.range !== null) words.set("range", String(Math.round(camera.range)));
  if (selected !== null) words.set("track", String(selected));
  if (camera.follow) words.set("follow", "1");
  if (camera.courseUp) words.set("up", "course");
  if (time !== null) words.set("t", time.toFixed(1));
  return words.toString();
}

export function fromHash(hash: string): { camera: Camera; selected: number | null; time: number | null } {
  const words = new URLSearchParams(hash.replace(/^#/, ""));
  const [east, north] = (words.get("at") ?? "").split(",").map(Number);
  const placed = words.has("at") && Number.isFinite(east) && Number.isFinite(north);
  const range = Number(words.get("range"));
  const track = Number(words.get("track"));
  return {
    camera: {
      east: placed ? east : 0,
      north: placed ? north : 0,
      range: range >= LEAST_RANGE && range <= MOST_RANGE ? range : null,
      follow: words.get("follow") === "1",
      courseUp: words.get("up") === "course",
    },
    selected: Number.isInteger(track) && track > 0 ? track : null,
    time: Number(words.get("t")) > 0 ? Number(words.get("t")) : null,
  };
}
