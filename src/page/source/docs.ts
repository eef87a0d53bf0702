// The API's description, drawn by Swagger UI. It is fetched with the token of this tab's session: without one there is nothing to see.

import { byId } from "./dom.ts";
import { keepAlive, onSession, renew, session } from "./session.ts";

interface SwaggerRequest {
  headers: Record<string, string>;
}

const state = byId("docs-state");

async function show(): Promise<void> {
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
  const { SwaggerUIBundle } = window as Window & { SwaggerUIBundle?: (options: object) => void }; // of a script before this one
  SwaggerUIBundle?.({
    spec: await answer.json(),
    domNode: document.getElementById("docs"),
    deepLinking: true,
    docExpansion: "list",
    validatorUrl: null,
    requestInterceptor: (request: SwaggerRequest) => {
      request.headers.Authorization = `Bearer ${session()?.token}`;
      return request;
    },
    onComplete: () => { document.body.dataset.docs = "shown"; },
  });
}

function description(): Promise<Response> {
  return fetch("/openapi.json", { headers: { Authorization: `Bearer ${session()?.token}` } });
}

show();
