const { createGridkey } = require("gridkey");
const { createTestAuthenticator, createTestGrid } = require("gridkey/testing");
const { signIn } = require("./login.js");

let authenticator;
beforeEach(() => void (authenticator = createTestAuthenticator()));
afterEach(() => authenticator.restore());

test("whoever closes the passkey prompt signs in by a code", async () => {
  const grid = await createTestGrid();
  await grid.addPasskey({ authenticator });
  grid.addEmailOtp();
  const gridkey = createGridkey({ transport: grid.transport, enclave: grid.enclave });

  authenticator.cancelNext();
  const codes = [() => "999999", () => grid.lastCode];
  const say = jest.fn();
  const session = await signIn(gridkey, grid.accountId, { askForCode: () => codes.shift()(), say });

  expect(session.type).toBe("EMAIL_OTP");
  expect(say.mock.calls).toEqual([["No passkey? We have sent you a code."], ["That was not the code."]]);
  expect(grid.sessions).toMatchObject([{ id: session.id, active: true }]);
});

test("whoever has a passkey is asked for nothing else", async () => {
  const grid = await createTestGrid();
  await grid.addPasskey({ authenticator });
  const gridkey = createGridkey({ transport: grid.transport, enclave: grid.enclave, sessionKeys: "client-held" });

  const session = await signIn(gridkey, grid.accountId, {});

  expect(authenticator.prompts).toEqual({ create: 0, get: 1 });
  expect(gridkey.state).toMatchObject({ status: "signedIn", session: { id: session.id } });
  expect(await session.signOut()).toEqual({ revokedAtGrid: true });
  expect(grid.sessions[0].active).toBe(false);
});
