// What the symbols on the scope mean; and which of the two sets is drawn, which this browser keeps.

import { drawApp6 } from "./app6.ts";
import { CELL } from "./atlas.ts";
import { byId } from "./dom.ts";
import { CLASSES, LEVELS, type Level, type Symbols } from "./messages.ts";
import type { Colours } from "./view.ts";

const KEY = "aegis-symbols";
const MEANINGS: Record<Level, string> = {
  CRITICAL: "a suspect", HIGH: "a suspect", MEDIUM: "an unknown", LOW: "an unknown", NONE: "what is pending",
};

/** Let a person choose the symbols; `changed` is called after each choice. Returns what tells which they are. */
export function chooseSymbols(changed: () => void): () => Symbols {
  const list = byId<HTMLSelectElement>("symbols");
  list.value = localStorage.getItem(KEY) === "app6" ? "app6" : "level";
  list.addEventListener("change", () => {
    localStorage.setItem(KEY, list.value);
    changed();
  });
  return () => list.value as Symbols;
}

/** Show the legend of these symbols, in the colours of the theme. */
export function showLegend(symbols: Symbols, colours: Colours): void {
  byId("legend-level").hidden = symbols !== "level";
  for (const id of ["legend-app6", "legend-classes"]) byId(id).hidden = symbols !== "app6";
  if (symbols === "level") return;
  byId("legend-app6").replaceChildren(...LEVELS.map((level) => {
    const item = entry(level, "UNKNOWN", level === "NONE" ? "not assessed" : level.toLowerCase(), colours);
    item.title = `the frame of ${MEANINGS[level]}`;
    return item;
  }));
  byId("legend-classes").replaceChildren(...CLASSES.slice(1).map((kind) => entry("LOW", kind, kind.toLowerCase(), colours)));
}

function entry(level: Level, kind: string, text: string, colours: Colours): HTMLElement {
  const ratio = window.devicePixelRatio || 1;
  const picture = document.createElement("canvas");
  picture.width = picture.height = CELL * ratio;
  const g = picture.getContext("2d") as CanvasRenderingContext2D;
  g.scale(ratio, ratio);
  drawApp6(g, kind, level, false, CELL / 2, CELL / 2, colours[level], colours.scope);
  const item = document.createElement("li");
  item.className = level;
  item.append(picture, text);
  return item;
}
