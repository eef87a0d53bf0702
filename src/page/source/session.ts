// Who is signed in, in this tab: the tokens, and how they are renewed before they end.

/** Who is signed in. */
export interface Session {
  token: string; // for the API
  refresh: string; // good once, for the next token
  renewAt: number; // [ms since 1970]
  scopes: string[];
  username: string;
}

interface TabMessage {
  asked?: string;
  used?: string;
  session?: Session | null;
}

interface Tokens {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  scopes: string[];
}

const SESSION_KEY = "aegis-session";
const DEVICE_KEY = "aegis-device";   // lets this browser in even while others guess at its account's password
const RENEW_AT = 0.6;                // of an access token's life
const TABS_ANSWER_MS = 500;
const SAVED_WITHIN_MS = 60_000;      // a file, from the browser's memory to its disk

let timer: ReturnType<typeof setTimeout> | undefined;
let renewing: Promise<boolean> | null = null;
let renewed: (token: string) => void = () => {};
let ended: () => void = () => {};

// A duplicated tab has the same refresh token, which is good once, and ends the session when it comes again: whoever renews tells
// the others, and who was not there yet asks.
const tabs = new BroadcastChannel("aegis-session");
const used = new Set<string>();      // refresh tokens of this session that are no longer good
let told: () => void = () => {};
tabs.onmessage = ({ data }: MessageEvent<TabMessage>) => {
  if (data.asked && used.has(data.asked)) {
    tabs.postMessage({ used: data.asked, session: session() });
  } else if (data.session && session()?.refresh === data.used) {
    replace(data.session);
    told();
  }
};

export function session(): Session | null {
  return JSON.parse(sessionStorage.getItem(SESSION_KEY) ?? "null") as Session | null;
}

export function may(scope: string): boolean {
  return session()?.scopes.includes(scope) ?? false;
}

/** Say what to call with a new access token, and when the session is over. */
export function onSession(whenRenewed: (token: string) => void, whenEnded: () => void): void {
  [renewed, ended] = [whenRenewed, whenEnded];
}

/** Throws with what the bridge says against it. */
export async function signIn(username: string, password: string): Promise<void> {
  const device = localStorage.getItem(DEVICE_KEY);
  const body = await post<Tokens & { device_token: string }>("/api/auth/login", { username, password, ...(device ? { device_token: device } : {}) });
  localStorage.setItem(DEVICE_KEY, body.device_token);
  keep({ ...tokens(body), username });
}

export function signOut(): void {
  const who = session();
  forget();
  if (who) {
    fetch("/api/auth/logout", { method: "POST", headers: { Authorization: `Bearer ${who.token}` }, keepalive: true }).catch(() => {});
  }
}

/** Get the next access token, once for all who ask meanwhile. False: the session is over. Throws where the bridge does not answer. */
export function renew(): Promise<boolean> {
  const refresh = session()?.refresh;
  renewing ??= locked(() => exchange(refresh)).finally(() => { renewing = null; });
  return renewing;
}

/** Ask the bridge for something; a token that has just ended is renewed first. */
async function ask(path: string, method: string, content?: object, more?: Record<string, string>, signal?: AbortSignal): Promise<Response> {
  const body = content && JSON.stringify(content);
  const type = content && { "Content-Type": "application/json" };
  const once = () => fetch(path, { method, body, signal, headers: { Authorization: `Bearer ${session()?.token}`, ...type, ...more } });
  const answer = await once();
  return answer.status === 401 && await renew() ? once() : answer;
}

/** Let the bridge do something. Throws with what it says against it. */
export async function command(path: string, content?: object, method = "POST", headers?: Record<string, string>): Promise<void> {
  const answer = await ask(path, method, content, headers);
  if (!answer.ok) throw new Error(((await answer.json()) as { detail: string }).detail);
}

/** Let this browser save a file that the bridge makes, under the name that it gives. Throws with what it says against it. */
export async function save(path: string, signal: AbortSignal): Promise<void> {
  const answer = await ask(path, "GET", undefined, undefined, signal);
  if (!answer.ok) throw new Error(((await answer.json()) as { detail: string }).detail);
  const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "";
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await answer.blob()), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), SAVED_WITHIN_MS);
}

/** Read something of the bridge; null where it has none. */
export async function read<T>(path: string): Promise<T | null> {
  const answer = await ask(path, "GET");
  return answer.ok ? ((await answer.json()) as T) : null;
}

/** Begin to renew the tokens of this tab's session before they end. */
export function keepAlive(): void {
  const who = session();
  clearTimeout(timer);
  if (who) timer = setTimeout(() => renew().catch(() => retry()), Math.max(0, who.renewAt - Date.now()));
}

function retry(): void {
  clearTimeout(timer);
  timer = setTimeout(() => renew().catch(() => retry()), 2000);
}

async function exchange(refresh: string | undefined): Promise<boolean> {
  if (refresh && session()?.refresh === refresh) await askTabs(refresh);
  const who = session();
  if (!who) return false;
  if (who.refresh !== refresh) return true; // another tab was first
  let body: Tokens;
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

/** Give the other tabs the time to say that a token has been used, and what came in its place. */
function askTabs(refresh: string): Promise<void> {
  return new Promise((resolve) => {
    told = resolve;
    setTimeout(resolve, TABS_ANSWER_MS);
    tabs.postMessage({ asked: refresh });
  });
}

function replace(next: Session): void {
  const who = session();
  if (who) used.add(who.refresh);
  keep(next);
  renewed(next.token);
}

/** Do something in one tab at a time, where the browser can see to that. */
function locked(work: () => Promise<boolean>): Promise<boolean> {
  return navigator.locks ? navigator.locks.request("aegis-renew", work) : work();
}

function tokens(body: Tokens): Omit<Session, "username"> {
  return {
    token: body.access_token,
    refresh: body.refresh_token,
    renewAt: Date.now() + body.expires_in * 1000 * RENEW_AT,
    scopes: body.scopes,
  };
}

function keep(who: Session): void {
  sessionStorage.setItem(SESSION_KEY, JSON.stringify(who));
  keepAlive();
}

function forget(): void {
  used.clear();
  sessionStorage.removeItem(SESSION_KEY);
  clearTimeout(timer);
}

/** What the bridge says against a request. */
class Refusal extends Error {
  constructor(text: string, readonly status: number) {
    super(text);
  }
}

async function post<T = Tokens>(path: string, body: object): Promise<T> {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = (await answer.json()) as T & { detail?: string };
  if (answer.ok) return said;
  const wait = answer.headers.get("Retry-After");
  throw new Refusal(wait ? `${said.detail}; try again in ${wait} s` : String(said.detail), answer.status);
}
