// What moves on the scope, by WebGL2 in three draws: trails, lines, points. The places of trails stay on the GPU, a new point a second.

import { ATLAS_COLUMNS, ATLAS_ROWS, atlasOf, CELL, PLOT_CELL, PLOT_SIZE, sizeOf } from "./atlas.ts";
import { programOf, type Program } from "./gl_program.ts";
import type { Point } from "./heard.ts";
import { LEVELS } from "./messages.ts";
import { glowsOf, shifted, strengthOf, TRAIL_ALPHA, type Marks } from "./marks.ts";
import type { Spots } from "./spots.ts";
import type { Colours, Frame, View } from "./view.ts";

const RING = 64; // points of a trail
const SLOTS_A_ROW = 16; // trails in a row of the texture of places
const PLACES_WIDTH = RING * SLOTS_A_ROW;
const RINGS_WIDTH = 1024;
const FIRST_SLOTS = 1024;
const POINT_FLOATS = 5;
const LINE_FLOATS = 4;

const HEAD = `#version 300 es
precision highp float; precision highp int; precision highp sampler2D; precision highp usampler2D;
`;
const TRAIL_VERTEX = `${HEAD}
uniform sampler2D places;
uniform usampler2D rings; // of each trail: next, points, level, whether it is shown
uniform mat3 view;
uniform vec2 offset;
uniform vec3 colours[5];
out vec4 colour;
void main() {
  int slot = gl_InstanceID;
  uvec4 ring = texelFetch(rings, ivec2(slot % ${RINGS_WIDTH}, slot / ${RINGS_WIDTH}), 0);
  int segment = gl_VertexID / 2;
  if (ring.a == 0u || segment + 1 >= int(ring.g)) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); colour = vec4(0.0); return; }
  int at = (int(ring.r) + ${2 * RING} - 1 - segment - gl_VertexID % 2) % ${RING};
  vec2 place = texelFetch(places, ivec2(slot % ${SLOTS_A_ROW} * ${RING} + at, slot / ${SLOTS_A_ROW}), 0).rg + offset;
  gl_Position = vec4((view * vec3(place, 1.0)).xy, 0.0, 1.0);
  colour = vec4(colours[ring.b], 1.0) * ${TRAIL_ALPHA};
}`;
const LINE_VERTEX = `${HEAD}
layout(location = 0) in vec2 place;
layout(location = 1) in vec2 look; // level, strength
uniform mat3 view;
uniform vec3 colours[5];
out vec4 colour;
void main() {
  gl_Position = vec4((view * vec3(place, 1.0)).xy, 0.0, 1.0);
  colour = vec4(colours[int(look.x)], 1.0) * look.y;
}`;
const LINE_FRAGMENT = `${HEAD}
in vec4 colour;
out vec4 drawn;
void main() { drawn = colour; }`;
const POINT_VERTEX = `${HEAD}
layout(location = 0) in vec2 place;
layout(location = 1) in vec3 look; // cell, size [device pixels], strength
uniform mat3 view;
uniform float cellSize;
flat out vec4 cell; // its middle in the atlas, half of what is seen of it
flat out float strength;
void main() {
  gl_Position = vec4((view * vec3(place, 1.0)).xy, 0.0, 1.0);
  gl_PointSize = look.y;
  vec2 cells = vec2(${ATLAS_COLUMNS}.0, ${ATLAS_ROWS}.0);
  cell = vec4((vec2(mod(look.x, cells.x), floor(look.x / cells.x)) + 0.5) / cells, vec2(look.y / cellSize) / cells);
  strength = look.z;
}`;
const POINT_FRAGMENT = `${HEAD}
uniform sampler2D atlas;
flat in vec4 cell;
flat in float strength;
out vec4 drawn;
void main() { drawn = texture(atlas, cell.xy + (gl_PointCoord - 0.5) * cell.zw) * strength; }`;

/** Where a track's trail is kept. */
interface Slot {
  index: number;
  trail: Point[] | null; // what was written
  last: number; // its last stamp
  next: number; // of the ring
  drawn: number; // in which drawing it was seen last
}

export class GlMarks implements Marks {
  readonly kind = "webgl2";
  readonly #trails: Program;
  readonly #lines: Program;
  readonly #points: Program;
  readonly #buffers: WebGLBuffer[];
  #lineData = new Float32Array(4096 * LINE_FLOATS);
  #pointData = new Float32Array(4096 * POINT_FLOATS);
  #places = new Float32Array(FIRST_SLOTS * RING * 2);
  #rings = new Uint8Array(RINGS_WIDTH * 4);
  #capacity = FIRST_SLOTS;
  #slots = new Map<number, Slot>();
  #free: number[] = [];
  #used = 0;
  #drawing = 0;
  #changed: [first: number, last: number] | null = null; // rows of places
  #platform: View["platform"] = null;
  #ratio = 0;
  #size = "";
  #palette = new Float32Array(LEVELS.length * 3);

  /** Throws where a shader cannot be built. */
  constructor(readonly canvas: HTMLCanvasElement, readonly gl: WebGL2RenderingContext, private colours: Colours) {
    this.#trails = programOf(gl, TRAIL_VERTEX, LINE_FRAGMENT);
    this.#lines = programOf(gl, LINE_VERTEX, LINE_FRAGMENT);
    this.#points = programOf(gl, POINT_VERTEX, POINT_FRAGMENT);
    this.#buffers = [gl.createBuffer(), gl.createBuffer()] as WebGLBuffer[];
    for (const unit of [gl.TEXTURE0, gl.TEXTURE1, gl.TEXTURE2]) {
      gl.activeTexture(unit);
      gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
      const filter = unit === gl.TEXTURE2 ? gl.LINEAR : gl.NEAREST;
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, filter);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    }
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.#allocate();
    this.recolour(colours);
  }

  recolour(colours: Colours): void {
    this.colours = colours;
    this.#ratio = 0;
    LEVELS.forEach((level, i) => {
      for (let part = 0; part < 3; part += 1) this.#palette[i * 3 + part] = parseInt(colours[level].slice(1 + 2 * part, 3 + 2 * part), 16) / 255;
    });
  }

  draw(view: View, spots: Spots, frame: Frame, leaderS: number): void {
    const { gl } = this;
    this.#fit(frame);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const lines = this.#fill(view, spots, leaderS);
    if (view.showTrails) this.#drawTrails(view, frame);
    this.#use(this.#lines, frame);
    this.#upload(0, this.#lineData, lines, LINE_FLOATS);
    gl.drawArrays(gl.LINES, 0, lines);
    const points = this.#fillPoints(view, spots);
    this.#use(this.#points, frame);
    gl.uniform1f(this.#points.at("cellSize"), CELL * this.#ratio);
    gl.uniform1i(this.#points.at("atlas"), 2);
    this.#upload(1, this.#pointData, points, POINT_FLOATS);
    gl.drawArrays(gl.POINTS, 0, points);
  }

  /** Give the canvas its size, and the atlas that of the screen's pixels. */
  #fit({ width, height }: Frame): void {
    const { gl, canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    const size = `${Math.round(width * ratio)} ${Math.round(height * ratio)}`;
    if (size !== this.#size) {
      this.#size = size;
      [canvas.width, canvas.height] = size.split(" ").map(Number);
      gl.viewport(0, 0, canvas.width, canvas.height);
    }
    if (ratio === this.#ratio) return;
    this.#ratio = ratio;
    gl.activeTexture(gl.TEXTURE2);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, atlasOf(this.colours, ratio));
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  }

  #use(program: Program, frame: Frame): void {
    const { gl } = this;
    const { width, height, a, b, tx, ty } = frame;
    gl.useProgram(program.program);
    const [sx, sy] = [2 / width, -2 / height];
    gl.uniformMatrix3fv(program.at("view"), false, [a * sx, b * sy, 0, b * sx, -a * sy, 0, tx * sx - 1, ty * sy + 1, 1]);
    gl.uniform3fv(program.at("colours"), this.#palette);
  }

  #upload(number: number, data: Float32Array, count: number, floats: number): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffers[number]);
    gl.bufferData(gl.ARRAY_BUFFER, data.subarray(0, count * floats), gl.STREAM_DRAW);
    gl.enableVertexAttribArray(0);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, floats * 4, 0);
    gl.vertexAttribPointer(1, floats - 2, gl.FLOAT, false, floats * 4, 8);
  }

  /** Take the trails' new points and make the lines: leaders, and what leads from a trail's last point to the track; return their ends. */
  #fill(view: View, spots: Spots, leaderS: number): number {
    this.#drawing += 1;
    if (Boolean(view.platform) !== Boolean(this.#platform)) for (const slot of this.#slots.values()) slot.trail = null;
    this.#platform = view.platform;
    this.#rings.fill(0);
    this.#lineData = roomFor(this.#lineData, spots.count * 4 * LINE_FLOATS);
    const data = this.#lineData;
    let at = 0;
    const line = (level: number, strength: number, x: number, y: number, x2: number, y2: number) => {
      data[at] = x; data[at + 1] = y; data[at + 2] = level; data[at + 3] = strength;
      data[at + 4] = x2; data[at + 5] = y2; data[at + 6] = level; data[at + 7] = strength;
      at += 8;
    };
    for (let i = 0; i < spots.count; i += 1) {
      const [level, east, north] = [spots.levels[i], spots.east[i], spots.north[i]];
      const id = spots.tracks[i].track_id;
      const trail = view.showTrails ? view.trails.get(id) : undefined;
      if (trail?.length) {
        this.#follow(id, trail, level, view);
        const place = shifted(trail[trail.length - 1], view);
        if (place) line(level, TRAIL_ALPHA, place[0], place[1], east, north);
      }
      const [ve, vn] = [spots.velocityEast[i], spots.velocityNorth[i]];
      if (!Number.isNaN(ve + vn)) line(level, 1, east, north, east + ve * leaderS, north + vn * leaderS);
    }
    if (view.showTrails) this.#forget();
    return at / LINE_FLOATS;
  }

  #fillPoints(view: View, spots: Spots): number {
    const glows = glowsOf(view);
    const plots = glows.reduce((sum, { items }) => sum + items.length, 0);
    this.#pointData = roomFor(this.#pointData, (plots + spots.count) * POINT_FLOATS);
    const data = this.#pointData;
    const ratio = this.#ratio;
    let at = 0;
    const point = (x: number, y: number, cell: number, size: number, strength: number) => {
      data[at] = x; data[at + 1] = y; data[at + 2] = cell; data[at + 3] = size * ratio; data[at + 4] = strength;
      at += POINT_FLOATS;
    };
    for (const glow of glows) {
      const strength = strengthOf(glow);
      for (let i = 0; i < glow.places.length; i += 2) point(glow.places[i], glow.places[i + 1], PLOT_CELL, PLOT_SIZE, strength);
    }
    for (let i = 0; i < spots.count; i += 1) {
      const cell = spots.cells[i];
      point(spots.east[i], spots.north[i], cell, sizeOf(cell), 1);
    }
    return at / POINT_FLOATS;
  }

  /** Write what is new of a trail. Relative to the platform, places are kept as they were from it. */
  #follow(id: number, trail: Point[], level: number, view: View): void {
    let slot = this.#slots.get(id);
    if (!slot) {
      const index = this.#free.pop() ?? this.#used++;
      if (index >= this.#capacity) this.#grow();
      slot = { index, trail: null, last: 0, next: 0, drawn: 0 };
      this.#slots.set(id, slot);
    }
    slot.drawn = this.#drawing;
    const last = trail[trail.length - 1][2];
    if (slot.trail !== trail || (slot.last !== last && trail[trail.length - 2]?.[2] !== slot.last)) {
      for (const point of trail.slice(-RING)) this.#put(slot, point, view);
    } else if (slot.last !== last) this.#put(slot, trail[trail.length - 1], view);
    [slot.trail, slot.last] = [trail, last];
    const at = slot.index * 4;
    this.#rings[at] = slot.next;
    this.#rings[at + 1] = Math.min(trail.length, RING);
    this.#rings[at + 2] = level;
    this.#rings[at + 3] = 1;
  }

  #put(slot: Slot, point: Point, view: View): void {
    const place = shifted(point, view);
    const offset = view.platform && view.sensor;
    const at = (slot.index * RING + slot.next) * 2;
    this.#places[at] = place ? place[0] - (offset ? offset.x_m : 0) : NaN;
    this.#places[at + 1] = place ? place[1] - (offset ? offset.y_m : 0) : NaN;
    slot.next = (slot.next + 1) % RING;
    const row = Math.floor(slot.index / SLOTS_A_ROW);
    this.#changed = this.#changed ? [Math.min(this.#changed[0], row), Math.max(this.#changed[1], row)] : [row, row];
  }

  /** Free the places of tracks that are gone. */
  #forget(): void {
    for (const [id, slot] of this.#slots) {
      if (slot.drawn === this.#drawing) continue;
      this.#slots.delete(id);
      this.#free.push(slot.index);
    }
  }

  #grow(): void {
    this.#capacity *= 2;
    const [places, rings] = [this.#places, this.#rings];
    this.#places = new Float32Array(this.#capacity * RING * 2);
    this.#places.set(places);
    this.#rings = new Uint8Array(this.#capacity * 4);
    this.#rings.set(rings);
    this.#allocate();
  }

  /** Give the textures their size; what they held is written again. */
  #allocate(): void {
    const { gl } = this;
    const rows = this.#capacity / SLOTS_A_ROW;
    gl.activeTexture(gl.TEXTURE0);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RG32F, PLACES_WIDTH, rows, 0, gl.RG, gl.FLOAT, null);
    gl.activeTexture(gl.TEXTURE1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8UI, RINGS_WIDTH, this.#capacity / RINGS_WIDTH, 0, gl.RGBA_INTEGER, gl.UNSIGNED_BYTE, null);
    this.#changed = [0, rows - 1];
  }

  #drawTrails(view: View, frame: Frame): void {
    const { gl } = this;
    if (this.#changed) {
      const [first, last] = this.#changed;
      const floats = PLACES_WIDTH * 2;
      gl.activeTexture(gl.TEXTURE0);
      gl.texSubImage2D(
        gl.TEXTURE_2D, 0, 0, first, PLACES_WIDTH, last - first + 1, gl.RG, gl.FLOAT, this.#places.subarray(first * floats, (last + 1) * floats),
      );
      this.#changed = null;
    }
    gl.activeTexture(gl.TEXTURE1);
    gl.texSubImage2D(
      gl.TEXTURE_2D, 0, 0, 0, RINGS_WIDTH, this.#capacity / RINGS_WIDTH, gl.RGBA_INTEGER, gl.UNSIGNED_BYTE, this.#rings,
    );
    let longest = 0;
    for (let i = 1; i < this.#used * 4; i += 4) longest = Math.max(longest, this.#rings[i]);
    this.#use(this.#trails, frame);
    gl.uniform1i(this.#trails.at("places"), 0);
    gl.uniform1i(this.#trails.at("rings"), 1);
    const offset = view.platform && view.sensor;
    gl.uniform2f(this.#trails.at("offset"), offset ? offset.x_m : 0, offset ? offset.y_m : 0);
    gl.disableVertexAttribArray(0);
    gl.disableVertexAttribArray(1);
    if (longest > 1) gl.drawArraysInstanced(gl.LINES, 0, 2 * (longest - 1), this.#used);
  }
}

function roomFor(data: Float32Array<ArrayBuffer>, floats: number): Float32Array<ArrayBuffer> {
  return data.length >= floats ? data : new Float32Array(floats * 2);
}

const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;

/** WebGL2 on a canvas; null where the browser has none, or software would draw it: then flat_marks.ts is the faster one. */
export function glMarks(canvas: HTMLCanvasElement, colours: Colours): GlMarks | null {
  const probe = document.createElement("canvas").getContext("webgl2"); // a canvas that has had one context gets no other one
  const about = probe?.getExtension("WEBGL_debug_renderer_info");
  const renderer = about ? String(probe?.getParameter(about.UNMASKED_RENDERER_WEBGL)) : "";
  probe?.getExtension("WEBGL_lose_context")?.loseContext();
  if (!probe || SOFTWARE.test(renderer)) return null;
  const gl = canvas.getContext("webgl2", { preserveDrawingBuffer: true });
  return gl && new GlMarks(canvas, gl, colours);
}
