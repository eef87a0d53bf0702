// Times for people, of this browser's zone and language, but always of a clock of 24 hours: 7:04 in the morning is no evening.

const HOURS = { hourCycle: "h23" } as const;

/** The time of day of seconds since 1970. */
export function clockText(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], HOURS);
}

/** The date and time of day of seconds since 1970. */
export function dateText(seconds: number): string {
  return new Date(seconds * 1000).toLocaleString([], HOURS);
}

/** Of events whose names say more than has happened: Aegis advises, and a person decides. */
const WORDS: Readonly<Record<string, string>> = {
  EW_RESPONSE_TRIGGERED: "EW advice to be decided",
  EW_COUNTERMEASURE: "EW advice accepted",
};

/** The name of an event in words: TRACK_LOST is "track lost". */
export function eventWords(name: string): string {
  return WORDS[name] ?? name.replaceAll("_", " ").toLowerCase().replace(/\bew\b/, "EW");
}
