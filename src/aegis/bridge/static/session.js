// @ts-check
// Who is signed in, in this tab: the tokens, and how they are renewed before they end.

/**
 * Who is signed in.
 *
 * @typedef {object} Session
 * @property {string} token  for the API
 * @property {string} refresh  good once, for the next token
 * @property {number} renewAt  [ms since 1970]
 * @property {string[]} scopes
 * @property {string} username
 *
 * @typedef {{asked?: string, used?: string, session?: Session | null}} TabMessage
 */

const SESSION_KEY = "aegis-session";
const DEVICE_KEY = "aegis-device";   // lets this browser in even while others guess at its account's password
const RENEW_AT = 0.6;                // of an access token's life
const TABS_ANSWER_MS = 500;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {Promise<boolean> | null} */
let renewing = null;
/** @type {(token: string) => void} */
let renewed = () => {};
/** @type {() => void} */
let ended = () => {};

// A duplicated tab has the same refresh token, which is good once, and ends the session when it comes again: whoever renews tells
// the others, and who was not there yet asks.
const tabs = new BroadcastChannel("aegis-session");
/** @type {Set<string>} */
const used = new Set();              // refresh tokens of this session that are no longer good
/** @type {(value?: undefined) => void} */
let told = () => {};
tabs.onmessage = (/** @type {MessageEvent<TabMessage>} */ { data }) => {
  if (data.asked && used.has(data.asked)) {
    tabs.postMessage({ used: data.asked, session: session() });
  } else if (data.session && session()?.refresh === data.used) {
    replace(data.session);
    told();
  }
};

/** @returns {Session | null} */
export function session() {
  return JSON.parse(sessionStorage.getItem(SESSION_KEY) ?? "null");
}

/** @param {string} scope */
export function may(scope) {
  return session()?.scopes.includes(scope) ?? false;
}

/**
 * Say what to call with a new access token, and when the session is over.
 * @param {(token: string) => void} whenRenewed
 * @param {() => void} whenEnded
 */
export function onSession(whenRenewed, whenEnded) {
  [renewed, ended] = [whenRenewed, whenEnded];
}

/**
 * Throws with what the bridge says against it.
 * @param {string} username
 * @param {string} password
 */
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

/**
 * Ask the bridge for something; a token that has just ended is renewed first. Throws with what the bridge says.
 * @param {string} path
 */
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

/**
 * @param {string | undefined} refresh
 * @returns {Promise<boolean>}
 */
async function exchange(refresh) {
  if (refresh && session()?.refresh === refresh) await askTabs(refresh);
  const who = session();
  if (!who) return false;
  if (who.refresh !== refresh) return true; // another tab was first
  let body;
  try {
    body = await post("/api/auth/refresh", { refresh_token: refresh });
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 401) throw error;
    forget();
    ended();
    return false;
  }
  const next = { ...tokens(body), username: who.username };
  replace(next);
  tabs.postMessage({ used: refresh, session: next });
  return true;
}

/**
 * Give the other tabs the time to say that a token has been used, and what came in its place.
 * @param {string} refresh
 */
function askTabs(refresh) {
  return new Promise((resolve) => {
    told = resolve;
    setTimeout(resolve, TABS_ANSWER_MS);
    tabs.postMessage({ asked: refresh });
  });
}

/** @param {Session} next */
function replace(next) {
  const who = session();
  if (who) used.add(who.refresh);
  keep(next);
  renewed(next.token);
}

/**
 * Do something in one tab at a time, where the browser can see to that.
 * @param {() => Promise<boolean>} work
 * @returns {Promise<boolean>}
 */
function locked(work) {
  return navigator.locks ? navigator.locks.request("aegis-renew", work) : work();
}

/** @param {{access_token: string, refresh_token: string, expires_in: number, scopes: string[]}} body */
function tokens(body) {
  return {
    token: body.access_token,
    refresh: body.refresh_token,
    renewAt: Date.now() + body.expires_in * 1000 * RENEW_AT,
    scopes: body.scopes,
  };
}

/** @param {Session} who */
function keep(who) {
  sessionStorage.setItem(SESSION_KEY, JSON.stringify(who));
  keepAlive();
}

function forget() {
  used.clear();
  sessionStorage.removeItem(SESSION_KEY);
  clearTimeout(timer);
}

/** What the bridge says against a request. */
class Refusal extends Error {
  /**
   * @param {string} text
   * @param {number} status
   */
  constructor(text, status) {
    super(text);
    this.status = status;
  }
}

/**
 * @param {string} path
 * @param {object} body
 */
async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (answer.ok) return said;
  const wait = answer.headers.get("Retry-After");
  throw new Refusal(wait ? `${said.detail}; try again in ${wait} s` : said.detail, answer.status);
}
