// Drawing on the scope: the corners of one zone, over the picture. The scope itself knows nothing of it.

import type { Scope } from "./scope.ts";
import { cornerNear, Draft, placing, type Point } from "./zone_draft.ts";

const SVG = "http://www.w3.org/2000/svg";
const CLICK_PX = 4; // a longer way moves the map

export class ZoneOverlay {
  draft: Draft | null = null;
  readonly #svg: SVGSVGElement;
  readonly #line = document.createElementNS(SVG, "polyline");
  #places: Point[] = [];
  #pointer: Point | null = null;
  #dragged: number | null = null;
  #down: Point | null = null;
  #click: Point | null = null; // that the scope is about to tell

  /** `changed` is called after each change of the draft. */
  constructor(readonly scope: Scope, svg: SVGSVGElement, readonly changed: () => void) {
    this.#svg = svg;
    svg.append(this.#line);
    const frame = scope.canvas.parentElement as HTMLElement;
    // Before the scope's own: what takes hold of a corner does not move the map.
    const listen = (type: string, take: (event: PointerEvent) => void) =>
      frame.addEventListener(type, (event) => {
        if (this.draft && event.target === scope.canvas) take(event as PointerEvent);
      }, { capture: true });
    listen("pointerdown", (event) => this.#take(event));
    listen("pointermove", (event) => this.#move(event));
    listen("pointerup", (event) => this.#leave(event));
    listen("pointercancel", () => { this.#dragged = null; });
    listen("dblclick", (event) => event.stopPropagation());
  }

  get isDrawing(): boolean {
    return this.draft !== null && !this.draft.closed;
  }

  begin(draft: Draft): void {
    this.draft = draft;
    this.#pointer = null;
    this.show();
  }

  end(): void {
    this.draft = null;
    this.show();
  }

  /** Take the click of which the scope has just told, as a corner; false: it is the scope's own. */
  takesClick(): boolean {
    const at = this.#click;
    this.#click = null;
    if (!this.isDrawing) return false;
    if (at) {
      this.draft?.click(this.scope.spotAt(at.x, at.y), cornerNear(this.#places, at.x, at.y));
      this.changed();
    }
    return true;
  }

  /** Draw it where the scope is looking now. */
  show(): void {
    const { draft } = this;
    this.#svg.toggleAttribute("hidden", draft === null);
    if (!draft) return;
    const placed = placing((x, y) => this.scope.spotAt(x, y));
    this.#places = draft.corners.map(placed);
    const line = draft.closed ? [...this.#places, ...this.#places.slice(0, 1)] : this.#pointer ? [...this.#places, this.#pointer] : this.#places;
    this.#line.setAttribute("points", line.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "));
    const circles = [...this.#svg.querySelectorAll("circle")];
    while (circles.length > this.#places.length) circles.pop()?.remove();
    while (circles.length < this.#places.length) circles.push(this.#svg.appendChild(document.createElementNS(SVG, "circle")));
    this.#places.forEach(({ x, y }, k) => {
      circles[k].setAttribute("cx", x.toFixed(1));
      circles[k].setAttribute("cy", y.toFixed(1));
      circles[k].setAttribute("r", k === 0 && !draft.closed ? "8" : "6");
    });
  }

  #take(event: PointerEvent): void {
    const { offsetX: x, offsetY: y } = event;
    this.#down = { x, y };
    if (event.button !== 0 || this.isDrawing) return;
    this.#dragged = cornerNear(this.#places, x, y);
    if (this.#dragged === null) return;
    this.scope.canvas.setPointerCapture(event.pointerId);
    event.stopPropagation();
  }

  #move(event: PointerEvent): void {
    const { offsetX: x, offsetY: y } = event;
    this.#pointer = { x, y };
    if (this.#dragged !== null) {
      this.draft?.move(this.#dragged, this.scope.spotAt(x, y));
      this.changed();
      event.stopPropagation();
    }
    this.show();
  }

  #leave(event: PointerEvent): void {
    const { offsetX: x, offsetY: y } = event;
    if (this.#dragged !== null) {
      this.#dragged = null;
      event.stopPropagation();
    }
    const isClick = this.#down !== null && Math.hypot(x - this.#down.x, y - this.#down.y) <= CLICK_PX;
    this.#click = isClick ? { x, y } : null;
  }
}
