// Everything that takes or makes a secret together with a Grid. A flow arms the fault, if there is
// to be one, when what it needs is there.

import { gridkey } from "./subject.mjs";
import { outcome } from "./cases.mjs";

const WRONG = "Q7ZK3XW9PLM2VB8T";

async function signedIn(run) {
  const [method] = run.grid.authMethods.length ? run.grid.authMethods : [run.grid.addEmailOtp()];
  const otp = run.hold(await run.client.sendOtp({ authMethodId: method.id }));
  return run.hold(await otp.submit(run.grid.lastCode));
}

async function idToken(run, claims) {
  const token = await run.grid.idToken({ clientId: "client-1", ...claims });
  // Its head may be anybody's.
  run.secret("token", token.slice(60));
  return token;
}

export const FLOWS = {
  "a one-time code": async (run) => {
    const { id } = run.grid.addEmailOtp();
    run.arm();
    const otp = run.hold(await run.client.sendOtp({ authMethodId: id, ...run.call }));
    run.secret("wrong code", WRONG);
    const wrong = await outcome(() => otp.submit(WRONG, run.call));
    if (run.fault && wrong.error.code !== "otp_rejected") throw wrong.error;
    await otp.resend(run.call);
    const resumed = run.hold(await run.client.resumeOtp(otp.state));
    run.hold(await resumed.submit(run.grid.lastCode, run.call));
  },
  "a passkey, prepared": async (run) => {
    const { id } = await run.grid.addPasskey({ authenticator: run.authenticator });
    run.arm();
    const signIn = run.hold(await run.client.preparePasskey({ authMethodId: id, ...run.call }));
    run.hold(await signIn.confirm(run.call));
  },
  "a passkey at once": async (run) => {
    const { id } = await run.grid.addPasskey({ authenticator: run.authenticator });
    run.arm();
    run.hold(await run.client.signInWithPasskey({ authMethodId: id, ...run.call }));
  },
  "an identity provider": async (run) => {
    const { id } = run.grid.addOAuth();
    run.arm();
    const signIn = run.hold(await run.client.prepareOAuth({ authMethodId: id, clientId: "client-1", ...run.call }));
    const token = await idToken(run, { nonce: signIn.nonce });
    const wrong = await outcome(async () => signIn.submit(await idToken(run, { nonce: "0".repeat(64) }), run.call));
    if (wrong.error.code !== "oauth_rejected") throw wrong.error;
    run.hold(await signIn.submit(token, run.call));
  },
  "a refresh": async (run) => {
    const session = await signedIn(run);
    run.arm();
    await session.refresh(run.call);
    await session.stamp(refreshPayload(run), { kind: "revokeSession" }).catch(() => {});
  },
  "a wallet's export": async (run) => {
    const session = await signedIn(run);
    run.arm();
    const mnemonic = await session.exportMnemonic({ organizationId: run.grid.organizationId, ...run.call });
    run.mnemonic = new TextDecoder().decode(mnemonic);
  },
  "a token that is added": async (run) => {
    const session = await signedIn(run);
    const token = await idToken(run);
    run.arm();
    await session.addOAuth({ idToken: token, clientId: "client-1", ...run.call });
  },
  "a phone number that is added": async (run) => {
    const session = await signedIn(run);
    run.arm();
    const otp = run.hold(await session.addSmsOtp({ phoneNumber: "+14155550123", ...run.call }));
    run.hold(await otp.submit(run.grid.lastCode, run.call));
  },
  "a passkey that is added": async (run) => {
    const session = await signedIn(run);
    run.arm();
    const enrolment = run.hold(await session.preparePasskeyRegistration({ nickname: "Phone", ...run.call }));
    const { id } = await enrolment.confirm(run.call);
    await session.revokeAuthMethod(id, run.call);
  },
  "a sign-out": async (run) => {
    const session = await signedIn(run);
    run.arm();
    await session.revokeSession(session.id, run.call).catch((error) => {
      if (run.fault) throw error;
    });
    await session.signOut(run.call);
  },
  "a session that is adopted": async (run) => {
    const session = await signedIn(run);
    const key = gridkey.SessionKey.generate();
    const { id, accountId, type, nickname, createdAt, expiresAt } = session;
    const facts = { id, accountId, type, nickname, createdAt: createdAt.toISOString(), updatedAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() };
    const adopted = run.hold(run.client.adoptSession(facts, key));
    run.arm();
    // Grid does not know this key.
    const { error } = await outcome(() => adopted.refresh(run.call));
    if (run.fault) throw error;
  },
};

const refreshPayload = (run) =>
  JSON.stringify({
    organizationId: run.grid.organizationId,
    parameters: { apiKeyIds: ["1"], userId: "2" },
    timestampMs: String(Date.now()),
    type: "ACTIVITY_TYPE_DELETE_API_KEYS",
  });
