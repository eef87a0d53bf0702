// The page: signs in, listens to the stream, and shows it with its age. What is old is never shown as if it were new.

import { Scope } from "/scope.js";
import { command, keepAlive, may, onSession, renew, session, signIn, signOut } from "/session.js";

const STALE_AFTER_MS = 2000;     // at least; three frame intervals where those are longer
const CLEAR_AFTER_MS = 60000;    // a picture this old is taken away
const OLD_MEASUREMENT_S = 10;    // frames arrive, but what they show was measured long ago
const TABLE_EVERY_MS = 250;
const REFUSAL_SHOWN_MS = 15000;
const MAX_ROWS = 250;
const TRAIL_LENGTH = 60;
const CHANNELS = ["radar_frame", "threats", "system_status", "heartbeat", "ew"];
const LEVELS = ["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"];

const $ = (id) => document.getElementById(id);
const scope = new Scope($("scope"));

const state = {
  socket: null,
  connection: "signed-out",      // signed-out, connecting, waiting, live, stale, disconnected
  retryMs: 1000,
  lastFrame: null,               // number of the last radar_frame
  missed: 0,
  arrivals: [],                  // when the last radar frames arrived [ms]
  detections: null,              // {items, sensor, ageS, at}
  tracks: null,
  threats: null,
  ew: null,                      // {advice, at}
  status: null,
  statusAt: 0,
  refusal: null,                 // {text, at}: what the bridge said against the last command
  trails: new Map(),
  selected: null,
  sort: { key: "level", descending: true },
};

// Signing in and out.

async function submitLogin(event) {
  event.preventDefault();
  $("login-problem").textContent = "";
  const button = $("login").querySelector("button");
  button.disabled = true;
  try {
    await signIn($("username").value, $("password").value);
    $("password").value = "";
    start();
  } catch (error) {
    $("login-problem").textContent = error instanceof TypeError ? "The bridge does not answer." : error.message;
  } finally {
    button.disabled = false;
  }
}

function leave(reason = "") {
  signOut();
  const socket = state.socket;
  state.socket = null;
  socket?.close();
  forget();
  setConnection("signed-out");
  $("picture").hidden = true;
  $("logout").hidden = true;
  $("api").hidden = true;
  $("user").textContent = "";
  $("login-problem").textContent = reason;
  $("login-panel").hidden = false;
  $("password").focus();
}

const SESSION_OVER = "The session has ended; sign in again.";

onSession(
  (token) => state.socket?.readyState === WebSocket.OPEN && state.socket.send(JSON.stringify({ type: "auth", token })),
  () => leave(SESSION_OVER),
);

function forget() {
  Object.assign(state, {
    detections: null, tracks: null, threats: null, ew: null, status: null, refusal: null,
    lastFrame: null, missed: 0, arrivals: [],
  });
  state.trails.clear();
}

function start() {
  $("login-panel").hidden = true;
  $("picture").hidden = false;
  $("logout").hidden = false;
  $("api").hidden = false;
  $("user").textContent = session().username;
  scope.resize();
  keepAlive();
  connect();
}

// The stream.

function connect() {
  const who = session();
  if (!who || state.socket) return;
  setConnection("connecting");
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/radar-stream`);
  state.socket = socket;
  socket.onopen = () => socket.send(JSON.stringify({ type: "auth", token: who.token }));
  socket.onmessage = (event) => take(JSON.parse(event.data));
  socket.onclose = (event) => {
    if (state.socket !== socket) return;
    state.socket = null;
    if (event.code === 4401) return renew().then((alive) => alive && connect()).catch(() => tryAgain());
    tryAgain();
  };
}

function tryAgain() {
  setConnection("disconnected");
  setTimeout(connect, state.retryMs);
  state.retryMs = Math.min(state.retryMs * 2, 10000);
  refresh();
}

function take(message) {
  const at = performance.now();
  switch (message.type) {
    case "auth_ok":
      if (state.connection !== "connecting") break; // renewed
      state.retryMs = 1000;
      state.lastFrame = null;
      state.arrivals = [];
      setConnection("waiting");
      state.socket.send(JSON.stringify({ type: "subscribe", channels: CHANNELS.filter((name) => message.allowed.includes(name)) }));
      break;
    case "radar_frame":
      takeRadarFrame(message, at);
      break;
    case "threats":
      state.threats = { items: message.threats, ageS: message.age_s, at };
      break;
    case "ew":
      state.ew = { advice: message.advice?.items ?? [], at };
      break;
    case "system_status":
      state.status = message;
      state.statusAt = at;
      break;
    default: // heartbeat: the connection itself tells
  }
}

function takeRadarFrame(message, at) {
  if (state.lastFrame !== null && message.frame > state.lastFrame + 1) state.missed += message.frame - state.lastFrame - 1;
  state.lastFrame = message.frame;
  state.arrivals.push(at);
  if (state.arrivals.length > 20) state.arrivals.shift();
  if (message.detections) {
    state.detections = { items: message.detections, sensor: message.sensor, ageS: message.age_s, at };
  }
  if (message.tracks) {
    state.tracks = { items: message.tracks, ageS: message.age_s, at };
    follow(message.tracks);
  }
  drawSoon();
}

function follow(tracks) {
  const seen = new Set();
  for (const track of tracks) {
    seen.add(track.track_id);
    const trail = state.trails.get(track.track_id) ?? [];
    trail.push([track.position_m.x, track.position_m.y]);
    if (trail.length > TRAIL_LENGTH) trail.shift();
    state.trails.set(track.track_id, trail);
  }
  for (const id of state.trails.keys()) if (!seen.has(id)) state.trails.delete(id);
}

// Ages. A message says how old it was when it was sent; from then on this page counts.

function meanIntervalMs() {
  const { arrivals } = state;
  return arrivals.length < 2 ? null : (arrivals[arrivals.length - 1] - arrivals[0]) / (arrivals.length - 1);
}

function staleAfterMs() {
  return Math.max(STALE_AFTER_MS, 3 * (meanIntervalMs() ?? 0));
}

function silentMs(part) {
  return part ? performance.now() - part.at : Infinity;
}

function isStale(part) {
  return silentMs(part) > staleAfterMs() || state.connection === "disconnected";
}

function ageS(part) {
  return part.ageS + silentMs(part) / 1000;
}

function durationText(seconds) {
  if (Math.abs(seconds) < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

// Showing.

function setConnection(connection) {
  state.connection = connection;
  document.body.dataset.connection = connection;
  $("connection").textContent = connection.replace("-", " ");
}

function levels() {
  return isStale(state.threats) ? new Map() : new Map(state.threats.items.map((threat) => [threat.track_id, threat.level]));
}

let drawPlanned = false;
function drawSoon() {
  if (drawPlanned) return;
  drawPlanned = true;
  requestAnimationFrame(() => {
    drawPlanned = false;
    drawScope();
  });
}

function drawScope() {
  scope.draw({
    tracks: state.tracks?.items ?? [],
    detections: state.detections?.items ?? [],
    sensor: state.detections?.sensor ?? null,
    levels: levels(),
    trails: state.trails,
    range: $("range").value === "auto" ? null : Number($("range").value),
    stale: isStale(state.tracks),
    detectionsStale: !state.detections || isStale(state.detections),
    showDetections: $("show-detections").checked,
    showTrails: $("show-trails").checked,
    selected: state.selected,
  });
}

function refresh() {
  if (state.connection === "signed-out") return;
  if (silentMs(state.tracks) > CLEAR_AFTER_MS && state.tracks) {
    state.tracks = state.threats = null;
    state.trails.clear();
  }
  const newest = [state.tracks, state.detections].filter(Boolean).sort((a, b) => b.at - a.at)[0] ?? null;
  if (["waiting", "live", "stale"].includes(state.connection)) {
    setConnection(state.arrivals.length === 0 ? "waiting" : isStale(newest) ? "stale" : "live");
  }
  document.body.dataset.picture = !state.tracks ? "none" : isStale(state.tracks) ? "stale" : "fresh";
  document.body.dataset.threats = !state.threats ? "none" : isStale(state.threats) ? "stale" : "fresh";
  showNotice(newest);
  showFigures(newest);
  showThreats();
  showAdvice();
  showTracks();
  showStages();
  showAlert();
  drawSoon();
}

function showNotice(newest) {
  const [text, calm] = noticeText(newest);
  $("notice").textContent = text;
  $("notice").hidden = text === "";
  $("notice").classList.toggle("calm", calm);
}

/** What is wrong with the picture, and whether that is as it should be. */
function noticeText(newest) {
  const shown = state.tracks ? "; the last picture is shown dimmed" : "";
  if (state.connection === "connecting") return ["Connecting…", true];
  if (state.connection === "disconnected") return [`No connection to the bridge${shown}`, false];
  if (!newest) return ["Waiting for the radar: no data yet", true];
  if (isStale(newest)) return [`No new data for ${durationText(silentMs(newest) / 1000)}${shown}`, false];
  if (!state.tracks) return ["Detections only: nothing has been heard from tracking", false];
  if (isStale(state.tracks)) return [`No new tracks for ${durationText(silentMs(state.tracks) / 1000)}${shown}`, false];
  if (ageS(newest) > OLD_MEASUREMENT_S) return [`Not live: this was measured ${durationText(ageS(newest))} ago`, false];
  return ["", true];
}

function showFigures(newest) {
  const interval = meanIntervalMs();
  const live = newest && !isStale(newest);
  $("age").textContent = newest ? durationText(ageS(newest)) : "–";
  $("rate").textContent = live && interval ? `${(1000 / interval).toFixed(1)} Hz` : "–";
  $("track-count").textContent = state.tracks && !isStale(state.tracks) ? state.tracks.items.length : "–";
  $("detection-count").textContent = state.detections && !isStale(state.detections) ? state.detections.items.length : "–";
  $("missed").textContent = state.lastFrame === null ? "–" : state.missed;
  const status = freshStatus();
  $("scans-lost").textContent = status ? status.scans_lost : "–";
  $("ew").textContent = status && status.ew.signals !== null
    ? `${status.ew.signals} active, ${status.ew.advice_waiting ?? 0} waiting` : "–";
}

function freshStatus() {
  return state.status && performance.now() - state.statusAt < 3000 ? state.status : null;
}

function select(id) {
  state.selected = state.selected === id ? null : id;
  refresh();
}

/** Give a list's children the content of the items, reusing them: `make` builds one, `fill` writes into it. */
function fillChildren(parent, items, make, fill) {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  while (parent.children.length < items.length) parent.append(make());
  items.forEach((item, i) => fill(parent.children[i], item));
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function withChildren(tag, children) {
  const element = document.createElement(tag);
  for (const [childTag, className] of children) {
    const child = document.createElement(childTag);
    child.className = className;
    element.append(child);
  }
  return element;
}

function showThreats() {
  const items = state.threats?.items ?? [];
  setText($("threat-count"), items.length ? String(items.length) : "");
  $("no-threats").hidden = items.length > 0;
  setText($("no-threats"), state.threats ? "Nothing is assessed as a threat." : "No assessment has been heard yet.");
  const parts = [["span", "level"], ["span", "score"], ["span", "who"], ["button", "act"], ["span", "reason"]];
  const decides = may("ew:acknowledge");
  fillChildren($("threats"), items.slice(0, MAX_ROWS), () => withChildren("li", parts), (line, threat) => {
    const [level, score, who, act, reason] = line.children;
    act.dataset.command = `/api/threats/${threat.track_id}/acknowledge`;
    act.hidden = !decides && threat.acknowledged_by === null;
    act.disabled = threat.acknowledged_by !== null;
    setText(act, threat.acknowledged_by === null ? "Acknowledge" : `seen by ${threat.acknowledged_by}`);
    line.className = threat.level + (threat.track_id === state.selected ? " selected" : "");
    line.dataset.id = threat.track_id;
    setText(level, threat.level);
    setText(score, threat.score === null ? "–" : threat.score.toFixed(2));
    setText(who, `${threat.class.toLowerCase()} ${threat.track_id}${
      threat.time_to_impact_s === null ? "" : `, impact in ${durationText(threat.time_to_impact_s)}`}`);
    setText(reason, threat.reason);
  });
}

const ADVICE_PARTS = [["span", "what"], ["button", "act"], ["button", "act"], ["span", "reason"]];

function showAdvice() {
  const items = state.ew?.advice ?? [];
  const decides = may("ew:acknowledge");
  $("advice-section").hidden = items.length === 0;
  setText($("advice-count"), String(items.filter((one) => one.state === "PROPOSED").length));
  fillChildren($("advice"), items.slice(0, MAX_ROWS), () => withChildren("li", ADVICE_PARTS), (line, one) => {
    const [what, accept, reject, reason] = line.children;
    const open = one.state === "PROPOSED";
    line.className = one.state;
    setText(what, one.technique);
    [[accept, "acknowledge", "Accept"], [reject, "reject", "Reject"]].forEach(([button, word, text]) => {
      button.dataset.command = `/api/ew/advice/${one.id}/${word}`;
      button.hidden = !open || !decides;
      setText(button, text);
    });
    setText(reason, `${open ? "" : `${one.state.toLowerCase()}${one.decided_by ? ` by ${one.decided_by}` : ""}; `}${one.rationale}`);
  });
}

/** Do what a button stands for; what the bridge says against it stays readable for a while. */
async function act(button) {
  button.disabled = true;
  try {
    await command(button.dataset.command);
    state.refusal = null;
  } catch (error) {
    button.disabled = false;
    button.title = error.message;
    state.refusal = { text: error.message, at: performance.now() };
  }
  showAlert();
}

function showAlert() {
  const { refusal } = state;
  if (refusal && performance.now() - refusal.at < REFUSAL_SHOWN_MS) {
    setText($("alert"), refusal.text);
    return;
  }
  const alert = freshStatus()?.alerts.at(-1);
  setText($("alert"), alert ? `${new Date(alert.stamp_s * 1000).toLocaleTimeString()} ${alert.stage}: ${alert.name}` : "");
}

function number(value, digits) {
  return value === null ? "–" : value.toFixed(digits);
}

const STATUS_SIGNS = { CONFIRMED: "●", COASTING: "◌", TENTATIVE: "·" };

const COLUMNS = [
  ["", (row) => STATUS_SIGNS[row.status] ?? "?"],
  ["", (row) => String(row.track_id)],
  ["", (row) => row.class.toLowerCase()],
  ["level", (row) => (row.level === "NONE" ? "" : row.level)],
  ["number", (row) => number(row.range_m, 0)],
  ["number", (row) => number(row.bearing_deg, 1)],
  ["number", (row) => number(row.up_m, 0)],
  ["number", (row) => number(row.velocity_mps, 1)],
  ["number", (row) => number(row.heading_deg, 0)],
];

function compare(a, b) {
  const { key, descending } = state.sort;
  const [x, y] = key === "level" ? [LEVELS.indexOf(a.level), LEVELS.indexOf(b.level)] : [a[key], b[key]];
  if (x === y) return (key === "level" ? b.score - a.score : 0) || a.track_id - b.track_id;
  if (x === null) return 1;      // unknown goes last, whichever way
  if (y === null) return -1;
  return (x < y ? -1 : 1) * (descending ? -1 : 1);
}

function showTracks() {
  const assessed = levels();
  const scores = new Map((state.threats?.items ?? []).map((threat) => [threat.track_id, threat.score ?? 0]));
  const rows = (state.tracks?.items ?? []).map((track) => ({
    ...track, up_m: track.position_m.z, level: assessed.get(track.track_id) ?? "NONE", score: scores.get(track.track_id) ?? 0,
  }));
  rows.sort(compare);
  setText($("table-note"), rows.length > MAX_ROWS ? `first ${MAX_ROWS} of ${rows.length}` : rows.length ? String(rows.length) : "");
  const cells = COLUMNS.map(([className]) => ["td", className]);
  fillChildren($("tracks"), rows.slice(0, MAX_ROWS), () => withChildren("tr", cells), (line, row) => {
    line.dataset.id = row.track_id;
    line.children[0].title = row.status.toLowerCase();
    line.className = row.status + (row.track_id === state.selected ? " selected" : "");
    COLUMNS.forEach(([, text], i) => setText(line.children[i], text(row)));
    line.children[3].className = `level ${row.level}`;
  });
  for (const head of document.querySelectorAll("th")) {
    if (head.dataset.key === state.sort.key) {
      head.setAttribute("aria-sort", state.sort.descending ? "descending" : "ascending");
    } else head.removeAttribute("aria-sort");
  }
}

function showStages() {
  const status = freshStatus();
  const stages = status ? Object.entries(status.stages) : [];
  const never = status ? status.missing_stages.filter((name) => !(name in status.stages)) : [];
  const items = [...stages, ...never.map((name) => [name, null])];
  fillChildren($("stages"), items, () => document.createElement("li"), (line, [name, row]) => {
    const missing = row === null || status.missing_stages.includes(name) || row.age_s > 3;
    line.className = missing ? "missing" : row.errors ? "troubled" : "";
    const latency = row?.latency_p50_ms === null || !row ? "" : ` ${row.latency_p50_ms.toFixed(0)} ms`;
    setText(line, missing ? `${name} missing` : `${name}${row.rate_hz === null ? "" : ` ${row.rate_hz.toFixed(1)} Hz`}${latency}`);
    line.title = row ? `received ${row.received}, published ${row.published}, dropped ${row.dropped}, errors ${row.errors}` : "";
  });
}

function sortBy(key) {
  const { sort } = state;
  const numbersDown = ["level", "velocity_mps"].includes(key);
  state.sort = { key, descending: sort.key === key ? !sort.descending : numbersDown };
  showTracks();
}

$("login").addEventListener("submit", submitLogin);
$("logout").addEventListener("click", () => leave());
for (const id of ["range", "show-detections", "show-trails"]) $(id).addEventListener("change", drawSoon);
for (const head of document.querySelectorAll("th")) head.addEventListener("click", () => sortBy(head.dataset.key));
for (const id of ["tracks", "threats"]) {
  $(id).addEventListener("click", (event) => {
    if (event.target.dataset.command) return;
    const line = event.target.closest("[data-id]");
    if (line) select(Number(line.dataset.id));
  });
}
for (const id of ["threats", "advice"]) {
  $(id).addEventListener("click", (event) => event.target.dataset.command && act(event.target));
}
$("scope").addEventListener("click", (event) => {
  const id = scope.trackAt(event.offsetX, event.offsetY);
  if (id !== null) select(id);
});
setInterval(refresh, TABLE_EVERY_MS);
if (session()) start();
else $("password").focus();
