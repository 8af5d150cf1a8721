#!/usr/bin/env node
// Regenerates an agent's device code and prints it. For the platform's own machines: it uses the
// platform's credentials, which must never reach a browser.

import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";

import { createGridkey, isGridkeyError } from "gridkey";

const USAGE = `usage: device-code [--json] [--timeout <seconds>] <agent-id>

Regenerates the device code of an agent and prints it. Codes that were issued before it can no
longer be redeemed. With - the agent's id is read from standard input.

  --json                the whole answer instead of the code
  --timeout <seconds>   how long to wait for Grid; 30 unless given
  --help                this text

environment
  GRID_CLIENT_ID, GRID_CLIENT_SECRET   the platform's credentials
  GRID_BASE_URL                        https://api.lightspark.com/grid/2025-10-13 unless given

exit status
  0 a code was printed    1 Grid refused    2 wrong usage    75 try again later    130 interrupted
`;
const GRID = "https://api.lightspark.com/grid/2025-10-13";

/** What was typed, or left out, cannot be right. */
class UsageError extends Error {}

/** @returns {Promise<number>} the exit status */
async function main() {
  /** @type {Awaited<ReturnType<typeof settings>>} */
  let given;
  try {
    given = await settings();
  } catch (error) {
    // parseArgs says what is wrong with an argument by a TypeError.
    if (!(error instanceof UsageError || error instanceof TypeError)) throw error;
    process.stderr.write(`device-code: ${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (given === "help") {
    process.stdout.write(USAGE);
    return 0;
  }

  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  const { agentId, baseUrl, credentials, timeoutMs, json } = given;
  const authorization = `Basic ${Buffer.from(credentials.join(":")).toString("base64")}`;
  const gridkey = createGridkey({ baseUrl, headers: { authorization }, timeoutMs });
  try {
    const { deviceCode } = await gridkey.api.regenerateAgentDeviceCode(agentId, { signal: interrupted.signal });
    // The code alone on standard output, so that it can be piped; what it is on the other.
    process.stdout.write(`${json ? JSON.stringify(deviceCode) : deviceCode.code}\n`);
    if (!json) process.stderr.write(`for ${deviceCode.agentId}, until ${deviceCode.expiresAt}\n`);
    return 0;
  } catch (error) {
    if (!isGridkeyError(error)) throw error;
    if (error.code === "aborted") return 130;
    process.stderr.write(`device-code: ${error.message}\n`);
    if (error.recovery === "wait") return 75;
    if (error.recovery !== "retry") return 1;
    // The answer got lost; the question perhaps not.
    process.stderr.write("A code may have been issued all the same: the next run replaces it.\n");
    return 75;
  } finally {
    gridkey.free();
  }
}

async function settings() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean" }, timeout: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help) return "help";
  const [argument, ...more] = positionals;
  if (argument === undefined || more.length > 0) throw new UsageError("one agent's id is needed");
  const timeoutMs = Number(values.timeout ?? 30) * 1000;
  if (!(timeoutMs > 0)) throw new UsageError("--timeout takes a number of seconds");
  const agentId = argument === "-" ? (await text(process.stdin)).trim() : argument;
  if (agentId === "") throw new UsageError("standard input has no agent's id");
  return {
    agentId,
    timeoutMs,
    json: values.json ?? false,
    baseUrl: process.env["GRID_BASE_URL"] ?? GRID,
    credentials: [variable("GRID_CLIENT_ID"), variable("GRID_CLIENT_SECRET")],
  };
}

/** @param {string} name */
function variable(name) {
  const value = process.env[name];
  if (!value) throw new UsageError(`${name} is not set`);
  return value;
}

process.exitCode = await main();
