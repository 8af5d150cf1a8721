// The backend's half: our routes, Grid behind them, and an envelope around its answers. It stands
// for the backend that you have, and so has no login: everybody is its one customer. Loopback only.

import { createServer } from "node:http";
import { json } from "node:stream/consumers";

const { GRID_BASE_URL, GRID_CLIENT_ID, GRID_CLIENT_SECRET, GRID_ACCOUNT_ID, GRID_ENCLAVE, PORT = "8790" } = process.env;
if (!GRID_BASE_URL || !GRID_CLIENT_ID || !GRID_CLIENT_SECRET || !GRID_ACCOUNT_ID) {
  throw new Error("GRID_BASE_URL, GRID_CLIENT_ID, GRID_CLIENT_SECRET and GRID_ACCOUNT_ID must be set");
}
const AUTHORIZATION = `Basic ${Buffer.from(`${GRID_CLIENT_ID}:${GRID_CLIENT_SECRET}`).toString("base64")}`;

/**
 * What our routes are at Grid.
 * @type {[string, RegExp, (id: string) => string][]}
 */
const ROUTES = [
  ["GET", /^\/wallet\/sign-in-methods$/, () => CREDENTIALS],
  ["POST", /^\/wallet\/sign-in-methods\/([^/]+)\/challenge$/, (id) => `POST /auth/credentials/${id}/challenge`],
  ["POST", /^\/wallet\/sign-in-methods\/([^/]+)\/session$/, (id) => `POST /auth/credentials/${id}/verify`],
  ["POST", /^\/wallet\/sessions\/([^/]+)\/renewal$/, (id) => `POST /auth/sessions/${id}/refresh`],
  ["POST", /^\/wallet\/sessions\/([^/]+)\/end$/, (id) => `DELETE /auth/sessions/${id}`],
];
const ACCOUNT = encodeURIComponent(GRID_ACCOUNT_ID);
const CREDENTIALS = `GET /auth/credentials?accountId=${ACCOUNT}`;
const SESSIONS = `GET /auth/sessions?accountId=${ACCOUNT}`;

const server = createServer(async (request, response) => {
  /** @param {number} status @param {unknown} body */
  const answer = (status, body) => {
    response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(JSON.stringify(body));
  };
  try {
    const { method = "", url = "", headers } = request;
    if (url === "/wallet/account") return answer(200, { accountId: GRID_ACCOUNT_ID, enclave: GRID_ENCLAVE ? JSON.parse(GRID_ENCLAVE) : "production" });
    const [route, id] = found(method, url);
    if (route === undefined) return answer(404, { error: "there is no such route" });
    // Another site's page sends cookies too, but says whose page it is.
    if (method === "POST" && new URL(headers.origin ?? "none:").host !== headers.host) return answer(403, { error: "another site's page" });
    // Whatever the page names must be this customer's.
    if (id !== undefined && !(await isOwn(id))) return answer(403, { error: "not this customer's" });
    const call = /** @type {Parameters<typeof askGrid>[1]} */ (method === "POST" ? await json(request) : {});
    return answer(200, { response: await askGrid(route, call) });
  } catch {
    return answer(502, { error: "Grid cannot be reached" });
  }
});
server.listen(Number(PORT), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`http://127.0.0.1:${address?.port}`);
});

/** @param {string} method @param {string} url @returns {[route: string | undefined, id: string | undefined]} */
function found(method, url) {
  for (const [allowed, pattern, at] of ROUTES) {
    const match = method === allowed && pattern.exec(url);
    if (match) return [at(match[1] ?? ""), match[1]];
  }
  return [undefined, undefined];
}

/** @param {string} id percent-encoded */
async function isOwn(id) {
  const lists = await Promise.all([CREDENTIALS, SESSIONS].map((route) => askGrid(route, {})));
  const own = lists.flatMap(({ body }) => /** @type {{ data?: { id: string }[] }} */ (body).data ?? []);
  return own.some((resource) => encodeURIComponent(resource.id) === id);
}

/** @param {string} route @param {{ body?: string, stamp?: string, requestId?: string }} call */
async function askGrid(route, { body, stamp, requestId }) {
  const [method, path] = route.split(" ");
  const response = await fetch(`${GRID_BASE_URL}${path}`, {
    ...(method && { method }),
    redirect: "error",
    signal: AbortSignal.timeout(15_000),
    headers: {
      authorization: AUTHORIZATION,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(stamp !== undefined && { "grid-wallet-signature": stamp }),
      ...(requestId !== undefined && { "request-id": requestId }),
    },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  const retryAfter = response.headers.get("retry-after");
  return { status: response.status, body: text && JSON.parse(text), headers: retryAfter === null ? {} : { "retry-after": retryAfter } };
}
