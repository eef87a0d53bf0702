import assert from "node:assert/strict";
import { test } from "vitest";

import { clockText, dateText, eventWords } from "../source/times.ts";

test("the clock has 24 hours, whatever the language", () => {
  const evening = new Date(2026, 10, 30, 19, 4, 5).getTime() / 1000;
  assert.match(clockText(evening), /^19.04.05$/);
  assert.match(dateText(evening), /19.04.05$/);
  assert.match(clockText(new Date(2026, 10, 30, 0, 4, 5).getTime() / 1000), /^00.04.05$/);
});

test("an event is told in words", () => {
  assert.equal(eventWords("ANOTHER_PUBLISHER"), "another publisher");
  assert.equal(eventWords("EW_SIGNAL_STARTED"), "EW signal started");
  assert.equal(eventWords("EW_RESPONSE_TRIGGERED"), "EW advice to be decided");
  assert.equal(eventWords("EW_COUNTERMEASURE"), "EW advice accepted");
});
