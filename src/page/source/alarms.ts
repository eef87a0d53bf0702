// Alarms of zone rules: what is said of them, in which order, and what is to be heard. Nothing here knows of the document.

import { isStale } from "./ages.ts";
import type { Heard } from "./heard.ts";
import type { Alarm } from "./messages.ts";
import { clockText } from "./times.ts";

const HEARD_UP_TO = 2; // alarms of a lower urgency are shown only

/** Whether somebody still has to look at it. */
export function isWaiting(alarm: Alarm): boolean {
  return alarm.state === "ACTIVE" && alarm.acknowledged_by === null && alarm.shelved_until_s === null;
}

/** How many are on and not shelved; null where nothing is known. */
export function activeCount(heard: Heard, now: number): number | null {
  if (heard.alarms === null || !heard.threats || isStale(heard, heard.threats, now)) return null; // one stage makes both
  return heard.alarms.filter((alarm) => alarm.state === "ACTIVE" && alarm.shelved_until_s === null).length;
}

/** What has been done about an alarm, in words. */
export function stateText(alarm: Alarm): string {
  const words = [`priority ${alarm.priority}`, `raised ${clockText(alarm.raised_s)}`];
  if (alarm.state === "ENDED") words.push("ended");
  if (alarm.acknowledged_by !== null) words.push(`seen by ${alarm.acknowledged_by}`);
  if (alarm.shelved_until_s !== null) {
    words.push(`shelved by ${alarm.shelved_by ?? "?"} until ${clockText(alarm.shelved_until_s)}: ${alarm.shelf_reason ?? ""}`);
  }
  if (alarm.note !== null) words.push(`“${alarm.note}”`);
  return words.join(", ");
}

/** Names of zones and assets with an alarm that nobody has seen. */
export function alarmedZones(heard: Heard): Set<string> {
  return new Set((heard.alarms ?? []).filter(isWaiting).map((alarm) => alarm.zone ?? ""));
}

/** What is to be heard until somebody has seen it, by a name that stays; the second part tells whether it is most urgent. */
export function audible(heard: Heard, now: number): Map<string, boolean> {
  const out = new Map<string, boolean>();
  if (!heard.threats || isStale(heard, heard.threats, now)) return out; // that is said in another way
  for (const alarm of heard.alarms ?? []) {
    if (isWaiting(alarm) && alarm.priority <= HEARD_UP_TO) out.set(`alarm ${alarm.id}`, alarm.priority === 1);
  }
  for (const threat of heard.threats.items) {
    if (threat.level === "CRITICAL" && threat.acknowledged_by === null) out.set(`threat ${threat.track_id}`, true);
  }
  return out;
}
