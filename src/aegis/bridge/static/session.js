// Who is signed in, in this tab: the tokens, and how they are renewed before they end.

const SESSION_KEY = "aegis-session";
const DEVICE_KEY = "aegis-device";   // lets this browser in even while others guess at its account's password
const RENEW_AT = 0.6;                // of an access token's life
const TABS_ANSWER_MS = 500;

let timer = null;
let renewing = null;
let renewed = () => {};
let ended = () => {};

// A duplicated tab has the same refresh token, which is good once, and ends the session when it comes again: whoever renews tells
// the others, and who was not there yet asks.
const tabs = new BroadcastChannel("aegis-session");
const used = new Set();              // refresh tokens of this session that are no longer good
let told = () => {};
tabs.onmessage = ({ data }) => {
  if (used.has(data.asked)) {
    tabs.postMessage({ used: data.asked, session: session() });
  } else if (data.session && session()?.refresh === data.used) {
    replace(data.session);
    told();
  }
};

export function session() {
  return JSON.parse(sessionStorage.getItem(SESSION_KEY) ?? "null");
}

export function may(scope) {
  return session()?.scopes.includes(scope) ?? false;
}

/** Say what to call with a new access token, and when the session is over. */
export function onSession(whenRenewed, whenEnded) {
  [renewed, ended] = [whenRenewed, whenEnded];
}

export async function signIn(username, password) {
  const device = localStorage.getItem(DEVICE_KEY);
  const body = await post("/api/auth/login", { username, password, ...(device ? { device_token: device } : {}) });
  localStorage.setItem(DEVICE_KEY, body.device_token);
  keep({ ...tokens(body), username });
}

export function signOut() {
  const who = session();
  forget();
  if (who) {
    fetch("/api/auth/logout", { method: "POST", headers: { Authorization: `Bearer ${who.token}` }, keepalive: true }).catch(() => {});
  }
}

/** Get the next access token, once for all who ask meanwhile. False: the session is over. Throws where the bridge does not answer. */
export function renew() {
  const refresh = session()?.refresh;
  renewing ??= locked(() => exchange(refresh)).finally(() => { renewing = null; });
  return renewing;
}

/** Ask the bridge for something; a token that has just ended is renewed first. Throws with what the bridge says. */
export async function command(path) {
  const ask = () => fetch(path, { method: "POST", headers: { Authorization: `Bearer ${session()?.token}` } });
  let answer = await ask();
  if (answer.status === 401 && await renew()) answer = await ask();
  if (!answer.ok) throw new Error((await answer.json()).detail);
}

/** Begin to renew the tokens of this tab's session before they end. */
export function keepAlive() {
  const who = session();
  clearTimeout(timer);
  if (who) timer = setTimeout(() => renew().catch(() => retry()), Math.max(0, who.renewAt - Date.now()));
}

function retry() {
  clearTimeout(timer);
  timer = setTimeout(() => renew().catch(() => retry()), 2000);
}

async function exchange(refresh) {
  if (session()?.refresh === refresh) await askTabs(refresh);
  const who = session();
  if (!who) return false;
  if (who.refresh !== refresh) return true; // another tab was first
  let body;
  try {
    body = await post("/api/auth/refresh", { refresh_token: refresh });
  } catch (error) {
    if (error.status !== 401) throw error;
    forget();
    ended();
    return false;
  }
  const next = { ...tokens(body), username: who.username };
  replace(next);
  tabs.postMessage({ used: refresh, session: next });
  return true;
}

/** Give the other tabs the time to say that a token has been used, and what came in its place. */
function askTabs(refresh) {
  return new Promise((resolve) => {
    told = resolve;
    setTimeout(resolve, TABS_ANSWER_MS);
    tabs.postMessage({ asked: refresh });
  });
}

function replace(next) {
  used.add(session().refresh);
  keep(next);
  renewed(next.token);
}

/** Do something in one tab at a time, where the browser can see to that. */
function locked(work) {
  return navigator.locks ? navigator.locks.request("aegis-renew", work) : work();
}

function tokens(body) {
  return {
    token: body.access_token,
    refresh: body.refresh_token,
    renewAt: Date.now() + body.expires_in * 1000 * RENEW_AT,
    scopes: body.scopes,
  };
}

function keep(who) {
  sessionStorage.setItem(SESSION_KEY, JSON.stringify(who));
  keepAlive();
}

function forget() {
  used.clear();
  sessionStorage.removeItem(SESSION_KEY);
  clearTimeout(timer);
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (answer.ok) return said;
  const wait = answer.headers.get("Retry-After");
  throw Object.assign(new Error(wait ? `${said.detail}; try again in ${wait} s` : said.detail), { status: answer.status });
}
