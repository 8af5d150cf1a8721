// gridkey/testing beside the sandbox: the same requests get answers of the same form from both, and
// are refused for the same reasons. And gridkey/testing in a browser, where tests may run as well.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import test from "node:test";

import { SessionKey, createGridkey, init } from "../../pkg/node.js";
import { createTestAuthenticator, createTestGrid } from "../../pkg/testing/index.js";
import { launch } from "./browser.mjs";
import * as sandbox from "./sandbox.mjs";

const CLIENT_ID = "gridkey-demo";

/** Each answer's form, in the order of the requests. */
function recorded(transport) {
  const exchanges = [];
  return {
    exchanges,
    async transport(call) {
      const reply = await transport(call);
      exchanges.push({ operation: call.operation, isSigned: call.stamp !== undefined, status: reply.status, body: form(reply.body) });
      return reply;
    },
  };
}

const decoded = {
  payloadToSign: (text) => (text.startsWith("{") ? JSON.parse(text) : text.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")))),
  otpEncryptionTargetBundle: enclosed,
  encryptedWalletCredentials: enclosed,
};

function enclosed(text) {
  const { data, ...envelope } = JSON.parse(text);
  return { ...envelope, data: JSON.parse(Buffer.from(data, "hex")) };
}

/** What does not differ from wallet to wallet. */
const SAME = ["type", "status", "code", "reason", "version", "alg", "typ", "verification_type"];
const DEVICE_CODE = /^GRID-AGENT-/;

function form(value, name) {
  if (SAME.includes(name) && !DEVICE_CODE.test(value)) return value;
  if (name in decoded) return form(decoded[name](value), undefined);
  if (Array.isArray(value)) return value.map((item) => form(item));
  if (value === null || typeof value !== "object") return typeof value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([member, item]) => [member, form(item, member)]));
}

async function relayed({ method, path, body, stamp, requestId, signal }) {
  const headers = { origin: sandbox.DEMO_URL.origin };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (stamp) headers["grid-wallet-signature"] = stamp;
  if (requestId) headers["request-id"] = requestId;
  const response = await fetch(new URL(`api/grid${path}`, sandbox.DEMO_URL), { method, headers, body, signal });
  const text = await response.text();
  return { status: response.status, body: text && JSON.parse(text) };
}

/** A login page and a settings page, used up and down. */
async function everything({ gridkey, accountId, agentId, organizationId, code, idToken }) {
  const reasons = [];
  const fails = async (run) => {
    const { code, reason } = await run.then(() => assert.fail("was not refused"), (error) => error);
    reasons.push([code, reason]);
  };
  const [email] = await gridkey.listAuthMethods({ accountId });

  const otp = await gridkey.sendOtp({ authMethodId: email.id });
  await fails(otp.submit("999999"));
  const state = otp.state;
  await otp.resend();
  await fails(gridkey.resumeOtp(state).then((old) => old.submit(code())));
  const session = await otp.submit(code());
  await fails(otp.submit(code()));

  const enrolment = await session.preparePasskeyRegistration({ nickname: "Phone" });
  const passkey = await enrolment.confirm();
  enrolment.free();
  const prepared = await gridkey.preparePasskey({ authMethodId: passkey.id });
  const byPasskey = await prepared.confirm();
  prepared.free();
  await byPasskey.refresh();

  const idTokenToAdd = await idToken();
  const provider = await session.addOAuth({ idToken: idTokenToAdd, clientId: CLIENT_ID });
  const signIn = await gridkey.prepareOAuth({ authMethodId: provider.id, clientId: CLIENT_ID });
  const byProvider = await signIn.submit(await idToken(signIn.nonce));
  await fails(gridkey.api.verifyAuthCredential(provider.id, { type: "OAUTH", oidcToken: idTokenToAdd, clientPublicKey: SessionKey.generate().publicKey }));
  await fails(gridkey.api.challengeAuthCredential(provider.id));

  const { phoneNumber } = sandboxContacts;
  const sms = await session.addSmsOtp({ phoneNumber });
  const bySms = await sms.submit(code());
  await fails(session.addSmsOtp({ phoneNumber }));
  await gridkey.listAuthMethods({ accountId });
  await gridkey.api.listAuthSessions({ accountId });

  // The two legs, as nobody should send them.
  const clientPublicKey = SessionKey.generate().publicKey;
  const first = async () => (await gridkey.api.refreshAuthSession(session.id, { clientPublicKey })).challenge;
  const second = (stamp, { requestId }, key = clientPublicKey) => gridkey.api.refreshAuthSession(session.id, { clientPublicKey: key }, { stamp, requestId });
  const by = (signer, { payloadToSign }) => signer.stamp(payloadToSign, { kind: "refreshSession", clientPublicKey });
  let challenge = await first();
  await fails(second(await SessionKey.generate().dangerouslyStampUnchecked(challenge.payloadToSign), challenge));
  await fails(second(await by(session, challenge), challenge));
  challenge = await first();
  await fails(second(await by(bySms, challenge), challenge));
  challenge = await first();
  await fails(second(await by(session, challenge), challenge, SessionKey.generate().publicKey));
  challenge = await first();
  const otherKey = SessionKey.generate().publicKey;
  const other = (await gridkey.api.refreshAuthSession(session.id, { clientPublicKey: otherKey })).challenge;
  await fails(second(await session.stamp(other.payloadToSign, { kind: "refreshSession", clientPublicKey: otherKey }), challenge));
  await fails(second("e30", await first()));
  await fails(second(await by(session, challenge), { requestId: "Request:none" }));
  await fails(gridkey.api.verifyAuthCredential(email.id, { type: "SMS_OTP", encryptedOtpBundle: "{}" }));

  await session.exportMnemonic({ organizationId });
  await session.revokeSession(byProvider.id);
  await byPasskey.signOut();
  await fails(gridkey.api.revokeAuthSession(byPasskey.id));
  await session.revokeAuthMethod(provider.id);
  await session.revokeAuthMethod(passkey.id);
  await gridkey.listAuthMethods({ accountId });
  await gridkey.api.listAuthSessions({ accountId });
  const { deviceCode } = await gridkey.api.regenerateAgentDeviceCode(agentId);
  await gridkey.api.getAgentDeviceCodeStatus(deviceCode.code);
  return reasons;
}

let sandboxContacts;

for (const sessionKeys of ["sealed", "client-held"]) {
  test(`the test Grid answers as the sandbox does (${sessionKeys})`, async () => {
    await init();
    await sandbox.reset();
    sandboxContacts = await sandbox.customer();
    const config = await (await fetch(new URL("config.json", sandbox.DEMO_URL))).json();
    const authenticator = createTestAuthenticator({ origin: sandbox.DEMO_URL.origin });
    try {
      const one = recorded(relayed);
      const ofSandbox = await everything({
        ...config,
        gridkey: createGridkey({ transport: one.transport, enclave: config.enclave, sessionKeys }),
        code: () => "000000",
        idToken: (nonce) => sandbox.idToken("ada", CLIENT_ID, nonce),
      });
      const grid = await createTestGrid({ email: sandboxContacts.email, phoneNumber: sandboxContacts.phoneNumber });
      grid.addEmailOtp();
      const other = recorded(grid.transport);
      const ofTestGrid = await everything({
        accountId: grid.accountId,
        agentId: grid.agentId,
        organizationId: grid.organizationId,
        gridkey: createGridkey({ transport: other.transport, enclave: grid.enclave, sessionKeys }),
        code: () => grid.lastCode,
        idToken: (nonce) => grid.idToken({ clientId: CLIENT_ID, nonce }),
      });
      assert.deepEqual(ofTestGrid, ofSandbox);
      assert.ok(one.exchanges.length > 50);
      for (const [at, exchange] of one.exchanges.entries()) assert.deepEqual(other.exchanges[at], exchange, `request ${at}`);
      assert.equal(other.exchanges.length, one.exchanges.length);
    } finally {
      authenticator.restore();
    }
  });
}

test("it works in a browser, and takes only what it gave", async () => {
  const PACKAGE = new URL("../../pkg/", import.meta.url);
  const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };
  const server = createServer(async ({ url }, response) => {
    const file = url.startsWith("/pkg/") && (await readFile(new URL(url.slice("/pkg/".length), PACKAGE)).catch(() => undefined));
    response.writeHead(file || url === "/" ? 200 : 404, { "content-type": TYPES[extname(url)] ?? "text/html" }).end(file || "<!doctype html><title>Tests</title>");
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${server.address().port}/`);
    const outcome = await page.evaluate(async () => {
      const { createGridkey } = await import("/pkg/index.js");
      const { createTestAuthenticator, createTestClock, createTestGrid } = await import("/pkg/testing/index.js");
      const real = [navigator.credentials, PublicKeyCredential, Date, setTimeout, clearInterval];
      const authenticator = createTestAuthenticator();
      const clock = createTestClock();
      const grid = await createTestGrid();
      const passkey = await grid.addPasskey({ authenticator });
      const email = grid.addEmailOtp();
      const gridkey = createGridkey({ transport: grid.transport, enclave: grid.enclave });
      const session = await gridkey.signInWithPasskey({ authMethodId: passkey.id });
      await session.refresh();
      const otp = await gridkey.sendOtp({ authMethodId: email.id });
      const wrong = await otp.submit("999999").catch(({ code }) => code);
      const byCode = await otp.submit(grid.lastCode);
      await clock.advance(15 * 60_000);
      const isActive = [session.isActive, byCode.isActive];
      clock.restore();
      authenticator.restore();
      const now = [navigator.credentials, PublicKeyCredential, Date, setTimeout, clearInterval];
      return { wrong, isActive, sessions: grid.sessions.map(({ type, sealed }) => [type, sealed]), isRestored: now.every((value, at) => value === real[at]) };
    });
    assert.deepEqual(outcome, {
      wrong: "otp_rejected",
      isActive: [false, false],
      sessions: [["PASSKEY", true], ["PASSKEY", true], ["EMAIL_OTP", false]],
      isRestored: true,
    });
  } finally {
    await browser.close();
    server.close();
  }
});
