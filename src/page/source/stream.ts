// The bridge's WebSocket: opened again when it breaks. Nothing here knows of the document.

import { Deltas } from "./delta.ts";
import type { Heard } from "./heard.ts";
import { KIND } from "./sweep.ts";
import type { Admitted, Connection, Message } from "./messages.ts";

const CHANNELS = ["radar_frame", "threats", "system_status", "heartbeat", "ew", "alarms", "protected"];
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 10000;
const ASK_AGAIN_MS = 2000; // where a full picture has not come
const TOKEN_OVER = 4401; // the code that the bridge closes with

/** What a stream needs of the page around it. */
export interface Surroundings {
  open: () => WebSocket; // opens a connection to the bridge
  token: () => string | null; // the access token; null where nobody is signed in
  renew: () => Promise<boolean>; // gets another token; false where the session is over, throws where nobody answers
  onConnection: (connection: Connection) => void; // the connection has changed
  onVideo: (data: ArrayBuffer) => void; // a sector of a radar's video
  onFrame: () => void; // there is something new to draw
}

export class Stream {
  #socket: WebSocket | null = null;
  #retryMs = FIRST_RETRY_MS;
  readonly #deltas = new Deltas();
  #askedAt = -Infinity; // for a full picture
  #allowed: string[] = []; // channels
  #video = false;

  /** `heard` is told what comes. */
  constructor(readonly heard: Heard, readonly page: Surroundings) {}

  /** Connect, where somebody is signed in and there is no connection yet. */
  connect(): void {
    const token = this.page.token();
    if (token === null || this.#socket) return;
    this.page.onConnection("connecting");
    const socket = this.page.open();
    this.#socket = socket;
    socket.onopen = () => this.authenticate(token);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (this.#socket !== socket) return;
      if (typeof data === "string") this.#take(JSON.parse(data) as Message | Admitted);
      else if (new Uint8Array(data, 0, 1)[0] === KIND) this.page.onVideo(data);
      else this.#takePicture(data);
    };
    socket.onclose = (event) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (event.code === TOKEN_OVER) this.page.renew().then((alive) => alive && this.connect()).catch(() => this.#tryAgain());
      else this.#tryAgain();
    };
  }

  /** End the connection for good. */
  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** Say who is there, at first and with each new token. */
  authenticate(token: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type: "auth", token }));
  }

  #takePicture(data: ArrayBuffer): void {
    const message = this.#deltas.take(data);
    if (message) {
      this.#askedAt = -Infinity;
      this.#take(message);
    } else if (performance.now() - this.#askedAt > ASK_AGAIN_MS) {
      this.#askedAt = performance.now();
      this.#socket?.send(JSON.stringify({ type: "full" }));
    }
  }

  #take(message: Message | Admitted): void {
    if (message.type !== "auth_ok") {
      this.heard.take(message, performance.now());
      if (message.type === "radar_frame") this.page.onFrame();
    } else if (this.heard.connection === "connecting") { // else the token was renewed
      this.#retryMs = FIRST_RETRY_MS;
      this.heard.begin();
      this.#askedAt = -Infinity;
      this.#allowed = message.allowed;
      this.page.onConnection("waiting");
      this.#subscribe();
    }
  }

  /** Ask for the video of radars that turn, or not any more: it is most of the bytes. */
  watchVideo(on: boolean): void {
    this.#video = on;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#subscribe();
  }

  #subscribe(): void {
    this.#deltas.begin();
    const wanted = this.#video ? [...CHANNELS, "video"] : CHANNELS;
    const channels = wanted.filter((name) => this.#allowed.includes(name));
    this.#socket?.send(JSON.stringify({ type: "subscribe", channels, format: "delta" }));
  }

  #tryAgain(): void {
    this.page.onConnection("disconnected");
    setTimeout(() => this.connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }
}
