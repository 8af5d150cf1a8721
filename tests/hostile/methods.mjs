// All that can be called of the package, each with good arguments. The names are held against the
// types and against the member table, so that nothing new goes without hostile company.

import { FLOWS } from "./flows.mjs";
import { OPERATIONS, authSession, gridkey, hex, members, random, testing, textOf } from "./subject.mjs";

const { SealedKeyReceiver, SessionKey, WalletExportKey } = gridkey;

const ACCOUNT = "InternalAccount:1";
const INTENT = { kind: "setEmail", email: "a@b.example" };
const KEY = () => random(32).map((byte, index) => (index === 0 ? byte & 0x7f : byte));
const REGISTRATION = () => ({
  rp: { id: "localhost", name: "Wallet" },
  user: { id: "AQ", name: "a", displayName: "a" },
  excludeCredentials: [{ id: "AdKX" }],
  nickname: "Phone",
  challenge: "AAECAwQFBgcICQoLDA0ODw",
});
const CREDENTIAL = () => ({ authMethodId: "AuthMethod:1", accountId: ACCOUNT });
const CALL = () => ({ signal: new AbortController().signal, timeoutMs: 5000 });

/** One Grid for all of them, that answers as it should until it is told to refuse. */
export class World {
  static async begin() {
    const world = new World();
    world.grid = await testing.createTestGrid();
    world.authenticator = testing.createTestAuthenticator();
    world.passkey = await world.grid.addPasskey({ authenticator: world.authenticator });
    world.email = world.grid.addEmailOtp();
    world.oauth = world.grid.addOAuth();
    world.client = world.makeClient();
    const otp = await world.client.sendOtp({ authMethodId: world.email.id });
    world.otpState = otp.state;
    world.bundle = otp.state.otpEncryptionTargetBundle;
    otp.free();
    world.sealedTo = await world.#sealed();
    return world;
  }

  isRefusing = false;

  makeClient(more) {
    return gridkey.createGridkey({
      transport: (call) => {
        if (!this.isRefusing) return this.grid.transport(call);
        return Promise.resolve({ status: 404, body: { status: 404, code: "NOT_FOUND", message: "m", details: {} } });
      },
      enclave: this.grid.enclave,
      ...more,
    });
  }

  async #sealed() {
    const receiver = SealedKeyReceiver.generate();
    const client = this.makeClient();
    const { publicKey } = receiver;
    const session = await client.signInWithPasskey({ authMethodId: this.passkey.id });
    session.free();
    client.free();
    receiver.free();
    return publicKey;
  }

  /** A session whose key Grid does not know: nothing is lost with it. */
  session() {
    return this.client.adoptSession(authSession({ accountId: this.grid.accountId }), SessionKey.generate());
  }

  /** An object of a class. */
  async make(className) {
    const { client, passkey, email, oauth } = this;
    switch (className) {
      case "SessionKey":
      case "SealedKeyReceiver":
      case "WalletExportKey":
        return gridkey[className].generate();
      case "WalletSession":
        return this.session();
      case "OtpSignIn":
        return client.resumeOtp(this.otpState);
      case "OAuthSignIn":
        return client.prepareOAuth({ authMethodId: oauth.id });
      case "PasskeySignIn":
        return client.preparePasskey({ authMethodId: passkey.id });
      case "PasskeyEnrolment": {
        const otp = await client.sendOtp({ authMethodId: email.id });
        const session = await otp.submit(this.grid.lastCode);
        otp.free();
        const enrolment = await session.preparePasskeyRegistration({ nickname: "Phone" });
        session.free();
        return enrolment;
      }
      default:
        return client;
    }
  }
}

/** Good arguments, by class and name: those of a function of no class by its name alone. */
export const ARGUMENTS = {
  requestPasskey: () => [{ challenge: "ab".repeat(32), credentialId: "AdKX" }, { rpId: "localhost", ...CALL() }],
  createPasskey: () => [REGISTRATION(), { rpId: "localhost", ...CALL() }],
  checkIntent: () => ["{}", INTENT, { now: 1_700_000_000_000 }],
  passkeyChallengeBytes: () => ["ab".repeat(32)],
  oauthNonce: () => [SessionKey.generate().publicKey],
  init: () => [undefined, {}],
  createGridkey: () => [
    {
      baseUrl: "http://localhost:9/",
      headers: { "X-A": "b" },
      fetch: () => Promise.reject(new Error("no network")),
      credentials: "omit",
      timeoutMs: 50,
      sessionKeys: "sealed",
      passkey: { rpId: "localhost", rpName: "Wallet" },
      enclave: { dangerouslyTrust: { otp: SessionKey.generate().publicKeyUncompressed, export: "unsigned-sandbox" } },
      organizations: { [ACCOUNT]: "org" },
      onRequest() {},
    },
  ],
  isSupported: () => [],
  capabilities: () => [],
  isGridkeyError: () => [new Error("x")],

  "SessionKey.generate": () => [],
  "SessionKey.dangerouslyFromPrivateKey": () => [KEY()],
  "SessionKey.stamp": () => ["{}", INTENT],
  "SessionKey.dangerouslyStampUnchecked": () => ["{}"],
  "SessionKey.sealOtpCode": ({ bundle, grid }) => [bundle, "123456", { publicKeyEncoding: "compressed", enclaveKey: grid.enclave.dangerouslyTrust.otp }],
  "SessionKey.dangerouslyExportPrivateKey": () => [],
  "SealedKeyReceiver.generate": () => [],
  "SealedKeyReceiver.dangerouslyFromPrivateKey": () => [KEY()],
  "SealedKeyReceiver.open": () => ["z".repeat(100)],
  "WalletExportKey.generate": () => [],
  "WalletExportKey.dangerouslyFromPrivateKey": () => [KEY()],
  "WalletExportKey.open": ({ bundle, grid }) => [bundle, { organizationId: "org", enclaveKey: grid.enclave.dangerouslyTrust.export }],

  "PasskeySignIn.confirm": () => [CALL()],
  "PasskeySignIn.cancel": () => [],
  "OtpSignIn.submit": () => ["999999", CALL()],
  "OtpSignIn.resend": () => [CALL()],
  "OAuthSignIn.submit": () => ["a.b.c", CALL()],
  "PasskeyEnrolment.confirm": () => [CALL()],
  "PasskeyEnrolment.cancel": () => [],

  "WalletSession.preparePasskeyRegistration": () => [{ nickname: "Phone", userName: "a", userDisplayName: "a", ...CALL() }],
  "WalletSession.addPasskey": () => [REGISTRATION(), CALL()],
  "WalletSession.addOAuth": () => [{ idToken: "a.b.c", clientId: "client-1", ...CALL() }],
  "WalletSession.addEmailOtp": () => [{ email: "a@b.example", ...CALL() }],
  "WalletSession.addSmsOtp": () => [{ phoneNumber: "+14155550123", ...CALL() }],
  "WalletSession.revokeAuthMethod": () => ["AuthMethod:1", { intent: () => ({ kind: "revokePasskey" }), ...CALL() }],
  "WalletSession.updateEmail": () => [{ customerId: "Customer:1", email: "a@b.example", customerType: "BUSINESS", ...CALL() }],
  "WalletSession.updatePhoneNumber": () => [{ customerId: "Customer:1", phoneNumber: "+14155550123", customerType: "BUSINESS", ...CALL() }],
  "WalletSession.updatePrivacy": () => [{ privateEnabled: true, allowBlindSigning: true, ...CALL() }],
  "WalletSession.exportMnemonic": () => [{ organizationId: "org", ...CALL() }],
  "WalletSession.executeQuote": () => [{ id: "Quote:1", status: "PENDING" }, { allowBlindSigning: true, scaFactor: "PASSKEY", idempotencyKey: "1", signWith: "sp1", ...CALL() }],
  "WalletSession.createDelegatedKey": () => [{ cardId: "Card:1", nickname: "Card", intent: () => INTENT, ...CALL() }],
  "WalletSession.stamp": () => ["{}", INTENT],
  "WalletSession.signedRequest": () => [{ method: "POST", path: "/x", body: { a: [1, "b", { c: null }] }, intent: INTENT, ...CALL() }],
  "WalletSession.refresh": () => [{ revokeOld: true, ...CALL() }],
  "WalletSession.signOut": () => [CALL()],
  "WalletSession.revokeSession": () => ["Session:1", CALL()],

  "Gridkey.listAuthMethods": () => [{ accountId: ACCOUNT, ...CALL() }],
  "Gridkey.preparePasskey": () => [{ ...CREDENTIAL(), ...CALL() }],
  "Gridkey.signInWithPasskey": () => [{ ...CREDENTIAL(), ...CALL() }],
  "Gridkey.sendOtp": () => [{ ...CREDENTIAL(), ...CALL() }],
  "Gridkey.resumeOtp": ({ otpState }) => [{ ...otpState }],
  "Gridkey.prepareOAuth": () => [{ ...CREDENTIAL(), clientId: "client-1", redirect: false, ...CALL() }],
  "Gridkey.resumeOAuth": () => [{ ...CREDENTIAL(), clientPublicKey: `02${hex(random(32))}`, clientId: "client-1" }],
  "Gridkey.forgetOrganization": () => [ACCOUNT],
  "Gridkey.adoptSession": () => [authSession({ credentialId: "AdKX" }), SessionKey.generate()],
  "Gridkey.subscribe": () => [() => {}],
};

const BODY = () => ({ type: "EMAIL_OTP", accountId: ACCOUNT, nickname: "a", source: { a: [1, true, null] } });
for (const [operation, row] of Object.entries(OPERATIONS)) {
  ARGUMENTS[`api.${operation}`] = () => [
    ...row.split(" ").map((parameter) => (/^(body|query)/.test(parameter) ? BODY() : "X:1")),
    { ...CALL(), stamp: "c3RhbXA", requestId: "Request:1", idempotencyKey: "1" },
  ];
}

/** Whose methods give promises that reject; the others throw. */
export const CLASSES = ["SessionKey", "SealedKeyReceiver", "WalletExportKey", "PasskeySignIn", "OtpSignIn", "OAuthSignIn", "PasskeyEnrolment", "WalletSession"];

/** Calls something by its name, of an object where it is a method. */
export async function callByName(world, name, args, object) {
  const [className, method] = name.includes(".") ? name.split(".") : [undefined, name];
  if (!className) return gridkey[method](...args);
  if (className === "api") return world.client.api[method](...args);
  const target = method === "generate" || method === "dangerouslyFromPrivateKey" ? gridkey[className] : (object ?? (await world.make(className)));
  return target[method](...args);
}

/** What can be called, by the types that are published, and by the table behind them. */
export async function published() {
  const types = `${await textOf("pkg/wasm/gridkey.d.ts")}\n${await textOf("pkg/index.d.ts")}`;
  const names = new Set([...types.matchAll(/^export function (\w+)\(/gm)].map(([, name]) => name));
  for (const [, className, body] of types.matchAll(/^export class (\w+)(?: extends \w+)? \{\n([^]*?)\n\}/gm)) {
    for (const [, method] of body.matchAll(/^ +(?:static )?(\w+)\(/gm)) {
      if (method !== "constructor" && method !== "free") names.add(`${className}.${method}`);
    }
    for (const [, method] of body.matchAll(/^ +readonly (\w+): \(/gm)) names.add(`${className}.${method}`);
  }
  for (const operation of Object.keys(OPERATIONS)) names.add(`api.${operation}`);
  return names;
}

export function inTable() {
  const names = new Set();
  for (const [className, { promises = {}, methods = {} }] of Object.entries(members())) {
    for (const name of [...Object.keys(promises), ...Object.keys(methods)]) {
      if (name === "operation" || name === "GridkeyClient.create") continue;
      names.add(className ? `${className === "GridkeyClient" ? "Gridkey" : className}.${name}` : name);
    }
  }
  return names;
}

export const getters = () => Object.entries(members()).flatMap(([className, { getters = {}, known = [] }]) => [...Object.keys(getters), ...known].map((name) => [className, name]));

/** The flows that take or make secrets. */
export const flowNames = Object.keys(FLOWS);
