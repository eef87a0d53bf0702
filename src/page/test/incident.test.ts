import { expect, test } from "vitest";
import { inputOf, secondsOf, spanAround, spanOf } from "../source/incident.ts";
import type { Alarm } from "../source/messages.ts";

const alarm = (raised_s: number, state: string) => ({ raised_s, state }) as Alarm;

test("what is offered lies around the time that is shown, and never in the future", () => {
  expect(spanAround(1000, 5000)).toEqual({ from: 700, to: 1300 });
  expect(spanAround(1000, 1100)).toEqual({ from: 700, to: 1100 });
});

test("of alarms it begins before the first that is on, else before the last that ended", () => {
  expect(spanOf([alarm(2000, "ACTIVE"), alarm(1500, "ACTIVE"), alarm(900, "ENDED")], 3000)).toEqual({ from: 1200, to: 3000 });
  expect(spanOf([alarm(900, "ENDED"), alarm(1000, "ENDED")], 3000)).toEqual({ from: 700, to: 3000 });
  expect(spanOf([], 3000)).toEqual({ from: 2700, to: 3000 });
});

test("a time goes into the input and back, in any zone, at a change of summer time too", () => {
  for (const zone of ["UTC", "Europe/Berlin", "Asia/Kathmandu"]) {
    process.env.TZ = zone;
    for (const seconds of [1_700_000_000, 1_774_746_000, 1_774_749_600, 0]) expect(secondsOf(inputOf(seconds))).toBe(seconds);
  }
  expect(secondsOf("")).toBeNull();
});
