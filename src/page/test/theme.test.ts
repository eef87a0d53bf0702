import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "vitest";

const MAP = ["map-land", "map-green", "map-water", "map-building"]; // areas of vector tiles
const STYLE = readFileSync(new URL("../style.css", import.meta.url), "utf-8");

function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)); // WCAG 2.2
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** The colours of a theme; dusk is the one without a name. */
function theme(name: string): Record<string, string> {
  const blocks = [...STYLE.matchAll(/:root(?:\[data-theme="(\w+)"\])? \{([^}]*)\}/g)];
  const text = blocks.filter(([, found]) => found === undefined || found === name).map(([, , body]) => body).join("");
  return Object.fromEntries([...text.matchAll(/--(\S+): (#\w{6});/g)].map(([, key, value]) => [key, value]));
}

for (const name of ["dusk", "day", "night"]) {
  test(`by ${name} lines stand out 3:1 and words 4.5:1`, () => {
    const colours = theme(name);
    for (const line of ["ring", "plot", "strobe", "sensor", "chosen"]) {
      for (const ground of ["scope", ...MAP]) assert.ok(contrast(colours[line], colours[ground]) >= 3, `${line} on ${ground}`);
    }
    for (const [word, ground] of [
      ...["scope", ...MAP].flatMap((ground) => [["words", ground], ["label", ground]]), ["text", "ground"], ["text", "panel"], ["text", "raised"], ["dim", "ground"], ["dim", "panel"],
      ["dim", "sunken"], ["dim", "chosen-row"], ["text", "chosen-row"], ["text", "pointed-row"], ["text", "action"], ["warn-text", "warn-ground"],
      ["warn-text", "ground"], ["accent", "ground"],
    ]) {
      assert.ok(contrast(colours[word], colours[ground]) >= 4.5, `${word} on ${ground}: ${contrast(colours[word], colours[ground])}`);
    }
  });
}
