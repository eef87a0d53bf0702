// The page: signs in, listens to the stream, and shows it with its age. What is old is never shown as if it were new.

import { isStale, pictureState } from "./ages.ts";
import { alarmedZones, audible } from "./alarms.ts";
import { AlarmsPanel } from "./alarms_panel.ts";
import { fromHash } from "./camera.ts";
import { Charts } from "./charts.ts";
import { fetchMap } from "./coast.ts";
import { DetailsPanel } from "./details.ts";
import { byId, setText } from "./dom.ts";
import { Heard } from "./heard.ts";
import { IncidentDialog, spanAround, spanOf } from "./incident.ts";
import type { Connection, PastPicture } from "./messages.ts";
import { Navigation } from "./navigation.ts";
import { Panels } from "./panels.ts";
import { Replay } from "./replay.ts";
import { levelsOf } from "./rows.ts";
import { Scope, type Overlay } from "./scope.ts";
import { command, keepAlive, may, onSession, read, renew, save, session, signIn, signOut } from "./session.ts";
import { Sound } from "./sound.ts";
import { Stream } from "./stream.ts";
import { watchTable } from "./table.ts";
import { chooseSymbols, showLegend } from "./legend.ts";
import { chooseTheme } from "./theme.ts";
import { VideoLayer, VideoSwitch } from "./video_layer.ts";
import { ZonesPanel } from "./zones_panel.ts";

const TABLE_EVERY_MS = 250;
const SESSION_OVER = "The session has ended; sign in again.";
const STREAM_PATH = "/ws/radar-stream";

const heard = new Heard();
const [ground, moving, edge, top] = ["ground", "moving", "edge", "scope"].map((id) => byId<HTMLCanvasElement>(id));
const scope = new Scope(ground, moving, edge, top);
const panels = new Panels(heard, may);
const alarms = new AlarmsPanel(heard, may, command);
const charts = new Charts();
const details = new DetailsPanel();
const sound = new Sound();
const replay = new Replay(onReplay, () => heard.nowS(performance.now()));
const incident = new IncidentDialog({
  may,
  save,
  refused: (text) => { panels.refusal = { text, at: performance.now() }; },
  span: (isPast) => {
    const now = heard.nowS(performance.now());
    return isPast ? spanAround(replay.t ?? now, now) : spanOf(heard.alarms ?? [], now);
  },
});
const zones = new ZonesPanel(heard, scope, { may, read, command });
const navigation = new Navigation(scope, drawSoon, clicked, () => panels.selected, () => replay.t);
const overlays: Overlay[] = [navigation.overlay]; // drawn above all else, in this order
const stream = new Stream(heard, {
  open: () => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${STREAM_PATH}`),
  token: () => session()?.token ?? null,
  renew,
  onConnection: (connection) => {
    setConnection(connection);
    if (connection === "disconnected") refresh();
  },
  onVideo: (data) => video.take(data),
  onFrame: () => {
    fetchTrails();
    drawSoon();
  },
});

const video = new VideoSwitch(
  new VideoLayer(byId<HTMLCanvasElement>("video")), () => scope.frame, () => scope.colours.plot, (on) => stream.watchVideo(on),
);

// Signing in and out.

async function submitLogin(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  byId("login-problem").textContent = "";
  const button = byId("login").querySelector("button") as HTMLButtonElement;
  const [username, password] = [byId<HTMLInputElement>("username"), byId<HTMLInputElement>("password")];
  button.disabled = true;
  try {
    await signIn(username.value, password.value);
    password.value = "";
    start();
  } catch (error) {
    byId("login-problem").textContent = error instanceof TypeError ? "The bridge does not answer." : messageOf(error);
  } finally {
    button.disabled = false;
  }
}

function leave(reason = ""): void {
  signOut();
  stream.close();
  heard.clear();
  panels.refusal = null;
  replay.end();
  setConnection("signed-out");
  zones.show(performance.now(), false);
  showSignedIn(false);
  byId("user").textContent = "";
  byId("login-problem").textContent = reason;
  byId("password").focus();
}

function start(): void {
  showSignedIn(true);
  byId("user").textContent = session()?.username ?? "";
  scope.resize();
  keepAlive();
  stream.connect();
  const { time } = fromHash(location.hash);
  if (time !== null) replay.begin(time);
  hasTrails = false;
  void fetchMap(() => scope.redraw()).then((beneath) => {
    scope.beneath = beneath;
    scope.redraw();
  });
}

let hasTrails = false;
/** The ways of the tracks from before this page was loaded; without the history they begin now. */
function fetchTrails(): void {
  if (hasTrails || !heard.tracks) return;
  hasTrails = true;
  const past = read<PastPicture>(`/api/replay?t=${heard.tracks.stampS}&trail_s=60`);
  void past.then((picture) => picture && heard.addTrails(picture), () => { hasTrails = false; });
}

function showSignedIn(isSignedIn: boolean): void {
  byId("login-panel").hidden = isSignedIn;
  for (const id of ["picture", "logout", "api", "sound", "theme"]) byId(id).hidden = !isSignedIn;
}

// Showing.

function setConnection(connection: Connection, words: string = connection): void {
  heard.connection = connection;
  const shown = replay.t !== null && connection !== "signed-out" ? "replay" : connection;
  document.body.dataset.connection = shown;
  setText(byId("connection"), shown === connection ? words.replace("-", " ") : shown);
}

/** Show another picture of the past, or the present again. */
function onReplay(): void {
  const isPast = replay.t !== null;
  panels.heard = isPast ? replay.heard : heard;
  byId("replay-bar").hidden = !isPast;
  byId("replay").setAttribute("aria-pressed", String(isPast));
  setConnection(heard.connection);
  navigation.remember();
  refresh();
}

let upDeg = 0; // the last course that was known, where course is up
let drawPlanned = false;
function drawSoon(): void {
  if (drawPlanned) return;
  drawPlanned = true;
  requestAnimationFrame(() => {
    drawPlanned = false;
    drawScope();
  });
}

function drawScope(): void {
  const now = performance.now();
  const shown = panels.heard;
  const isPast = shown !== heard;
  const tracks = shown.tracks?.items ?? [];
  const chosen = tracks.find((track) => track.track_id === panels.selected);
  if (chosen) navigation.follow(chosen.position_m.x, chosen.position_m.y);
  const { camera } = navigation;
  const course = camera.follow && chosen ? chosen.heading_deg : heard.sensor?.heading_deg;
  upDeg = camera.courseUp ? course ?? upDeg : 0;
  scope.draw({
    camera,
    up: (upDeg * Math.PI) / 180,
    tracks,
    glows: isPast ? [] : heard.glows(now),
    sensor: heard.sensor,
    sensors: heard.sensors,
    signals: isPast ? [] : heard.signals,
    areas: heard.areas,
    alarmed: isPast ? new Set() : alarmedZones(heard),
    levels: levelsOf(shown, now),
    trails: shown.trails,
    platform: !isPast && byId<HTMLSelectElement>("trail-kind").value === "relative" ? heard.platform : null,
    sigma: isPast ? null : details.sigma,
    stale: isStale(shown, shown.tracks, now),
    detectionsStale: isStale(heard, heard.detections, now),
    showDetections: byId<HTMLInputElement>("show-detections").checked,
    showTrails: byId<HTMLSelectElement>("trail-kind").value !== "none",
    selected: panels.selected,
    symbols: symbols(),
    overlays,
  });
  zones.overlay.show();
  setText(byId("up"), camera.courseUp ? `course ${String(Math.round(upDeg) % 360).padStart(3, "0")}° up` : "north up");
  setText(byId("leader"), scope.leaderS ? `leaders ${scope.leaderS} s` : "");
}

function refresh(): void {
  if (heard.connection === "signed-out") return;
  const now = performance.now();
  heard.clearOld(now);
  if (["waiting", "live", "late", "stale"].includes(heard.connection)) setConnection(...pictureState(heard, now));
  panels.replayText = replay.t === null ? "" : replay.text;
  panels.show(now);
  alarms.show(now);
  incident.show();
  video.show(heard.turns, replay.t !== null);
  zones.show(now, replay.t !== null);
  sound.update(audible(heard, now), now);
  const chosen = replay.t === null ? panels.selected : null;
  details.show(chosen, now);
  charts.show(chosen, now);
  drawSoon();
}

/** A click on the scope: a corner of what is being drawn, or a track, or none. */
function clicked(id: number | null): void {
  if (!zones.overlay.takesClick()) choose(id);
}

/** Choose a track, or none. */
function choose(id: number | null): void {
  if (id === null) panels.selected = null;
  else panels.select(id);
  navigation.remember();
  refresh();
}

/** Do what a button stands for; what the bridge says against it stays readable for a while. */
async function act(button: HTMLButtonElement): Promise<void> {
  button.disabled = true;
  try {
    await command(button.dataset.command ?? "");
    panels.refusal = null;
    if (button.closest("#alarms")) button.disabled = false; // it may stand for something else next
  } catch (error) {
    button.disabled = false;
    button.title = messageOf(error);
    panels.refusal = { text: messageOf(error), at: performance.now() };
  }
  panels.showAlert(performance.now());
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const symbols = chooseSymbols(() => {
  showLegend(symbols(), scope.colours);
  drawScope();
});
chooseTheme(() => {
  scope.recolour();
  showLegend(symbols(), scope.colours);
  charts.recolour();
});
onSession((token) => stream.authenticate(token), () => leave(SESSION_OVER));
panels.selected = fromHash(location.hash).selected;
byId("login").addEventListener("submit", (event) => void submitLogin(event as SubmitEvent));
byId("logout").addEventListener("click", () => leave());
for (const id of ["show-detections", "trail-kind"]) byId(id).addEventListener("change", drawSoon);
byId("filter").addEventListener("input", () => panels.showTracks(performance.now()));
watchTable(() => panels.showTracks(performance.now()));
for (const head of document.querySelectorAll("th")) head.addEventListener("click", () => panels.sortBy(head.dataset.key));
for (const id of ["tracks", "threats", "advice", "alarms"]) {
  byId(id).addEventListener("click", (event) => {
    const target = event.target as HTMLElement;
    const line = target.closest<HTMLElement>("[data-id]");
    if (target.dataset.command) void act(target as HTMLButtonElement);
    else if (target.dataset.ask) alarms.ask(target.dataset.ask);
    else if (line?.dataset.id) choose(Number(line.dataset.id));
  });
}
setInterval(() => {
  replay.tick(performance.now());
  refresh();
}, TABLE_EVERY_MS);
if (session()) start();
else byId("password").focus();
