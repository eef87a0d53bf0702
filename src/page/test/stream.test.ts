import assert from "node:assert/strict";
import { beforeEach, test, vi } from "vitest";

import { Heard } from "../source/heard.ts";
import { Stream } from "../source/stream.ts";
import DELTAS from "./delta_frames.json";
import { aFrame, aThreat, aTrack } from "./heard_data.ts";

globalThis.WebSocket ??= ({ OPEN: 1 }); // Node has it from 22 on

class FakeSocket {
  readyState = 0;
  sent = [];
  closed = false;

  /** The bridge takes the connection. */
  open() {
    this.readyState = WebSocket.OPEN;
    this.onopen();
  }

  /** The bridge says something. */
  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  /** The bridge sends a picture. */
  show(bytes) {
    this.onmessage({ data: bytes });
  }

  /** The bridge ends the connection. */
  end(code) {
    this.readyState = 3;
    this.onclose({ code });
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }
}

let heard, sockets, connections, drawn, token, renewals, stream;

beforeEach(() => {
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  heard = new Heard();
  [sockets, connections, drawn, token, renewals] = [[], [], 0, "first", []];
  stream = new Stream(heard, {
    open: () => {
      sockets.push(new FakeSocket());
      return sockets.at(-1);
    },
    token: () => token,
    renew: () => renewals.shift(),
    onConnection: (connection) => {
      heard.connection = connection;
      connections.push(connection);
    },
    onVideo: () => {},
    onFrame: () => { drawn += 1; },
  });
});

/** Let promises that are settled go on. */
const settled = () => new Promise((resolve) => { setImmediate(resolve); });

test("it says who is there first, and asks for what it may have", () => {
  stream.connect();
  stream.connect(); // there is a connection already
  assert.equal(sockets.length, 1);
  sockets[0].open();
  assert.deepEqual(sockets[0].sent, [{ type: "auth", token: "first" }]);
  sockets[0].say({ type: "auth_ok", allowed: ["threats", "heartbeat", "rockets"] });
  assert.deepEqual(sockets[0].sent[1], { type: "subscribe", channels: ["threats", "heartbeat"], format: "delta" });
  assert.deepEqual(connections, ["connecting", "waiting"]);
});

test("nobody who is signed out connects", () => {
  token = null;
  stream.connect();
  assert.equal(sockets.length, 0);
});

test("a renewed token is said on the same connection, and nothing begins anew", () => {
  stream.connect();
  stream.authenticate("too early");
  sockets[0].open();
  sockets[0].say({ type: "auth_ok", allowed: [] });
  heard.connection = "live";
  sockets[0].say(aFrame(5));
  stream.authenticate("second");
  sockets[0].say({ type: "auth_ok", allowed: [] });
  assert.deepEqual(sockets[0].sent.filter((message) => message.type === "auth").map((message) => message.token), ["first", "second"]);
  assert.equal(heard.lastFrame, 5);
  assert.equal(drawn, 1);
});

test("a broken connection is opened again, later each time, until one is taken", () => {
  stream.connect();
  for (const [n, pauseMs] of [1000, 2000, 4000, 8000, 10000, 10000].entries()) {
    sockets[n].end(1006);
    assert.equal(connections.at(-1), "disconnected");
    vi.advanceTimersByTime(pauseMs - 1);
    assert.equal(sockets.length, n + 1);
    vi.advanceTimersByTime(1);
    assert.equal(sockets.length, n + 2);
  }
  sockets[6].open();
  sockets[6].say({ type: "auth_ok", allowed: [] });
  sockets[6].end(1006);
  vi.advanceTimersByTime(1000);
  assert.equal(sockets.length, 8);
});

test("a picture that follows none that came is not shown, and a full one is asked for, once", () => {
  stream.connect();
  sockets[0].open();
  sockets[0].say({ type: "auth_ok", allowed: ["radar_frame"] });
  const asked = () => sockets[0].sent.filter(({ type }) => type === "full").length;
  const picture = (name) => Uint8Array.from(Buffer.from(DELTAS[name].hex, "hex")).buffer;
  sockets[0].show(picture("moved"));
  sockets[0].show(picture("moved"));
  assert.deepEqual([asked(), heard.tracks, drawn], [1, null, 0]);
  sockets[0].show(picture("full"));
  sockets[0].show(picture("moved"));
  assert.deepEqual([asked(), heard.tracks.items.map((track) => track.track_id), drawn], [1, DELTAS.moved.track_ids, 2]);
  sockets[0].show(picture("moved")); // its base is another one now
  assert.equal(asked(), 2);
});

test("where the token was over it connects with another one", async () => {
  stream.connect();
  renewals.push(Promise.resolve(true));
  token = "second";
  sockets[0].end(4401);
  await settled();
  sockets[1].open();
  assert.deepEqual(sockets[1].sent, [{ type: "auth", token: "second" }]);

  renewals.push(Promise.resolve(false)); // the session is over
  sockets[1].end(4401);
  await settled();
  assert.equal(sockets.length, 2);

  stream.connect();
  renewals.push(Promise.reject(new Error("nobody answers")));
  sockets[2].end(4401);
  await settled();
  assert.equal(connections.at(-1), "disconnected");
});

test("a connection that is closed for good says no more and does not come back", () => {
  stream.connect();
  sockets[0].open();
  stream.close();
  assert.equal(sockets[0].closed, true);
  sockets[0].say(aFrame(1));
  sockets[0].end(1000);
  vi.advanceTimersByTime(60000);
  assert.equal(heard.lastFrame, null);
  assert.equal(sockets.length, 1);
});

test("frames that did not come are counted by their numbers", () => {
  for (const [number, at] of [[4, 0], [5, 100], [8, 200]]) heard.take(aFrame(number), at);
  assert.equal(heard.missed, 2);
  heard.begin(); // another connection has numbers of its own
  heard.take(aFrame(100), 300);
  assert.equal(heard.missed, 2);
  assert.deepEqual(heard.arrivals, [300]);
});

test("what a frame does not have stays", () => {
  heard.take(aFrame(1, { detections: null, tracks: [aTrack(1)] }), 10);
  heard.take(aFrame(2, { detections: [], tracks: null }), 20);
  assert.deepEqual([heard.tracks.at, heard.detections.at], [10, 20]);
  assert.equal(heard.tracks.items[0].track_id, 1);
});

test("plots are of the last scan of each sensor; of an antenna that turns, of its last turn", () => {
  const one = (id) => [{ id, azimuth_deg: 0, range_m: 1, elevation_deg: null }];
  for (let n = 0; n < 10; n += 1) {
    heard.take(aFrame(2 * n, { detections: one(n), turn_s: 4, sensor_id: "turning" }), 1000 * n);
    heard.take(aFrame(2 * n + 1, { detections: one(100 + n), sensor_id: "all at once" }), 1000 * n);
  }
  const shown = (now) => heard.glows(now).map((glow) => [glow.items[0].id, glow.share]);
  assert.deepEqual(shown(9000), [[6, 0.75], [7, 0.5], [8, 0.25], [9, 0], [109, 0]]);
  assert.deepEqual(shown(11500), [[8, 0.875], [9, 0.625]]); // nothing has come since: the other sensor's are old
  heard.take(aFrame(30, { detections: one(50), sensor_id: "turning" }), 12000); // another sensor under the name
  assert.deepEqual(shown(12000), [[50, 0]]);
});

test("only the last arrivals are kept", () => {
  for (let n = 1; n <= 50; n += 1) heard.take(aFrame(n), n);
  assert.deepEqual([heard.arrivals.length, heard.arrivals[0]], [20, 31]);
});

test("a trail is a minute long, has a point a second, and ends with its track", () => {
  for (let n = 1; n <= 700; n += 1) { // ten frames a second
    heard.take(aFrame(n, { stamp_s: n / 10, tracks: [aTrack(1, { position_m: { x: n, y: 0, z: 0 } }), aTrack(2)] }), n);
  }
  const easts = heard.trails.get(1).map(([east]) => east);
  assert.deepEqual([easts.length, easts[0], easts.at(-1)], [60, 101, 691]);
  heard.take(aFrame(71, { tracks: [aTrack(2)] }), 71);
  assert.deepEqual([...heard.trails.keys()], [2]);
});

test("a picture a minute old is taken away", () => {
  heard.take(aFrame(1, { tracks: [aTrack(1)] }), 0);
  heard.take({ type: "threats", threats: [aThreat(1)], age_s: 0 }, 0);
  heard.clearOld(60000);
  assert.equal(heard.tracks.items.length, 1);
  heard.clearOld(60001);
  assert.deepEqual([heard.tracks, heard.threats, heard.trails.size], [null, null, 0]);
});

test("clearing forgets everything but the connection", () => {
  heard.connection = "live";
  heard.take(aFrame(1, { tracks: [aTrack(1)] }), 10);
  heard.take({ type: "ew", advice: { items: [({ id: 1 })] } }, 10);
  heard.clear();
  const fresh = new Heard();
  fresh.connection = "live";
  assert.deepEqual(heard, fresh);
});
