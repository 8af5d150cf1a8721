// The transport by itself, over HTTP, as gridkey uses it: what our backend answers, and what the
// page is told.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { createGridkey, isGridkeyError, type GridCall, type GridkeyError } from "gridkey";
import { afterEach, expect, test } from "vitest";
import { ownRoutes } from "../src/transport.ts";

const ACCOUNT = "InternalAccount:1";
const METHOD = {
  id: "AuthMethod:1",
  accountId: ACCOUNT,
  type: "EMAIL_OTP",
  nickname: "ada@example.com",
  createdAt: "2026-01-01T00:00:00Z",
  updatedAt: "2026-01-01T00:00:00Z",
};

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

type Answer = (response: ServerResponse, request: IncomingMessage, body: string) => void;

/** Our backend as `answer` plays it, a client of it, and what was asked. */
async function backend(answer: Answer) {
  const asked: { method: string | undefined; url: string | undefined; body: string }[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    asked.push({ method: request.method, url: request.url, body });
    answer(response, request, body);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  closing.push(() => (server.closeAllConnections(), server.close()));
  const transport = ownRoutes(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const gridkey = createGridkey({ transport, timeoutMs: 5_000 });
  return { asked, transport, gridkey };
}

const enveloped = (status: number, body: unknown, headers = {}): Answer =>
  (response) => void response.end(JSON.stringify({ response: { status, body, headers } }));

const gridError = (status: number, code: string) => ({ status, code, message: "no", details: {} });

async function failure(promise: Promise<unknown>): Promise<GridkeyError> {
  const error = await promise.then(() => expect.unreachable("it succeeded"), (error: unknown) => error);
  if (!isGridkeyError(error)) throw error;
  return error;
}

test("Grid's answer comes out of its envelope", async () => {
  const { asked, gridkey } = await backend(enveloped(200, { data: [METHOD] }));
  const [method] = await gridkey.listAuthMethods({ accountId: ACCOUNT });
  expect(method?.nickname).toBe("ada@example.com");
  // The page does not say whose account it wants.
  expect(asked).toEqual([{ method: "GET", url: "/wallet/sign-in-methods", body: "" }]);
});

test("the status is Grid's and not the route's", async () => {
  const { gridkey } = await backend(enveloped(404, gridError(404, "NOT_FOUND")));
  const error = await failure(gridkey.sendOtp({ authMethodId: "AuthMethod:1" }));
  expect(error).toMatchObject({ code: "not_found", status: 404, gridCode: "NOT_FOUND", operation: "challengeAuthCredential" });
});

// Asked when the answer is sent: on a busy machine the WebAssembly takes seconds to load before that.
const inAMinute = () => new Date(Date.now() + 60_000).toUTCString();

test.each([["40", () => "40", 40_000], ["a date", inAMinute, 60_000]])("Retry-After: %s", async (_, value, expected) => {
  const limited: Answer = (...args) => enveloped(429, gridError(429, "RATE_LIMITED"), { "retry-after": value() })(...args);
  const { gridkey } = await backend(limited);
  const { code, recovery, retryAfterMs = 0 } = await failure(gridkey.sendOtp({ authMethodId: "AuthMethod:1" }));
  expect({ code, recovery }).toEqual({ code: "rate_limited", recovery: "wait" });
  expect(Math.abs(retryAfterMs - expected)).toBeLessThan(2_000);
});

test("what our backend says itself is not taken for Grid's", async () => {
  const own = async (status: number, body: string, headers = {}) => {
    const { gridkey } = await backend((response) => response.writeHead(status, headers).end(body));
    return failure(gridkey.sendOtp({ authMethodId: "AuthMethod:1" }));
  };
  expect(await own(401, '{"error":"log in first"}')).toMatchObject({ code: "signed_out_of_platform", recovery: "sign_in" });
  expect(await own(403, '{"error":"not yours"}')).toMatchObject({ code: "forbidden" });
  expect(await own(429, "", { "Retry-After": "3" })).toMatchObject({ code: "rate_limited", retryAfterMs: 3_000 });
  expect(await own(502, "<html>Bad gateway</html>")).toMatchObject({ code: "relay_protocol", status: 502 });
  expect(await own(200, '{"response":{"status":"200"}}')).toMatchObject({ code: "relay_protocol" });
});

test("an abort closes the connection, and a slow backend does not hold the page", async () => {
  let closed: Promise<unknown> | undefined;
  const { asked, gridkey } = await backend((_, request) => (closed = once(request.socket, "close")));
  const leaving = new AbortController();
  const aborted = failure(gridkey.sendOtp({ authMethodId: "AuthMethod:1", signal: leaving.signal }));
  await expect.poll(() => asked.length).toBe(1);
  leaving.abort();
  expect(await aborted).toMatchObject({ code: "aborted" });
  await closed;

  expect(await failure(gridkey.sendOtp({ authMethodId: "AuthMethod:1", timeoutMs: 100 }))).toMatchObject({ code: "timeout" });
  await closed;
});

test("an answer that stops in the middle is no answer", async () => {
  const { gridkey } = await backend((response) => {
    response.writeHead(200, { "content-length": "1000" }).write('{"response":');
    setTimeout(() => response.destroy(), 20);
  });
  expect(await failure(gridkey.sendOtp({ authMethodId: "AuthMethod:1" }))).toMatchObject({ code: "network" });
});

test("what is signed arrives as the text it is, with its headers beside it", async () => {
  const { asked, transport } = await backend(enveloped(204, ""));
  const call: GridCall = {
    operation: "refreshAuthSession",
    method: "POST",
    path: "/auth/sessions/Session%3A1/refresh",
    params: { id: "Session:1" },
    body: '{"clientPublicKey" : "04é"}',
    stamp: "c3RhbXA",
    requestId: "Request:1",
    signal: new AbortController().signal,
  };
  const { status, headers = {} } = await transport(call);
  expect(status).toBe(204);
  // Device clocks are told by it.
  expect(headers).toEqual({ Date: expect.stringMatching(/ GMT$/) });
  const [request] = asked;
  expect(request?.url).toBe("/wallet/sessions/Session%3A1/renewal");
  expect(JSON.parse(request?.body ?? "")).toEqual({ body: call.body, stamp: "c3RhbXA", requestId: "Request:1" });
});

test("what has no route is refused before anything is sent", async () => {
  const { asked, gridkey } = await backend(enveloped(200, {}));
  expect(await failure(gridkey.api.regenerateAgentDeviceCode("Agent:1"))).toMatchObject({ code: "unsupported_operation" });
  expect(asked).toEqual([]);
});
