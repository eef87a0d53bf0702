// Who is signed in, in this tab: the tokens, and how they are renewed before they end.

const SESSION_KEY = "aegis-session";
const DEVICE_KEY = "aegis-device";   // lets this browser in even while others guess at its account's password
const RENEW_AT = 0.6;                // of an access token's life

let timer = null;
let renewing = null;
let renewed = () => {};
let ended = () => {};

// A duplicated tab has the same refresh token, which is good once: whoever renews tells the others.
const tabs = new BroadcastChannel("aegis-session");
tabs.onmessage = ({ data }) => {
  if (session()?.refresh === data.used) {
    keep(data.session);
    renewed(data.session.token);
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
  renewing ??= locked(exchange).finally(() => { renewing = null; });
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

async function exchange() {
  const who = session();
  if (!who) return false;
  let body;
  try {
    body = await post("/api/auth/refresh", { refresh_token: who.refresh });
  } catch (error) {
    if (error.status !== 401) throw error;
    forget();
    ended();
    return false;
  }
  const next = { ...tokens(body), username: who.username };
  keep(next);
  tabs.postMessage({ used: who.refresh, session: next });
  renewed(next.token);
  return true;
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
