// Day, dusk or night: kept by this browser.

import { byId } from "./dom.ts";

const KEY = "aegis-theme";
const THEMES = ["day", "dusk", "night"] as const;

/** Let a person choose the theme; `changed` is called with what is kept, and after each choice. */
export function chooseTheme(changed: () => void): void {
  const list = byId<HTMLSelectElement>("theme");
  const set = (theme: string) => {
    document.documentElement.dataset.theme = theme;
    list.value = theme;
    changed();
  };
  const kept = localStorage.getItem(KEY) ?? "dusk";
  set((THEMES as readonly string[]).includes(kept) ? kept : "dusk");
  list.addEventListener("change", () => {
    localStorage.setItem(KEY, list.value);
    set(list.value);
  });
}
