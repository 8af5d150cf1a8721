import { createGridkey } from "gridkey";
import { createTestAuthenticator, createTestGrid } from "gridkey/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { signIn } from "./login.js";

test("whoever closes the passkey prompt signs in by a code", async () => {
  const authenticator = createTestAuthenticator();
  onTestFinished(authenticator.restore);
  const grid = await createTestGrid();
  await grid.addPasskey({ authenticator });
  grid.addEmailOtp();
  const gridkey = createGridkey({ transport: grid.transport, enclave: grid.enclave });

  authenticator.cancelNext();
  const codes = [() => "999999", () => grid.lastCode];
  const say = vi.fn();
  const session = await signIn(gridkey, grid.accountId, { askForCode: () => codes.shift()(), say });

  expect(session.type).toBe("EMAIL_OTP");
  expect(say.mock.calls).toEqual([["No passkey? We have sent you a code."], ["That was not the code."]]);
  expect(grid.sessions).toMatchObject([{ id: session.id, active: true }]);
});

test("whoever has a passkey is asked for nothing else", async () => {
  const authenticator = createTestAuthenticator();
  onTestFinished(authenticator.restore);
  const grid = await createTestGrid();
  await grid.addPasskey({ authenticator });
  const gridkey = createGridkey({ transport: grid.transport, enclave: grid.enclave, sessionKeys: "client-held" });

  const session = await signIn(gridkey, grid.accountId, {});

  expect(authenticator.prompts).toEqual({ create: 0, get: 1 });
  expect(gridkey.state).toMatchObject({ status: "signedIn", session: { id: session.id } });
  expect(await session.signOut()).toEqual({ revokedAtGrid: true });
  expect(grid.sessions[0].active).toBe(false);
});

test("a platform that forgot its user is told to sign in there", async () => {
  const grid = await createTestGrid();
  const gridkey = createGridkey({ transport: grid.transport });
  grid.failNext("listAuthCredentials", { status: 401 });
  await expect(signIn(gridkey, grid.accountId, {})).rejects.toMatchObject({ code: "signed_out_of_platform" });
});
