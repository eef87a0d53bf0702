// @ts-check
// The API's description, drawn by Swagger UI. It is fetched with the token of this tab's session: without one there is nothing to see.

import { keepAlive, onSession, renew, session } from "./session.js";

/** @typedef {{headers: Record<string, string>}} SwaggerRequest */

const state = /** @type {HTMLElement} */ (document.getElementById("docs-state"));

async function show() {
  if (!session()) {
    state.textContent = "Sign in first, then come back to this page.";
    return;
  }
  onSession(() => {}, () => { state.textContent = "The session has ended; sign in again."; });
  let answer = await description();
  if (answer.status === 401 && await renew()) answer = await description();
  if (!answer.ok) {
    if (session()) state.textContent = `No description: status ${answer.status}.`;
    return;
  }
  keepAlive();
  const { SwaggerUIBundle } = /** @type {Window & {SwaggerUIBundle?: any}} */ (window); // of a script before this one
  SwaggerUIBundle({
    spec: await answer.json(),
    domNode: document.getElementById("docs"),
    deepLinking: true,
    docExpansion: "list",
    validatorUrl: null,
    /** @param {SwaggerRequest} request */
    requestInterceptor: (request) => {
      request.headers.Authorization = `Bearer ${session()?.token}`;
      return request;
    },
    onComplete: () => { document.body.dataset.docs = "shown"; },
  });
}

function description() {
  return fetch("/openapi.json", { headers: { Authorization: `Bearer ${session()?.token}` } });
}

show();
