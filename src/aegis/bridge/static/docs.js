// The API's description, drawn by Swagger UI. It is fetched with the token of this tab's session: without one there is nothing to see.

const session = JSON.parse(sessionStorage.getItem("aegis-session") ?? "null");
const state = document.getElementById("docs-state");

async function show() {
  if (!session) {
    state.textContent = "Sign in first, then come back to this page.";
    return;
  }
  const answer = await fetch("/openapi.json", { headers: { Authorization: `Bearer ${session.token}` } });
  if (!answer.ok) {
    state.textContent = answer.status === 401 ? "The session has ended; sign in again." : `No description: status ${answer.status}.`;
    return;
  }
  window.SwaggerUIBundle({
    spec: await answer.json(),
    domNode: document.getElementById("docs"),
    deepLinking: true,
    docExpansion: "list",
    validatorUrl: null,
    requestInterceptor: (request) => {
      request.headers.Authorization = `Bearer ${session.token}`;
      return request;
    },
    onComplete: () => { document.body.dataset.docs = "shown"; },
  });
}

show();
