// The video of radars that turn, under all that moves: sweep and afterglow, by WebGL2, one draw a radar.

import { byId } from "./dom.ts";
import { programOf, type Program } from "./gl_program.ts";
import { CELLS, FADE, LEAST_GLOW, sectorOf, Sweep, type Sector } from "./sweep.ts";
import type { Frame } from "./view.ts";

const EVERY_MS = 40;
const NEVER = -1e9; // [s], of a bearing that was not seen
const VERTEX = `#version 300 es
void main() { gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0); }`;
const FRAGMENT = `#version 300 es
precision highp float; precision highp sampler2D;
uniform sampler2D levels; // a row a bearing
uniform sampler2D times; // when it was measured [s]
uniform vec4 toMap; // a, b, tx, ty of the frame
uniform vec2 sensor, size, ranges; // its place [m]; of the canvas [CSS pixels]; first range and cell [m]
uniform float ratio, radius, cells, turn, now, gone;
uniform vec3 colour;
out vec4 drawn;
void main() {
  vec2 at = vec2(gl_FragCoord.x, size.y * ratio - gl_FragCoord.y) / ratio;
  if (distance(at, size / 2.0) > radius) discard;
  vec2 d = at - toMap.zw;
  vec2 place = vec2(toMap.x * d.x + toMap.y * d.y, toMap.y * d.x - toMap.x * d.y) / dot(toMap.xy, toMap.xy) - sensor;
  float cell = floor((length(place) - ranges.x) / ranges.y);
  if (cell < 0.0 || cell >= cells) discard;
  float bearing = fract(atan(place.x, place.y) / 6.283185307179586 + 1.0);
  int row = int(min(floor(bearing * turn), turn - 1.0));
  float age = now - texelFetch(times, ivec2(0, row), 0).r;
  if (age >= gone) discard;
  float level = texelFetch(levels, ivec2(int(cell), row), 0).r * max(${LEAST_GLOW}, 1.0 - age / gone * ${FADE.toFixed(2)});
  drawn = vec4(colour * level, level);
}`;

interface OnGpu {
  sweep: Sweep;
  levels: WebGLTexture;
  times: WebGLTexture;
  seconds: Float32Array;
}

export class VideoLayer {
  readonly #radars = new Map<string, OnGpu>();
  #gl: WebGL2RenderingContext | null = null;
  #program: Program | null = null;
  #beganMs = 0; // times on the GPU are from here: single precision

  constructor(readonly canvas: HTMLCanvasElement) {}

  /** Whether this browser can draw it. */
  begin(now: number): boolean {
    if (this.#gl) return true;
    const gl = this.canvas.getContext("webgl2", { premultipliedAlpha: true, preserveDrawingBuffer: true });
    if (!gl) return false;
    [this.#gl, this.#program, this.#beganMs] = [gl, programOf(gl, VERTEX, FRAGMENT), now];
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    return true;
  }

  take(sector: Sector, now: number): void {
    const gl = this.#gl;
    if (!gl) return;
    let radar = this.#radars.get(sector.sensorId);
    if (!radar?.sweep.fits(sector)) {
      if (radar) this.#remove(gl, radar);
      const sweep = new Sweep(sector);
      const seconds = new Float32Array(sector.turn).fill(NEVER);
      radar = { sweep, seconds, levels: this.#texture(gl, gl.R8, CELLS, sector.turn), times: this.#texture(gl, gl.R32F, 1, sector.turn) };
      this.#radars.set(sector.sensorId, radar);
      gl.bindTexture(gl.TEXTURE_2D, radar.times);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, 1, sector.turn, gl.RED, gl.FLOAT, seconds);
    }
    radar.sweep.take(sector, now);
  }

  /** Draw what is known; `frame` is that of the scope, `colour` as #rrggbb. */
  draw(frame: Frame, colour: string, now: number): void {
    const [gl, shading] = [this.#gl, this.#program];
    if (!gl || !shading) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(frame.width * ratio), Math.round(frame.height * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) [this.canvas.width, this.canvas.height] = [width, height];
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(shading.program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const { at } = shading;
    gl.uniform4f(at("toMap"), frame.a, frame.b, frame.tx, frame.ty);
    gl.uniform2f(at("size"), frame.width, frame.height);
    gl.uniform1f(at("ratio"), ratio);
    gl.uniform1f(at("radius"), frame.radius);
    gl.uniform1f(at("now"), (now - this.#beganMs) / 1000);
    gl.uniform3f(at("colour"), ...([1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16) / 255) as [number, number, number]));
    gl.uniform1i(at("levels"), 0);
    gl.uniform1i(at("times"), 1);
    for (const radar of this.#radars.values()) {
      const { sweep, levels, times } = radar;
      gl.activeTexture(gl.TEXTURE1);
      gl.bindTexture(gl.TEXTURE_2D, times);
      gl.activeTexture(gl.TEXTURE0);
      gl.bindTexture(gl.TEXTURE_2D, levels);
      this.#upload(gl, radar);
      const { last } = sweep;
      gl.uniform2f(at("sensor"), last.east, last.north);
      gl.uniform2f(at("ranges"), last.firstRangeM, last.cellM);
      gl.uniform1f(at("cells"), last.cells);
      gl.uniform1f(at("turn"), last.turn);
      gl.uniform1f(at("gone"), sweep.goneMs / 1000);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    }
  }

  /** Show nothing, and keep nothing. */
  clear(): void {
    const gl = this.#gl;
    if (!gl) return;
    for (const radar of this.#radars.values()) this.#remove(gl, radar);
    this.#radars.clear();
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
  }

  #upload(gl: WebGL2RenderingContext, { sweep, seconds, times }: OnGpu): void {
    for (const [first, bearings] of sweep.dirty) {
      const rows = sweep.levels.subarray(first * CELLS, (first + bearings) * CELLS);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, first, CELLS, bearings, gl.RED, gl.UNSIGNED_BYTE, rows);
      for (let k = first; k < first + bearings; k += 1) seconds[k] = (sweep.cameAt[k] - this.#beganMs) / 1000;
      gl.activeTexture(gl.TEXTURE1);
      gl.bindTexture(gl.TEXTURE_2D, times);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, first, 1, bearings, gl.RED, gl.FLOAT, seconds.subarray(first, first + bearings));
      gl.activeTexture(gl.TEXTURE0);
    }
    sweep.dirty = [];
  }

  #texture(gl: WebGL2RenderingContext, format: number, width: number, height: number): WebGLTexture {
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texStorage2D(gl.TEXTURE_2D, 1, format, width, height);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    return texture;
  }

  #remove(gl: WebGL2RenderingContext, { levels, times }: OnGpu): void {
    gl.deleteTexture(levels);
    gl.deleteTexture(times);
  }
}

/** The switch of the video: there where a radar turns. While it is on the stream brings it, and it is drawn some times a second. */
export class VideoSwitch {
  readonly #box = byId<HTMLInputElement>("show-video");
  #text = "";

  /** `frame` and `colour` are the scope's; `watch` tells the stream. */
  constructor(readonly layer: VideoLayer, readonly frame: () => Frame, readonly colour: () => string, watch: (on: boolean) => void) {
    this.#box.addEventListener("change", () => {
      if (this.#box.checked && !layer.begin(performance.now())) {
        this.#box.checked = false;
        this.#text = "video needs WebGL2, which this browser does not have";
      }
      watch(this.#box.checked);
      if (this.#box.checked) this.#draw();
      else layer.clear();
    });
  }

  /** Called again and again; of the past there is no video. */
  show(turns: boolean, isPast: boolean): void {
    const label = this.#box.closest("label") as HTMLElement;
    label.hidden = !turns && !this.#box.checked;
    label.title = this.#text || "the radar's echoes as they are, with sweep and afterglow";
    this.layer.canvas.hidden = isPast;
  }

  take(data: ArrayBuffer): void {
    if (this.#box.checked) this.layer.take(sectorOf(data), performance.now());
  }

  #draw(): void {
    if (!this.#box.checked) return;
    if (!this.layer.canvas.hidden) this.layer.draw(this.frame(), this.colour(), performance.now());
    setTimeout(() => requestAnimationFrame(() => this.#draw()), EVERY_MS);
  }
}
