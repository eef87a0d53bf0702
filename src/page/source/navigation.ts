// Moving about on the scope: wheel, pointer and keys.

import { bearingText, fromHash, HOME, roundRange, toHash, zoomed, type Camera } from "./camera.ts";
import { byId, setText } from "./dom.ts";
import type { Colours, Frame, Overlay, Scope, Spot } from "./scope.ts";

const STEP = 1.25; // of the range, for one notch of the wheel or one key
const PAN_SHARE = 0.1; // of the range, for one key
const DRAG_PX = 4; // less is a click

export class Navigation {
  camera: Camera;
  measured: { from: Spot; to: Spot } | null = null;
  readonly overlay: Overlay = (g, frame, colours) => this.measured && drawMeasured(g, frame, colours, this.measured.from, this.measured.to);
  #drag: { x: number; y: number; camera: Camera; moved: boolean; measuring: boolean } | null = null;

  /** `changed` is called after each move, `clicked` with the track under a click, `chosen` tells which track is, `time` which of the past is shown. */
  constructor(
    readonly scope: Scope,
    readonly changed: () => void,
    readonly clicked: (id: number | null) => void,
    readonly chosen: () => number | null,
    readonly time: () => number | null,
  ) {
    this.camera = fromHash(location.hash).camera;
    const { canvas } = scope;
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", () => { this.#drag = null; });
    canvas.addEventListener("pointerleave", () => setText(byId("pointer"), ""));
    canvas.addEventListener("dblclick", () => this.set({ ...HOME, courseUp: this.camera.courseUp }));
    document.addEventListener("keydown", (event) => this.#key(event));
    byId("range").addEventListener("change", (event) => {
      const { value } = event.target as HTMLSelectElement;
      this.set({ ...this.camera, range: value === "auto" ? null : Number(value) });
    });
    byId("course-up").addEventListener("click", () => this.#turn());
    this.#showRange();
  }

  #turn(): void {
    this.set({ ...this.camera, courseUp: !this.camera.courseUp });
  }

  set(camera: Camera): void {
    this.camera = camera;
    this.#showRange();
    this.remember();
    this.changed();
  }

  /** Write the view into the address, which can be kept and sent on. */
  remember(): void {
    const hash = toHash(this.camera, this.chosen(), this.time());
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname);
  }

  /** Bring the middle to the track that is followed. */
  follow(east: number | null, north: number | null): void {
    if (this.camera.follow && east !== null && north !== null) this.camera = { ...this.camera, east, north };
  }

  #showRange(): void {
    const list = byId<HTMLSelectElement>("range");
    const value = this.camera.range === null ? "auto" : String(this.camera.range);
    byId("course-up").setAttribute("aria-pressed", String(this.camera.courseUp));
    list.value = [...list.options].some((option) => option.value === value) ? value : "";
  }

  #zoom(factor: number, at: Spot): void {
    this.set(zoomed(this.camera, this.scope.range, factor, at.east, at.north));
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    this.#zoom(event.deltaY > 0 ? STEP : 1 / STEP, this.scope.spotAt(event.offsetX, event.offsetY));
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    const { offsetX: x, offsetY: y } = event;
    this.#drag = { x, y, camera: this.camera, moved: false, measuring: event.shiftKey };
    this.scope.canvas.setPointerCapture(event.pointerId);
  }

  #move({ offsetX: x, offsetY: y }: PointerEvent): void {
    const at = this.scope.spotAt(x, y);
    setText(byId("pointer"), bearingText(at.east, at.north));
    const drag = this.#drag;
    if (!drag) return;
    drag.moved ||= Math.hypot(x - drag.x, y - drag.y) > DRAG_PX;
    if (!drag.moved) return;
    if (drag.measuring) {
      this.measured = { from: this.scope.spotAt(drag.x, drag.y), to: at };
      this.changed();
      return;
    }
    const { east, north } = drag.camera;
    const [right, up] = this.scope.metresOf(x - drag.x, y - drag.y);
    this.set({ ...this.camera, east: east - right, north: north - up, follow: false });
  }

  #up({ offsetX: x, offsetY: y }: PointerEvent): void {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag || drag.moved) return;
    if (this.measured) {
      this.measured = null;
      this.changed();
    }
    this.clicked(this.scope.trackAt(x, y));
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if ((event.target as Element).closest("input, select, textarea")) return;
    if (byId("picture").hidden) return;
    const { east, north } = this.camera;
    const step = this.scope.range * PAN_SHARE;
    const pan = (x: number, y: number) => {
      const [right, up] = this.scope.metresOf(x, y);
      const length = Math.hypot(right, up);
      this.set({ ...this.camera, east: east + (right / length) * step, north: north + (up / length) * step, follow: false });
    };
    const acts: Record<string, () => void> = {
      "+": () => this.#zoom(1 / STEP, this.camera),
      "=": () => this.#zoom(1 / STEP, this.camera),
      "-": () => this.#zoom(STEP, this.camera),
      "0": () => this.set({ ...HOME, courseUp: this.camera.courseUp }),
      r: () => this.set({ ...this.camera, range: roundRange(this.scope.range) }),
      f: () => this.set({ ...this.camera, follow: !this.camera.follow && this.chosen() !== null }),
      c: () => this.#turn(),
      "/": () => byId("filter").focus(),
      ArrowLeft: () => pan(-1, 0),
      ArrowRight: () => pan(1, 0),
      ArrowUp: () => pan(0, -1),
      ArrowDown: () => pan(0, 1),
      Escape: () => {
        this.measured = null;
        this.clicked(null);
      },
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

function drawMeasured(g: CanvasRenderingContext2D, { at }: Frame, colours: Colours, from: Spot, to: Spot): void {
  const [x, y] = at(to.east, to.north);
  g.strokeStyle = g.fillStyle = colours.chosen;
  g.lineWidth = 1;
  g.beginPath();
  g.moveTo(...at(from.east, from.north));
  g.lineTo(x, y);
  g.stroke();
  g.fillText(bearingText(to.east - from.east, to.north - from.north), x + 8, y - 8);
}
