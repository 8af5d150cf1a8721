// The command as somebody types it, against a Grid over HTTP.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import test, { beforeEach } from "node:test";
import { fileURLToPath } from "node:url";

import * as sandbox from "../e2e/sandbox.mjs";

const COMMAND = fileURLToPath(new URL("../../examples/device-code/device-code.mjs", import.meta.url));
const SECRET = "sandbox-client-secret";
const ENVIRONMENT = {
  GRID_BASE_URL: new URL("grid", sandbox.DEMO_URL).href,
  GRID_CLIENT_ID: "sandbox-client-id",
  GRID_CLIENT_SECRET: SECRET,
};

beforeEach(sandbox.reset);

/** Types it, and says what it printed and how it ended. No secret is in anything that it prints. */
async function run(args, { environment, input = "", started } = {}) {
  const env = { PATH: process.env.PATH, ...ENVIRONMENT, ...environment };
  const child = spawn(process.execPath, [COMMAND, ...args], { env });
  child.stdin.end(input);
  const printed = Promise.all([text(child.stdout), text(child.stderr)]);
  await started?.(child);
  const [status] = await once(child, "close");
  const [out, err] = await printed;
  assert.ok(!`${out}${err}`.includes(SECRET));
  return { status, out, err };
}

/** A server on loopback while `use` runs; `answer` gets each request and its response. */
async function serving(answer, use) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const agentId = async () => (await sandbox.customer()).agentId;

test("it prints the code and nothing else, and the code is the agent's", async () => {
  const id = await agentId();
  const { status, out, err } = await run([id]);
  assert.equal(status, 0, err);
  assert.match(out, /^\S+\n$/);
  assert.match(err, new RegExp(`^for ${id}, until \\d{4}-`));
  assert.equal(await sandbox.redeem(out.trim()), 200);
});

test("a code that was issued before is no longer good", async () => {
  const [first, second] = [await run([await agentId()]), await run([await agentId()])];
  assert.notEqual(first.out, second.out);
  assert.equal(await sandbox.redeem(first.out.trim()), 404);
  assert.equal(await sandbox.redeem(second.out.trim()), 200);
});

test("it reads the id from standard input, and prints the whole answer where it is asked for", async () => {
  const id = await agentId();
  const { status, out, err } = await run(["--json", "-"], { input: `${id}\n` });
  assert.equal(status, 0, err);
  const { agentId: named, code, redeemed } = JSON.parse(out);
  assert.deepEqual({ named, redeemed }, { named: id, redeemed: false });
  assert.equal(await sandbox.redeem(code), 200);
  assert.equal(err, "");
});

test("wrong usage says so, with the usage, before anything is sent", async () => {
  const id = await agentId();
  for (const [args, environment, input] of [
    [[]],
    [[id, id]],
    [["--timeout", "soon", id]],
    [["--timeout=-1", id]],
    [["--force", id]],
    [["-"], {}, "\n"],
    [[id], { GRID_CLIENT_SECRET: "" }],
  ]) {
    const { status, out, err } = await run(args, { environment, input });
    assert.equal(status, 2, args.join(" "));
    assert.equal(out, "");
    assert.match(err, /^device-code: [^]+\n\nusage: /);
  }
  assert.equal(await sandbox.requestsFor("regenerateAgentDeviceCode"), 0);
  const { status, out, err } = await run(["--help"], { environment: { GRID_CLIENT_ID: "" } });
  assert.deepEqual([status, err], [0, ""]);
  assert.match(out, /^usage: /);
});

test("what Grid refuses is told, and trying again is not suggested", async () => {
  const id = await agentId();
  const unknown = await run(["Agent:nobody"]);
  assert.deepEqual([unknown.status, unknown.out], [1, ""]);
  assert.match(unknown.err, /does not know this id/);

  const wrong = await run([id], { environment: { GRID_CLIENT_SECRET: "wrong" } });
  assert.deepEqual([wrong.status, wrong.out], [1, ""]);

  const { out: code } = await run([id]);
  assert.equal(await sandbox.redeem(code.trim()), 200);
  const connected = await run([id]);
  assert.deepEqual([connected.status, connected.out], [1, ""]);
  assert.match(connected.err, /already connected/);
});

test("where Grid is away or slow it ends in time, and says that another run may help", async () => {
  const id = await agentId();
  const away = await serving(() => {}, (url) => url);
  const { status, err } = await run([id], { environment: { GRID_BASE_URL: away } });
  assert.equal(status, 75, err);

  await serving(() => {}, async (silent) => {
    const began = Date.now();
    const slow = await run(["--timeout", "0.5", id], { environment: { GRID_BASE_URL: silent } });
    assert.deepEqual([slow.status, slow.out], [75, ""], slow.err);
    assert.match(slow.err, /may have been issued all the same/);
    assert.ok(Date.now() - began < 10_000);
  });
});

test("Ctrl-C ends it at once, and the request with it", async () => {
  const id = await agentId();
  let dropped;
  await serving(
    (request) => (dropped = once(request.socket, "close")),
    async (silent) => {
      const arrived = async (child) => {
        while (dropped === undefined) await new Promise((later) => setTimeout(later, 20));
        child.kill("SIGINT");
      };
      const { status, out, err } = await run([id], { environment: { GRID_BASE_URL: silent }, started: arrived });
      assert.deepEqual([status, out, err], [130, "", ""]);
      await dropped;
    },
  );
});
