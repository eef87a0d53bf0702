import { expect, test } from "vitest";
import { CELLS, glowOf, sectorOf, Sweep } from "../source/sweep.ts";

/** A message as docs/bridge.md has it. */
function message(first: number, levels: number[][], ageS = 0): ArrayBuffer {
  const name = new TextEncoder().encode("mast");
  const data = new ArrayBuffer(54 + name.length + levels.flat().length);
  const view = new DataView(data);
  view.setUint8(0, 2);
  view.setUint8(1, name.length);
  [first, levels.length, levels[0].length].forEach((value, k) => view.setUint16(2 + 2 * k, value, true));
  [ageS, 30, -5, 10, 2.5].forEach((value, k) => view.setFloat64(12 + 8 * k, value, true));
  view.setUint16(52, 16, true);
  new Uint8Array(data).set([...name, ...levels.flat()], 54);
  return data;
}

test("a sector is read as it is documented, and what contradicts itself is refused", () => {
  const sector = sectorOf(message(14, [[1, 2], [3, 4]], 0.25));
  expect({ ...sector, levels: [...sector.levels] }).toEqual({
    sensorId: "mast", first: 14, bearings: 2, cells: 2, turn: 16, east: 30, north: -5, firstRangeM: 10, cellM: 2.5, ageS: 0.25,
    levels: [1, 2, 3, 4],
  });
  expect(() => sectorOf(message(15, [[1], [2]]))).toThrow("2 bearings from 15 of 16");
  expect(() => sectorOf(message(0, [[1]]).slice(0, 40))).toThrow("expected");
});

test("each bearing keeps when it was measured, and is gone a turn and a half later", () => {
  const sweep = new Sweep(sectorOf(message(0, [[9, 9]])));
  sweep.take(sectorOf(message(0, [[9, 9]])), 1000);
  sweep.take(sectorOf(message(4, [[7, 8]], 0.5)), 2000);
  expect([sweep.cameAt[0], sweep.cameAt[4], sweep.cameAt[5]]).toEqual([1000, 1500, -Infinity]);
  expect([...sweep.levels.subarray(4 * CELLS, 4 * CELLS + 3)]).toEqual([7, 8, 0]);
  sweep.take(sectorOf(message(0, [[1, 0]])), 3000); // it turns once in two seconds
  expect(sweep.goneMs).toBe(3000);
  expect([glowOf(0, 3000), glowOf(2900, 3000) > 0, glowOf(3000, 3000), glowOf(Infinity, 3000)]).toEqual([1, true, 0, 0]);
  expect(glowOf(500, 3000)).toBeGreaterThan(glowOf(1500, 3000));
  expect(sweep.fits(sectorOf(message(0, [[1, 2, 3]])))).toBe(false);
});
