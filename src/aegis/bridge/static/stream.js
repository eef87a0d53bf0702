// @ts-check
// The stream: what the bridge says over its WebSocket, and what of that is kept. Nothing here knows of the document.

/** @import { Part } from "./ages.js" */
import { staleAfterMs } from "./ages.js";

/** @typedef {"NONE" | "LOW" | "MEDIUM" | "HIGH" | "CRITICAL"} Level */
/** @typedef {"signed-out" | "connecting" | "waiting" | "live" | "stale" | "disconnected"} Connection */

/**
 * Of the messages, what this page looks at. Unknown is null.
 *
 * @typedef {object} Track
 * @property {number} track_id
 * @property {"TENTATIVE" | "CONFIRMED" | "COASTING"} status
 * @property {string} class
 * @property {{x: number | null, y: number | null, z: number | null}} position_m  east, north, up
 * @property {{x: number | null, y: number | null}} velocity_vector_mps
 * @property {number | null} range_m
 * @property {number | null} bearing_deg
 * @property {number | null} velocity_mps
 * @property {number | null} heading_deg
 *
 * @typedef {{range_m: number, azimuth_deg: number, elevation_deg: number | null}} Detection
 * @typedef {{x_m: number, y_m: number, heading_deg: number}} Sensor
 *
 * @typedef {object} Threat
 * @property {number} track_id
 * @property {string} class
 * @property {Level} level
 * @property {number | null} score
 * @property {number | null} time_to_impact_s
 * @property {string} reason
 * @property {string | null} acknowledged_by
 *
 * @typedef {object} Advice
 * @property {number} id
 * @property {"PROPOSED" | "ACKNOWLEDGED" | "REJECTED" | "EXPIRED" | "WITHDRAWN"} state
 * @property {string} technique
 * @property {string} rationale
 * @property {string | null} decided_by
 *
 * @typedef {object} StageRow
 * @property {number} age_s
 * @property {number | null} rate_hz
 * @property {number | null} latency_p50_ms
 * @property {number} received
 * @property {number} published
 * @property {number} dropped
 * @property {number} errors
 *
 * @typedef {object} Status
 * @property {Record<string, StageRow>} stages
 * @property {string[]} missing_stages
 * @property {number} scans_lost
 * @property {{signals: number | null, advice_waiting: number | null}} ew
 * @property {{stamp_s: number, stage: string, name: string}[]} alerts
 *
 * @typedef {{items: Detection[], sensor: Sensor, at: number, turnMs: number}} Plots  of one message
 * @typedef {{items: Detection[], sensor: Sensor, share: number}} Glow  and how much of a turn ago it was
 *
 * @typedef {object} RadarFrame
 * @property {number} frame
 * @property {number} age_s
 * @property {string} sensor_id
 * @property {Sensor} sensor
 * @property {number | null} turn_s  of the sensor's antenna; null: it does not turn
 * @property {Detection[] | null} detections
 * @property {Track[] | null} tracks
 *
 * @typedef {{type: "auth_ok", allowed: string[]}} Admitted
 * @typedef {{type: "radar_frame"} & RadarFrame
 *   | {type: "threats", threats: Threat[], age_s: number, listed_from?: Level, unlisted?: Record<string, number[]>}
 *   | {type: "ew", advice: {items: Advice[]} | null}
 *   | {type: "system_status"} & Status
 *   | {type: "heartbeat"}} Message
 */

const CHANNELS = ["radar_frame", "threats", "system_status", "heartbeat", "ew"];
const ARRIVALS_KEPT = 20;
const TRAIL_LENGTH = 60;
const CLEAR_AFTER_MS = 60000;    // a picture this old is taken away
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 10000;
const TOKEN_OVER = 4401;         // the code that the bridge closes with

/** What has been heard, and when. Times are of performance.now() [ms]. */
export class Heard {
  /** @type {Connection} */
  connection = "signed-out";
  /** @type {number | null} */
  lastFrame = null;              // number of the last radar_frame
  missed = 0;
  /** @type {number[]} */
  arrivals = [];                 // when the last radar frames came
  /** @type {Part & {items: Detection[], sensor: Sensor} | null} */
  detections = null;
  /** @type {Map<string, Plots[]>} */
  plots = new Map();             // by sensor: the last ones, of an antenna that turns those of its last turn
  /** @type {Part & {items: Track[]} | null} */
  tracks = null;
  /** @type {Part & {items: Threat[], unlisted: Record<string, number[]>, listedFrom: Level} | null} */
  threats = null;
  /** @type {Advice[]} */
  advice = [];
  /** @type {Status | null} */
  status = null;
  statusAt = 0;
  /** @type {Map<number, [x: number | null, y: number | null][]>} */
  trails = new Map();

  /** Forget everything but the connection. */
  clear() {
    Object.assign(this, new Heard(), { connection: this.connection });
  }

  /** A connection begins: its frames have numbers of their own. */
  begin() {
    this.lastFrame = null;
    this.arrivals = [];
  }

  /**
   * Take a picture away that is so old that nobody should look at it.
   * @param {number} now
   */
  clearOld(now) {
    if (!this.tracks || now - this.tracks.at <= CLEAR_AFTER_MS) return;
    this.tracks = this.threats = null;
    this.trails.clear();
  }

  /**
   * @param {Message} message
   * @param {number} at
   */
  take(message, at) {
    switch (message.type) {
      case "radar_frame":
        this.#takeRadarFrame(message, at);
        break;
      case "threats":
        this.threats = {
          items: message.threats, unlisted: message.unlisted ?? {}, listedFrom: message.listed_from ?? "LOW", ageS: message.age_s, at,
        };
        break;
      case "ew":
        this.advice = message.advice?.items ?? [];
        break;
      case "system_status":
        this.status = message;
        this.statusAt = at;
        break;
      default: // heartbeat: the connection itself tells
    }
  }

  /**
   * @param {RadarFrame} message
   * @param {number} at
   */
  #takeRadarFrame(message, at) {
    if (this.lastFrame !== null && message.frame > this.lastFrame + 1) this.missed += message.frame - this.lastFrame - 1;
    this.lastFrame = message.frame;
    this.arrivals.push(at);
    if (this.arrivals.length > ARRIVALS_KEPT) this.arrivals.shift();
    if (message.detections) {
      this.detections = { items: message.detections, sensor: message.sensor, ageS: message.age_s, at };
      const turnMs = (message.turn_s ?? 0) * 1000;
      const before = (this.plots.get(message.sensor_id) ?? []).filter((part) => at - part.at < Math.min(turnMs, part.turnMs));
      this.plots.set(message.sensor_id, [...before, { items: message.detections, sensor: message.sensor, at, turnMs }]);
    }
    if (message.tracks) {
      this.tracks = { items: message.tracks, ageS: message.age_s, at };
      this.#follow(message.tracks);
    }
  }

  /**
   * What is to be seen of all sensors' detections: those of an antenna that turns, until it comes round again.
   * @param {number} now
   * @returns {Glow[]}
   */
  glows(now) {
    const out = [];
    for (const part of [...this.plots.values()].flat()) {
      const share = part.turnMs ? (now - part.at) / part.turnMs : 0;
      if (share < 1 && (part.turnMs || now - part.at <= staleAfterMs(this.arrivals))) {
        out.push({ items: part.items, sensor: part.sensor, share });
      }
    }
    return out;
  }

  /** @param {Track[]} tracks */
  #follow(tracks) {
    const seen = new Set();
    for (const track of tracks) {
      seen.add(track.track_id);
      const trail = this.trails.get(track.track_id) ?? [];
      trail.push([track.position_m.x, track.position_m.y]);
      if (trail.length > TRAIL_LENGTH) trail.shift();
      this.trails.set(track.track_id, trail);
    }
    for (const id of this.trails.keys()) if (!seen.has(id)) this.trails.delete(id);
  }
}

/**
 * What a stream needs of the page around it.
 *
 * @typedef {object} Surroundings
 * @property {() => WebSocket} open  opens a connection to the bridge
 * @property {() => string | null} token  the access token; null where nobody is signed in
 * @property {() => Promise<boolean>} renew  gets another token; false where the session is over, throws where nobody answers
 * @property {(connection: Connection) => void} onConnection  the connection has changed
 * @property {() => void} onFrame  there is something new to draw
 */

/** A connection to the bridge that is opened again when it breaks. */
export class Stream {
  /** @type {WebSocket | null} */
  #socket = null;
  #retryMs = FIRST_RETRY_MS;

  /**
   * @param {Heard} heard  is told what comes
   * @param {Surroundings} page
   */
  constructor(heard, page) {
    this.heard = heard;
    this.page = page;
  }

  /** Connect, where somebody is signed in and there is no connection yet. */
  connect() {
    const token = this.page.token();
    if (token === null || this.#socket) return;
    this.page.onConnection("connecting");
    const socket = this.page.open();
    this.#socket = socket;
    socket.onopen = () => this.authenticate(token);
    socket.onmessage = (event) => this.#socket === socket && this.#take(JSON.parse(event.data));
    socket.onclose = (event) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (event.code === TOKEN_OVER) this.page.renew().then((alive) => alive && this.connect()).catch(() => this.#tryAgain());
      else this.#tryAgain();
    };
  }

  /** End the connection for good. */
  close() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /**
   * Say who is there, at first and with each new token.
   * @param {string} token
   */
  authenticate(token) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type: "auth", token }));
  }

  /** @param {Message | Admitted} message */
  #take(message) {
    if (message.type !== "auth_ok") {
      this.heard.take(message, performance.now());
      if (message.type === "radar_frame") this.page.onFrame();
    } else if (this.heard.connection === "connecting") { // else the token was renewed
      this.#retryMs = FIRST_RETRY_MS;
      this.heard.begin();
      this.page.onConnection("waiting");
      const channels = CHANNELS.filter((name) => message.allowed.includes(name));
      this.#socket?.send(JSON.stringify({ type: "subscribe", channels }));
    }
  }

  #tryAgain() {
    this.page.onConnection("disconnected");
    setTimeout(() => this.connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }
}
