import assert from "node:assert/strict";
import { test } from "vitest";

import { activeCount, alarmedZones, audible, stateText } from "../source/alarms.ts";
import { Heard } from "../source/heard.ts";
import type { Alarm } from "../source/messages.ts";
import { soundState } from "../source/sound.ts";
import { aFrame, aThreat } from "./heard_data.ts";

function anAlarm(id: number, changes: Partial<Alarm> = {}): Alarm {
  return {
    id, rule: "no_drones", zone: "harbour", track_id: 41, state: "ACTIVE", priority: 1, raised_s: 100, text: "inside 'harbour'",
    acknowledged_by: null, shelved_until_s: null, shelved_by: null, shelf_reason: null, note: null, ...changes,
  };
}

function heardOf(alarms: Alarm[], threats = [aThreat(1)]): Heard {
  const heard = new Heard();
  heard.connection = "live";
  heard.take(aFrame(1), 1000);
  heard.take({ type: "threats", threats, age_s: 0 }, 1000);
  heard.take({ type: "alarms", items: alarms }, 1000);
  return heard;
}

test("alarms are counted where their stage is heard; else nobody knows", () => {
  const heard = heardOf([anAlarm(1), anAlarm(2, { state: "ENDED" }), anAlarm(3, { shelved_until_s: 900 })]);
  assert.equal(activeCount(heard, 1000), 1);
  assert.equal(activeCount(heard, 3001), null);
  assert.equal(activeCount(new Heard(), 1000), null);
});

test("what is urgent and unseen is heard: alarms of priority 1 and 2, and critical threats", () => {
  const alarms = [
    anAlarm(1), anAlarm(2, { priority: 2 }), anAlarm(3, { priority: 3 }), anAlarm(4, { acknowledged_by: "ada" }),
    anAlarm(5, { shelved_until_s: 900 }), anAlarm(6, { state: "ENDED" }),
  ];
  const threats = [aThreat(7, { level: "CRITICAL" }), aThreat(8, { level: "CRITICAL", acknowledged_by: "ada" }), aThreat(9, { level: "HIGH" })];
  const heard = heardOf(alarms, threats);
  assert.deepEqual([...audible(heard, 1000)], [["alarm 1", true], ["alarm 2", false], ["threat 7", true]]);
  assert.equal(audible(heard, 3001).size, 0);
});

test("only zones with an alarm that nobody has seen stand out", () => {
  const heard = heardOf([anAlarm(1, { zone: "a" }), anAlarm(2, { zone: "b", acknowledged_by: "ada" }), anAlarm(3, { zone: null })]);
  assert.deepEqual([...alarmedZones(heard)], ["a", ""]);
});

test("what was done about an alarm is said", () => {
  const text = stateText(anAlarm(1, {
    acknowledged_by: "ada", shelved_until_s: 700, shelved_by: "bob", shelf_reason: "survey", note: "called", state: "ENDED",
  }));
  for (const part of ["priority 1", "ended", "seen by ada", "shelved by bob until", "survey", "“called”"]) assert.ok(text.includes(part), part);
});

test("silence holds until something new comes", () => {
  assert.equal(soundState([], new Set(), false, false), "quiet");
  assert.equal(soundState(["a"], new Set(), false, false), "sounding");
  assert.equal(soundState(["a"], new Set(["a"]), false, false), "silenced");
  assert.equal(soundState(["a", "b"], new Set(["a"]), false, false), "sounding");
  assert.equal(soundState(["a"], new Set(), true, false), "off");
  assert.equal(soundState(["a"], new Set(), false, true), "blocked");
});
