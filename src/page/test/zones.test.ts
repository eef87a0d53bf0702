import assert from "node:assert/strict";
import { test } from "vitest";

import type { DrawnZone } from "../source/messages.ts";
import { cornerNear, cornersOf, Draft, placing, textOf } from "../source/zone_draft.ts";
import { contentOf, entryText, ruleOf, unwatchedText, zoneText } from "../source/zone_rule.ts";

const at = (east: number, north: number) => ({ east, north });

function drawnOf(...corners: [number, number][]): Draft {
  const draft = new Draft();
  for (const [east, north] of corners) draft.click(at(east, north), null);
  return draft;
}

function aZone(changes: Partial<DrawnZone> = {}): DrawnZone {
  const rule = { when: "stay", stay_s: 20, classes: ["DRONE", "BIRD"], min_speed_mps: 0, max_speed_mps: 1e5, course_deg: 0, course_width_deg: 360, priority: 1 };
  return { name: "pen", version: 3, changed_by: "ada", watched: true, problem: null, outline_m: [], floor_m: null, ceiling_m: 300, rules: [rule], ...changes };
}

test("a zone is closed by its first corner, or by a key, from three corners on", () => {
  const draft = drawnOf([0, 0], [100, 0]);
  draft.click(at(1, 1), 0); // on the first corner, too early
  assert.deepEqual([draft.closed, draft.corners.length], [false, 2]);
  assert.equal(draft.close(), false);
  draft.click(at(100.04, 99.96), null);
  draft.click(at(100, 99), 2); // on the last one: a click that came twice
  assert.deepEqual(draft.corners, [[0, 0], [100, 0], [100, 100]]);
  draft.back();
  draft.click(at(50, 80), null);
  draft.click(at(1, 1), 0);
  assert.deepEqual([draft.closed, draft.corners], [true, [[0, 0], [100, 0], [50, 80]]]);
  draft.click(at(9, 9), null); // what is closed is not drawn on
  draft.back();
  draft.move(1, at(120, -5));
  assert.deepEqual(draft.corners, [[0, 0], [120, -5], [50, 80]]);
});

test("a corner is where the scope has its place, also where the scope is turned", () => {
  const [middle, metres, turn] = [{ east: 400, north: -900 }, 7.5, 0.6];
  const spotAt = (x: number, y: number) => {
    const [right, up] = [(x - 300) * metres, (200 - y) * metres];
    return at(middle.east + right * Math.cos(turn) + up * Math.sin(turn), middle.north - right * Math.sin(turn) + up * Math.cos(turn));
  };
  const { east, north } = spotAt(123, 45);
  const { x, y } = placing(spotAt)([east, north]);
  assert.ok(Math.hypot(x - 123, y - 45) < 1e-6);
  assert.equal(cornerNear([{ x: 10, y: 10 }, { x: 30, y: 10 }], 24, 14), 1);
  assert.equal(cornerNear([{ x: 10, y: 10 }], 30, 10), null);
  assert.equal(cornerNear([], 30, 10), null);
});

test("corners can be written, and what is none is refused", () => {
  assert.deepEqual(cornersOf("0, 0\n 90.5 ,-3\n\n4;5 "), [[0, 0], [90.5, -3], [4, 5]]);
  assert.equal(textOf([[0, 0], [90.5, -3]]), "0, 0\n90.5, -3");
  for (const text of ["1, 2, 3", "1", "a, b", "1, Infinity"]) assert.equal(cornersOf(text), null);
});

test("a rule has what its kind asks for; what is left empty is as usual, and margins stay", () => {
  const entries = [
    { key: "stay_s", text: "20", kinds: "stay" }, { key: "within_s", text: "60", kinds: "cpa entry" },
    { key: "max_speed_mps", text: " ", kinds: "" }, { key: "priority", text: "1", kinds: "" },
  ];
  const before = { when: "entry", within_s: 30, probability: 0.5, max_speed_mps: 9, margin_m: 5, classes: [] };
  assert.deepEqual(ruleOf("stay", entries, ["DRONE"], before), {
    when: "stay", stay_s: 20, priority: 1, probability: 0.5, margin_m: 5, classes: ["DRONE"],
  });
  assert.equal(ruleOf("cpa", entries, []).within_s, 60);
  assert.deepEqual(contentOf([[0, 0]], "", "300", [{}]), { outline_m: [[0, 0]], floor_m: null, ceiling_m: 300, rules: [{}] });
});

test("a zone is said in words, without limits that limit nothing", () => {
  assert.equal(zoneText(aZone()), "below 300 m; inside for 20 s; drone, bird; priority 1");
  const rule = { ...aZone().rules[0], when: "entry", within_s: 60, probability: 0.5, classes: [], min_speed_mps: 5, course_deg: 90, course_width_deg: 40, priority: 3 };
  assert.equal(
    zoneText(aZone({ rules: [aZone().rules[0], rule], floor_m: 10, ceiling_m: null })),
    "above 10 m; inside for 20 s; drone, bird; priority 1; #2 will enter within 60 s, probability 0.5; from 5 m/s; on course 90° ± 20°; priority 3",
  );
  assert.deepEqual([entryText(rule, "course_deg"), entryText(aZone().rules[0], "course_deg"), entryText(rule, "stay_s")], ["90", "", "20"]);
});

test("a zone that nobody watches says so", () => {
  assert.equal(unwatchedText(aZone()), "");
  assert.equal(unwatchedText(aZone({ watched: false })), "Not watched yet");
  assert.equal(unwatchedText(aZone({ watched: false, problem: "its name is taken" })), "Not watched: its name is taken");
});
