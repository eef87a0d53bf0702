import assert from "node:assert/strict";
import { test } from "vitest";

import { Deltas } from "../source/delta.ts";
import FRAMES from "./delta_frames.json"; // tests/page/test_delta_frames.py: the bridge's bytes, and the JSON of the same scans

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex")).buffer;
const close = (ours: number | null, theirs: number | null, within: number, name: string) => {
  if (ours === null || theirs === null) assert.equal(ours, theirs, name);
  else assert.ok(Math.abs(ours - theirs) <= within, `${name}: ${ours}, ${theirs}`);
};

test("a delta frame tells what JSON tells of the same scan", () => {
  const deltas = new Deltas();
  for (const { hex, json } of [FRAMES.full, FRAMES.moved, FRAMES.alone, FRAMES.gone] as any[]) {
    const frame = deltas.take(bytesOf(hex));
    assert.ok(frame);
    for (const key of ["frame", "stamp_s", "sequence", "sensor_id", "turn_s"] as const) assert.equal(frame[key], json[key], key);
    for (const key of ["x_m", "y_m", "heading_deg"] as const) close(frame.sensor[key], json.sensor[key], 1e-9, key);
    assert.equal(frame.detections?.length, json.detections?.length);
    frame.detections?.forEach((one, i) => {
      for (const key of ["range_m", "azimuth_deg", "elevation_deg"] as const) close(one[key], json.detections[i][key], 1e-9, key);
    });
    assert.deepEqual(frame.tracks?.map((track) => track.track_id), json.tracks?.map((track: any) => track.track_id));
    frame.tracks?.forEach((ours, i) => {
      const theirs = json.tracks[i];
      assert.deepEqual([ours.status, ours.class], [theirs.status, theirs.class]);
      for (const axis of ["x", "y", "z"] as const) close(ours.position_m[axis], theirs.position_m[axis], 0.0051, axis);
      for (const axis of ["x", "y"] as const) close(ours.velocity_vector_mps[axis], theirs.velocity_vector_mps[axis], 0.00051, axis);
      close(ours.range_m, theirs.range_m, 0.0052, "range_m");
      close(ours.velocity_mps, theirs.velocity_mps, 0.00062, "velocity_mps");
      close(ours.bearing_deg, theirs.bearing_deg, 0.0001, "bearing_deg");
      close(ours.heading_deg, theirs.heading_deg, 0.001, "heading_deg");
    });
  }
});

test("a gap is noticed, and a full frame begins anew", () => {
  const deltas = new Deltas();
  assert.equal(deltas.take(bytesOf(FRAMES.moved.hex)), null);
  assert.ok(deltas.take(bytesOf(FRAMES.full.hex)));
  assert.equal(deltas.take(bytesOf(FRAMES.gone.hex)), null);
  assert.ok(deltas.take(bytesOf(FRAMES.moved.hex)));
  assert.ok(deltas.take(bytesOf(FRAMES.full.hex)));
  assert.ok(deltas.take(bytesOf(FRAMES.moved.hex)));
});

test("another version is said", () => {
  assert.throws(() => new Deltas().take(Uint8Array.of(2, 1, 1, 0).buffer), /version 2/);
});
