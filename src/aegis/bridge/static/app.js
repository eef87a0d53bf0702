// @ts-check
// The page: signs in, listens to the stream, and shows it with its age. What is old is never shown as if it were new.

import { isStale, newestOf } from "./ages.js";
import { byId } from "./dom.js";
import { Panels, levelsOf } from "./panels.js";
import { Scope } from "./scope.js";
import { command, keepAlive, may, onSession, renew, session, signIn, signOut } from "./session.js";
import { Heard, Stream } from "./stream.js";

/** @import { Connection } from "./stream.js" */

const TABLE_EVERY_MS = 250;
const SESSION_OVER = "The session has ended; sign in again.";
const STREAM_PATH = "/ws/radar-stream";

const heard = new Heard();
const scope = new Scope(/** @type {HTMLCanvasElement} */ (byId("scope")));
const panels = new Panels(heard, may);
const stream = new Stream(heard, {
  open: () => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${STREAM_PATH}`),
  token: () => session()?.token ?? null,
  renew,
  onConnection: (connection) => {
    setConnection(connection);
    if (connection === "disconnected") refresh();
  },
  onFrame: drawSoon,
});

// Signing in and out.

/** @param {SubmitEvent} event */
async function submitLogin(event) {
  event.preventDefault();
  byId("login-problem").textContent = "";
  const button = /** @type {HTMLButtonElement} */ (byId("login").querySelector("button"));
  const [username, password] = [input("username"), input("password")];
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

function leave(reason = "") {
  signOut();
  stream.close();
  heard.clear();
  panels.refusal = null;
  setConnection("signed-out");
  showSignedIn(false);
  byId("user").textContent = "";
  byId("login-problem").textContent = reason;
  byId("password").focus();
}

function start() {
  showSignedIn(true);
  byId("user").textContent = session()?.username ?? "";
  scope.resize();
  keepAlive();
  stream.connect();
}

/** @param {boolean} isSignedIn */
function showSignedIn(isSignedIn) {
  byId("login-panel").hidden = isSignedIn;
  for (const id of ["picture", "logout", "api"]) byId(id).hidden = !isSignedIn;
}

// Showing.

/** @param {Connection} connection */
function setConnection(connection) {
  heard.connection = connection;
  document.body.dataset.connection = connection;
  byId("connection").textContent = connection.replace("-", " ");
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
  const now = performance.now();
  const range = input("range").value;
  scope.draw({
    tracks: heard.tracks?.items ?? [],
    glows: heard.glows(now),
    sensor: heard.detections?.sensor ?? null,
    levels: levelsOf(heard, now),
    trails: heard.trails,
    range: range === "auto" ? null : Number(range),
    stale: isStale(heard, heard.tracks, now),
    detectionsStale: isStale(heard, heard.detections, now),
    showDetections: input("show-detections").checked,
    showTrails: input("show-trails").checked,
    selected: panels.selected,
  });
}

function refresh() {
  if (heard.connection === "signed-out") return;
  const now = performance.now();
  heard.clearOld(now);
  if (["waiting", "live", "stale"].includes(heard.connection)) {
    setConnection(heard.arrivals.length === 0 ? "waiting" : isStale(heard, newestOf(heard), now) ? "stale" : "live");
  }
  panels.show(now);
  drawSoon();
}

/** @param {number} id */
function select(id) {
  panels.select(id);
  refresh();
}

/**
 * Do what a button stands for; what the bridge says against it stays readable for a while.
 * @param {HTMLButtonElement} button
 */
async function act(button) {
  button.disabled = true;
  try {
    await command(button.dataset.command ?? "");
    panels.refusal = null;
  } catch (error) {
    button.disabled = false;
    button.title = messageOf(error);
    panels.refusal = { text: messageOf(error), at: performance.now() };
  }
  panels.showAlert(performance.now());
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {string} id */
function input(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

onSession((token) => stream.authenticate(token), () => leave(SESSION_OVER));
byId("login").addEventListener("submit", submitLogin);
byId("logout").addEventListener("click", () => leave());
for (const id of ["range", "show-detections", "show-trails"]) byId(id).addEventListener("change", drawSoon);
for (const head of document.querySelectorAll("th")) head.addEventListener("click", () => panels.sortBy(head.dataset.key));
for (const id of ["tracks", "threats", "advice"]) {
  byId(id).addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const line = /** @type {HTMLElement | null} */ (target.closest("[data-id]"));
    if (target.dataset.command) act(/** @type {HTMLButtonElement} */ (target));
    else if (line) select(Number(line.dataset.id));
  });
}
byId("scope").addEventListener("click", (event) => {
  const id = scope.trackAt(event.offsetX, event.offsetY);
  if (id !== null) select(id);
});
setInterval(refresh, TABLE_EVERY_MS);
if (session()) start();
else byId("password").focus();
