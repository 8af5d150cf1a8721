import type { GridCall, GridReply } from "gridkey";

/** Which of our routes carries a request. What is not here, our pages do not do. */
function routeOf(call: GridCall): `${"GET" | "POST"} ${string}` | undefined {
  const methods = "/wallet/sign-in-methods";
  switch (call.operation) {
    // Our backend knows whose account it is, and does not ask the page.
    case "listAuthCredentials":
      return `GET ${methods}`;
    case "challengeAuthCredential":
      return `POST ${methods}/${encodeURIComponent(call.params.id)}/challenge`;
    case "verifyAuthCredential":
      return `POST ${methods}/${encodeURIComponent(call.params.id)}/session`;
    case "refreshAuthSession":
      return `POST /wallet/sessions/${encodeURIComponent(call.params.id)}/renewal`;
    case "revokeAuthSession":
      return `POST /wallet/sessions/${encodeURIComponent(call.params.id)}/end`;
    default:
      return undefined;
  }
}

/** What our backend puts around Grid's answer. */
interface Envelope {
  response: { status: number; body: unknown; headers: Record<string, string> };
}

/** Carries gridkey's requests over our routes. `origin` is ours, where there is no page. */
export const ownRoutes = (origin = "") => async (call: GridCall): Promise<GridReply> => {
  const route = routeOf(call);
  // As a server says it that does not offer this.
  if (route === undefined) return { status: 501, body: undefined };
  const [method = "", path = ""] = route.split(" ");

  // `body` stays the text it is: what is signed is bound to it byte for byte.
  const { body, stamp, requestId, signal } = call;
  const post = { headers: { "Content-Type": "application/json" }, body: JSON.stringify({ body, stamp, requestId }) };
  const response = await fetch(`${origin}${path}`, { method, signal, ...(method === "POST" && post) });
  const text = await response.text();

  // Without an envelope it is not Grid's answer, but our backend's own, or a proxy's page.
  const grid = envelope(text)?.response;
  if (!grid) return { status: response.status, body: text, headers: response.headers };
  return { status: grid.status, body: grid.body, headers: { Date: response.headers.get("Date") ?? "", ...grid.headers } };
};

function envelope(text: string): Envelope | undefined {
  try {
    const { response } = JSON.parse(text);
    return typeof response.status === "number" && typeof response.headers === "object" ? { response } : undefined;
  } catch {
    return undefined;
  }
}
