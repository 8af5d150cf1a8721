// The relay program under load, and before Grids that stall, cut and flood. What has to hold is
// checked; how fast it was is only said.

import { dawdle, load } from "./clients.mjs";
import { startGrid, startRelay, startSandbox, until } from "./programs.mjs";

const CONNECTIONS = 1000;
const TIME_LIMIT_SECONDS = 3;
/** The binary's, for a request's head, and the relay's for its body. */
const SLOW_CLIENT_SECONDS = 10;
/** On top of any time limit, for a machine that has something else to do as well. */
const PATIENCE_MS = 10_000;

const customer = JSON.parse(process.env.GRID_CUSTOMER);
const account = `accountId=${encodeURIComponent(customer.accountId)}`;
const get = (path) => ({ method: "GET", path: `/api/grid${path}` });
const healthy = get(`/auth/credentials?${account}`);
const hostile = get(`/auth/sessions?${account}`);
const everyday = [
  healthy,
  hostile,
  get(`/customers/internal-accounts?customerId=${encodeURIComponent(customer.customerId)}`),
  {
    method: "POST",
    path: "/api/grid/auth/credentials/registration-options",
    body: JSON.stringify({ accountId: customer.accountId }),
  },
];
/** All 1,000 connections find room, also on one operation. */
const ROOM = { RELAY_MAX_REQUESTS: "4096", RELAY_MAX_REQUESTS_PER_OPERATION: "4096" };

const wrong = [];
let scenario;
function check(holds, what) {
  if (!holds) wrong.push(`${scenario}: ${what}`);
}

const COLUMNS = [36, 9, 9, 8, 8, 8, 6, 7];
function row(...cells) {
  const padded = cells.map((cell, i) => {
    const text = String(cell);
    return i === 0 ? text.padEnd(COLUMNS[i]) : text.padStart(COLUMNS[i] ?? 0);
  });
  console.log(padded.join(" ").trimEnd());
}

function report(result, relay) {
  const { files, mebibytes } = relay.peaks();
  const answers = Object.entries(result.statuses).map(([status, count]) => `${status}: ${count}`);
  const { answered, perSecond, p50, p99, max } = result;
  row(scenario, answered, Math.round(perSecond), p50, p99, max, mebibytes, files, ` ${answers.join(", ")}`);
  check(result.errors === 0, `${result.errors} connections broke or had no answer`);
  check(relay.isRunning(), "the relay has ended");
  return { ...result, files, mebibytes };
}

/** Nothing but these statuses, and each of them. */
function checkStatuses(result, ...expected) {
  const seen = Object.keys(result.statuses);
  for (const status of seen) check(expected.includes(Number(status)), `answers with ${status}`);
  for (const status of expected) check(seen.includes(String(status)), `no answer with ${status}`);
}

/** What is refused says when to come back. */
function checkRetryAfter(result) {
  const busy = result.statuses[503] ?? 0;
  check(result.withRetryAfter === busy, `${result.withRetryAfter} of ${busy} have Retry-After`);
}

/** Before a Grid of which /auth/sessions misbehaves: a load on that, and beside it some requests that
    have nothing to do with it. */
async function beforeGrid(mode, settings, { amount, seconds }) {
  const grid = await startGrid(mode);
  const limit = { GRID_TIME_LIMIT_SECONDS: String(TIME_LIMIT_SECONDS) };
  const relay = await startRelay(grid.url, customer, { ...limit, ...settings });
  try {
    const [result, beside] = await Promise.all([
      load({ url: relay.url, connections: CONNECTIONS, amount, seconds, requests: [hostile] }),
      load({ url: relay.url, connections: 10, seconds: TIME_LIMIT_SECONDS + 2, requests: [healthy] }),
    ]);
    const reported = report(result, relay);
    if (amount) check(result.answered === amount, `${result.answered} of ${amount} are answered`);
    check(result.max <= TIME_LIMIT_SECONDS * 1000 + PATIENCE_MS, `an answer took ${result.max} ms`);
    check(beside.errors === 0 && beside.answered > 0, "other operations are not answered");
    check(Object.keys(beside.statuses).join() === "200", "other operations are refused");
    // What is left is the connections to Grid that are kept for 30 seconds: those of the clients beside,
    // and some that were opened for requests which then found another.
    if (mode !== "late") {
      const isAtRest = () => relay.files() <= relay.filesAtRest + CONNECTIONS / 2;
      await until("its connections are closed", PATIENCE_MS, isAtRest).catch((error) =>
        check(false, `${error.message}: ${relay.files()} files are open`),
      );
      const open = await grid.open();
      check(open === 0, `${open} connections to Grid stay open`);
    }
    return { ...reported, beside };
  } finally {
    await relay.stop();
    grid.stop();
  }
}

async function slowClients() {
  const grid = await startGrid("stall");
  const relay = await startRelay(grid.url, customer, {});
  try {
    const head = "POST /api/grid/auth/credentials/registration-options HTTP/1.1\r\nHost: localhost\r\n";
    const body = `${head}Origin: http://localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{`;
    const limitMs = SLOW_CLIENT_SECONDS * 1000 + PATIENCE_MS;
    const dawdlers = Array.from({ length: CONNECTIONS }, (_, i) => dawdle(relay.url, i % 2 ? head : body, limitMs));
    const [ended, beside] = await Promise.all([
      Promise.all(dawdlers),
      load({ url: relay.url, connections: 10, seconds: 5, requests: [healthy] }),
    ]);
    const statuses = {};
    for (const { status } of ended) statuses[status] = (statuses[status] ?? 0) + 1;
    const ms = ended.map((one) => one.ms).sort((a, b) => a - b);
    const at = (share) => ms[Math.floor((ms.length - 1) * share)];
    const result = { answered: ended.length, statuses, errors: beside.errors, perSecond: 0 };
    report({ ...result, p50: at(0.5), p99: at(0.99), max: at(1) }, relay);
    check(at(1) < limitMs, `connections are still open after ${limitMs} ms`);
    check(statuses.none === CONNECTIONS / 2, "a head without an end was answered");
    check((statuses[408] ?? 0) + (statuses[503] ?? 0) === CONNECTIONS / 2, "a body without an end was taken");
    check(Object.keys(beside.statuses).join() === "200", "other clients are refused");
  } finally {
    await relay.stop();
    grid.stop();
  }
}

row("", "requests", "each s", "p50 ms", "p99 ms", "max ms", "MiB", "files", " answers");

scenario = "everyday, before the sandbox";
const sandbox = await startSandbox();
const first = await startRelay(sandbox.url, customer, ROOM);
const everydayLoad = await load({ url: first.url, connections: CONNECTIONS, seconds: 15, requests: everyday });
const steady = report(everydayLoad, first);
checkStatuses(steady, 200);
check(steady.mebibytes < 512, `${steady.mebibytes} MiB`);
const lines = first.log().split("\n").filter((line) => line.includes("gridkey_relay::relay: request "));
const form = / INFO gridkey_relay::relay: request operation="[A-Za-z]+" status=\d+ duration_ms=\d+$/;
check(lines.length >= steady.answered, `${lines.length} lines of log`);
check(lines.every((line) => form.test(line)), "a line of the log has something else in it");

scenario = "as much as the relay takes, and more";
const overload = await beforeGrid("late", {}, { seconds: 5 });
checkStatuses(overload, 200, 503);
checkRetryAfter(overload);

scenario = "Grid stalls, there is room";
const stalled = await beforeGrid("stall", ROOM, { amount: CONNECTIONS });
checkStatuses(stalled, 504);
check(stalled.mebibytes < 512, `${stalled.mebibytes} MiB`);

scenario = "Grid stalls";
const bounded = await beforeGrid("stall", {}, { amount: CONNECTIONS });
checkStatuses(bounded, 503, 504);
checkRetryAfter(bounded);

scenario = "Grid hangs up";
checkStatuses(await beforeGrid("cut", ROOM, { amount: 5 * CONNECTIONS }), 502);

scenario = "Grid hangs up within an answer";
checkStatuses(await beforeGrid("half", ROOM, { amount: 5 * CONNECTIONS }), 502);

scenario = "Grid's answers never end";
const flooded = await beforeGrid("flood", {}, { amount: CONNECTIONS });
check(Object.keys(flooded.statuses).every((status) => ["502", "503", "504"].includes(status)), "other answers");
check((flooded.statuses[502] ?? 0) > 0, "none is cut off");
check(flooded.mebibytes < 1024, `${flooded.mebibytes} MiB`);

scenario = "Grid's answers trickle";
checkStatuses(await beforeGrid("trickle", ROOM, { amount: CONNECTIONS }), 504);

scenario = "heads of Grid's answers trickle";
checkStatuses(await beforeGrid("head", ROOM, { amount: CONNECTIONS }), 504);

scenario = "1,000 slow clients";
await slowClients();

// Connections to Grid are kept for 30 seconds, and looked through every 30.
scenario = "a minute after the everyday load";
await until("idle connections are closed", 60_000 + PATIENCE_MS, () => first.files() <= first.filesAtRest + 4).catch(
  (error) => check(false, `${error.message}: ${first.files()} files are open`),
);
row(scenario, "", "", "", "", "", "", first.files(), ` (${first.filesAtRest} before)`);
await first.stop();
sandbox.stop();

if (wrong.length) {
  console.log(`\n${wrong.join("\n")}`);
  process.exit(1);
}
const figure = (number) => Math.round(number).toLocaleString("en-US");
console.log(
  `${figure(CONNECTIONS)} connections: ${figure(steady.perSecond)} requests/s, p50 ${steady.p50} ms, p99 ` +
    `${steady.p99} ms, ${steady.mebibytes} MiB, ${figure(steady.files)} files; Grid stalling: all answered ` +
    `within ${(stalled.max / 1000).toFixed(1)} s (limit ${TIME_LIMIT_SECONDS} s), ${stalled.mebibytes} MiB; ` +
    "0 unanswered, 0 unintended",
);
process.exit(0);
