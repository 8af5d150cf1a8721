import type { GridCall, GridReply } from "gridkey";

/** Which of our routes carries which of Grid's operations. What is not here, our pages do not do. */
const ROUTES: Record<string, (id: string) => `${"GET" | "POST"} ${string}`> = {
  // Our backend knows whose account it is, and does not ask the page.
  listAuthCredentials: () => "GET /wallet/sign-in-methods",
  challengeAuthCredential: (id) => `POST /wallet/sign-in-methods/${id}/challenge`,
  verifyAuthCredential: (id) => `POST /wallet/sign-in-methods/${id}/session`,
  refreshAuthSession: (id) => `POST /wallet/sessions/${id}/renewal`,
  revokeAuthSession: (id) => `POST /wallet/sessions/${id}/end`,
};

/** What our backend puts around Grid's answer. */
interface Envelope {
  response: { status: number; body: unknown; headers: Record<string, string> };
}

/** Carries gridkey's requests over our routes. `origin` is ours, where there is no page. */
export const ownRoutes = (origin = "") => async (call: GridCall): Promise<GridReply> => {
  const route = ROUTES[call.operation]?.(encodeURIComponent(call.params["id"] ?? ""));
  // As a server says it that does not offer this.
  if (route === undefined) return { status: 501, body: undefined };
  const [method = "", path = ""] = route.split(" ");

  // `body` stays the text it is: what is signed is bound to it byte for byte.
  const { body, stamp, requestId, signal } = call;
  const post = { headers: { "Content-Type": "application/json" }, body: JSON.stringify({ body, stamp, requestId }) };
  const response = await fetch(`${origin}${path}`, { method, signal, ...(method === "POST" && post) });
  const text = await response.text();
  const date = Date.parse(response.headers.get("Date") ?? "");
  const dateMs = Number.isNaN(date) ? {} : { dateMs: date };

  // Without an envelope it is not Grid's answer, but our backend's own, or a proxy's page.
  const grid = envelope(text)?.response;
  if (!grid) return { status: response.status, body: text, ...retryAfter(response.headers.get("Retry-After")), ...dateMs };
  return { status: grid.status, body: grid.body, ...retryAfter(grid.headers["retry-after"]), ...dateMs };
};

function envelope(text: string): Envelope | undefined {
  try {
    const { response } = JSON.parse(text);
    return typeof response.status === "number" && typeof response.headers === "object" ? { response } : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
function retryAfter(value: string | null | undefined): { retryAfterMs?: number } {
  if (!value) return {};
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? {} : { retryAfterMs: Math.max(0, ms) };
}
