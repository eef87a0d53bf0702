import { expect, test } from "vitest";
import { facts, type Details } from "../source/details.ts";

const track: Details = {
  track_id: 7, status: "CONFIRMED", class: "UNKNOWN", confidence: null, could_be: "DRONE or BIRD",
  position_sigma_m: { x: 1.25, y: 2, z: null }, rcs_dbsm: null, existence_probability: 0.98, age_s: 3, hits: 9,
  time_since_update_s: 0, sources: [], class_probability: {},
};

test("what is not known is a dash, and who holds a track is said where there are several trackers", () => {
  const said = Object.fromEntries(facts(track));
  expect(said).toMatchObject({ class: "unknown, could be drone or bird", RCS: "– dBsm" });
  expect(said["error 1σ E, N, up"]).toMatch(/1\.[23], 2\.0, – m/);
  expect(said).not.toHaveProperty("held by");
  expect(Object.fromEntries(facts({ ...track, sources: ["front", "left"] }))["held by"]).toBe("front, left");
});
