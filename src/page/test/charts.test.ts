import assert from "node:assert/strict";
import { test, vi } from "vitest";

vi.stubGlobal("matchMedia", () => ({ addEventListener: () => {} })); // uPlot asks for the screen as it is loaded
vi.stubGlobal("devicePixelRatio", 1);
vi.stubGlobal("BroadcastChannel", class {});
const { lineOf, spread, titleOf } = await import("../source/charts.ts");

test("a line is in the order of time, with a point for each time and gaps where nothing is known", () => {
  const rows = [{ stamp_s: 3, v: null }, { stamp_s: 2, v: 20 }, { stamp_s: 2, v: 21 }, { stamp_s: 1, v: 10 }];
  assert.deepEqual(lineOf(rows, (row) => row.v), [[1, 2, 3], [10, 20, null]]);
  assert.deepEqual(lineOf([], () => 1), [[], []]);
});

test("a line that does not move stands in the middle of its scale", () => {
  assert.deepEqual(spread(7, 7), [6.5, 7.5]);
  assert.deepEqual(spread(0, 100), [-10, 110]);
  assert.deepEqual(spread(null, null), [0, 1]);
});

test("what was never known is said to be absent, not shown as nothing", () => {
  assert.equal(titleOf("RCS dBsm", [[1, 2], [null, -12.5]]), "RCS dBsm");
  assert.equal(titleOf("RCS dBsm", [[1, 2], [null, null]]), "RCS dBsm: none on record");
  assert.equal(titleOf("threat score", [[], []]), "threat score: none on record");
});
