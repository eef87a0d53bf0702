// The rule of a drawn zone: what is asked for of each kind, and what is said of it. Nothing here knows of the document.

import type { DrawnZone, ZoneContent, ZoneRule } from "./messages.ts";

export const CLASSES = [
  "UNKNOWN", "DRONE", "BIRD", "AIRCRAFT", "HELICOPTER", "MISSILE", "VEHICLE", "PERSON", "VESSEL", "CLUTTER",
] as const;

/** A number of the form: its key in the rule, as it was entered, and for which kinds of rule it is asked for. */
export interface Entry {
  key: string;
  text: string;
  kinds: string; // words; empty: all
}

const KINDS: Record<string, (rule: ZoneRule) => string> = {
  inside: () => "inside",
  outside: () => "outside",
  enter: () => "enters",
  leave: () => "leaves",
  stay: (rule) => `inside for ${rule.stay_s} s`,
  cpa: (rule) => `nearer than ${rule.cpa_m} m within ${rule.within_s} s`,
  entry: (rule) => `will enter within ${rule.within_s} s, probability ${rule.probability}`,
};

export const MOST_RULES = 8;
const SPEED_LIMIT_MPS = 1e5; // of rules without one
const FULL_TURN_DEG = 360;

export function isAsked(kinds: string, when: string): boolean {
  return kinds === "" || kinds.split(" ").includes(when);
}

/** The rule as the bridge takes it. What is left empty, or not asked for with this kind, is as usual; margins stay as they were. */
export function ruleOf(when: string, entries: readonly Entry[], classes: readonly string[], before: ZoneRule = {}): ZoneRule {
  const rule: ZoneRule = { ...before, when, classes: [...classes] };
  for (const { key, text, kinds } of entries) {
    delete rule[key];
    if (text.trim() !== "" && isAsked(kinds, when)) rule[key] = Number(text);
  }
  return rule;
}

/** What a number of a rule is in the form: empty where it limits nothing. */
export function entryText(rule: ZoneRule, key: string): string {
  const value = rule[key];
  const isUsual = (key === "max_speed_mps" && value === SPEED_LIMIT_MPS) || (key === "min_speed_mps" && value === 0)
    || (key.startsWith("course_") && rule.course_width_deg === FULL_TURN_DEG);
  return value === undefined || isUsual ? "" : String(value);
}

/** A rule in words. */
export function ruleText(rule: ZoneRule): string {
  const words = [KINDS[String(rule.when)]?.(rule) ?? String(rule.when)];
  const classes = rule.classes as string[];
  if (classes.length) words.push(classes.join(", ").toLowerCase());
  if (entryText(rule, "min_speed_mps")) words.push(`from ${rule.min_speed_mps} m/s`);
  if (entryText(rule, "max_speed_mps")) words.push(`up to ${rule.max_speed_mps} m/s`);
  if (entryText(rule, "course_deg")) words.push(`on course ${rule.course_deg}° ± ${Number(rule.course_width_deg) / 2}°`);
  words.push(`priority ${rule.priority}`);
  return words.join("; ");
}

/** A zone and its rules in words, for the list. */
export function zoneText(zone: DrawnZone): string {
  const bounds = [];
  if (zone.floor_m !== null) bounds.push(`above ${zone.floor_m} m`);
  if (zone.ceiling_m !== null) bounds.push(`below ${zone.ceiling_m} m`);
  const rules = zone.rules.map((rule, k) => (k === 0 ? ruleText(rule) : `#${k + 1} ${ruleText(rule)}`));
  return [...bounds, ...rules].join("; ");
}

/** Why a zone raises no alarm; empty where it is watched. */
export function unwatchedText(zone: DrawnZone): string {
  return zone.watched ? "" : `Not watched${zone.problem ? `: ${zone.problem}` : " yet"}`;
}

/** The body of a zone of the form. */
export function contentOf(corners: ZoneContent["outline_m"], floor: string, ceiling: string, rules: ZoneRule[]): ZoneContent {
  const bound = (text: string) => (text.trim() === "" ? null : Number(text));
  return { outline_m: corners, floor_m: bound(floor), ceiling_m: bound(ceiling), rules };
}
