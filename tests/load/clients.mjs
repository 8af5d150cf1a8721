// Clients: many that ask, and many that do not come to the point.

import autocannon from "autocannon";
import { connect } from "node:net";

/** Sends `amount` requests, or as many as there is time for in `seconds`, over that many connections. */
export async function load({ url, connections, amount, seconds, requests }) {
  let withRetryAfter = 0;
  const result = await autocannon({
    url,
    connections,
    ...(amount ? { amount } : { duration: seconds }),
    // In seconds: more than any of the relay's limits.
    timeout: 60,
    requests: requests.map((request) => ({
      ...request,
      headers: { origin: "http://localhost", "content-type": "application/json" },
    })),
    setupClient: (client) =>
      client.on("headers", ({ headers }) => {
        if (headers.some((name) => name.toLowerCase() === "retry-after")) withRetryAfter += 1;
      }),
  });
  const counts = Object.entries(result.statusCodeStats);
  const statuses = Object.fromEntries(counts.map(([status, { count }]) => [status, count]));
  return {
    answered: counts.reduce((sum, [, { count }]) => sum + count, 0),
    statuses,
    withRetryAfter,
    // Connections that broke, and requests that were not answered.
    errors: result.errors + result.timeouts,
    perSecond: result.requests.average,
    p50: result.latency.p50,
    p99: result.latency.p99,
    max: result.latency.max,
  };
}

/** Sends the beginning of a request, and then waits for the end of the connection, but not for ever:
    what it was answered, and after how long. */
export function dawdle(url, bytes, limitMs) {
  const { hostname, port } = new URL(url);
  const begin = Date.now();
  let read = "";
  const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes));
  socket.setEncoding("utf8");
  socket.on("data", (text) => (read += text));
  socket.on("error", () => {});
  const timer = setTimeout(() => socket.destroy(), limitMs);
  return new Promise((resolve) => {
    socket.on("close", () => {
      clearTimeout(timer);
      resolve({ status: read.match(/^HTTP\/1\.1 (\d+)/)?.[1] ?? "none", ms: Date.now() - begin });
    });
  });
}
