// What the tests have the page do, by name. A driver's own scripts may run beside the page's, with
// other classes and under no policy, so they do no more than call these.

import * as gridkey from "/pkg/index.js";

const { OAuthSignIn, SealedKeyReceiver, SessionKey, WalletExportKey, capabilities, createGridkey, init, isSupported, requestPasskey } = gridkey;

const CHALLENGE = "0123456789abcdef".repeat(4);

const config = async () => (await fetch("/config.json")).json();

/** A client of the relay, and the account whose wallet it unlocks. */
async function platform(options) {
  const { accountId, enclave } = await config();
  return { accountId, client: createGridkey({ baseUrl: "/api/grid", enclave, ...options }) };
}

/** Has the sandbox send its code. */
async function sendCode(client, accountId) {
  const methods = await client.listAuthMethods({ accountId });
  return client.sendOtp({ authMethodId: methods.find(({ type }) => type === "EMAIL_OTP").id, accountId });
}

const signInByCode = async (client, accountId) => (await sendCode(client, accountId)).submit("000000");

/** Code and reason of what is thrown; "none" if nothing is. */
const failure = (work) =>
  new Promise((resolve) => resolve(typeof work === "function" ? work() : work)).then(
    () => "none",
    ({ code, reason }) => (reason ? `${code}: ${reason}` : code),
  );

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const SCENARIOS = {
  async load() {
    const before = await failure(() => SessionKey.generate());
    const supported = isSupported();
    await init();
    return { before, supported, publicKey: SessionKey.generate().publicKey };
  },

  async fail() {
    const { code, message } = await init().catch((error) => error);
    return { supported: isSupported(), code, message };
  },

  async capabilities() {
    const found = await capabilities();
    const databases = (await indexedDB.databases()).map(({ name }) => name);
    return { found, databases: databases.filter((name) => name.startsWith("gridkey-trial")) };
  },

  async stamps(privateKey, payloads) {
    await init();
    const key = SessionKey.dangerouslyFromPrivateKey(Uint8Array.from(privateKey));
    return Promise.all(payloads.map((payload) => key.dangerouslyStampUnchecked(payload)));
  },

  async newKey(payload) {
    await init();
    const key = SessionKey.generate();
    return { publicKey: key.publicKey, stamp: await key.dangerouslyStampUnchecked(payload) };
  },

  async openSessionKeys(sealed) {
    await init();
    return sealed.map(([privateKey, bundle]) => SealedKeyReceiver.dangerouslyFromPrivateKey(Uint8Array.from(privateKey)).open(bundle).publicKey);
  },

  async openWallet(privateKey, bundle, organizationId) {
    await init();
    const key = WalletExportKey.dangerouslyFromPrivateKey(Uint8Array.from(privateKey));
    return new TextDecoder().decode(key.open(bundle, { organizationId }));
  },

  async session(sessionKeys) {
    const { client, accountId } = await platform({ sessionKeys });
    const states = [];
    client.subscribe(() => states.push(client.state.status));
    const session = await signInByCode(client, accountId);
    const first = session.publicKey;
    await session.refresh();
    const second = session.publicKey;
    const { sessions } = await client.api.listAuthSessions({ accountId });
    const { revokedAtGrid } = await session.signOut();
    return { first, second, sessions: sessions.length, revokedAtGrid, states };
  },

  async wrongCode() {
    const { client, accountId } = await platform();
    const otp = await sendCode(client, accountId);
    const wrong = await failure(otp.submit("999999"));
    const session = await otp.submit("000000");
    return { wrong, isActive: session.isActive };
  },

  async askForCode() {
    const { client, accountId } = await platform();
    const otp = await sendCode(client, accountId);
    sessionStorage.setItem("otp", JSON.stringify(otp.state));
  },

  async enterCode() {
    const { client } = await platform();
    const otp = await client.resumeOtp(JSON.parse(sessionStorage.getItem("otp")));
    return (await otp.submit("000000")).isActive;
  },

  async seedPhrase() {
    const { client, accountId } = await platform();
    const { organizationId } = await config();
    const session = await signInByCode(client, accountId);
    return new TextDecoder().decode(await session.exportMnemonic({ organizationId }));
  },

  async leaveForProvider(idToken) {
    const { client, accountId } = await platform();
    const { authorizeUrl, clientId } = (await config()).oauth;
    const session = await signInByCode(client, accountId);
    const { id } = await session.addOAuth({ idToken, clientId });
    await session.signOut();
    const signIn = await client.prepareOAuth({ authMethodId: id, accountId, clientId, redirect: true });
    if (!(signIn instanceof OAuthSignIn)) throw new Error("prepareOAuth gives an OAuthSignIn");
    sessionStorage.setItem("sign-in", JSON.stringify(signIn.state));

    const database = await settled(indexedDB.open("gridkey"));
    const records = await settled(database.transaction("keys").objectStore("keys").getAll());
    database.close();
    const keys = records.map(({ privateKey }) => privateKey).filter((key) => key instanceof CryptoKey);
    const copied = await Promise.all(keys.map((key) => crypto.subtle.exportKey("pkcs8", key).then(() => "copied", ({ name }) => name)));

    const address = new URL(authorizeUrl, location.href);
    const redirectUri = new URL(location.pathname, location.href).href;
    address.search = new URLSearchParams({ client_id: clientId, redirect_uri: redirectUri, response_type: "id_token", state: "x", nonce: signIn.nonce });
    // Once this was answered: a page that is being left answers nothing.
    setTimeout(() => location.assign(address), 100);
    return { publicKey: signIn.clientPublicKey, copied };
  },

  async returnFromProvider() {
    const { client } = await platform();
    const state = JSON.parse(sessionStorage.getItem("sign-in"));
    const signIn = await client.resumeOAuth(state);
    const session = await signIn.submit(new URLSearchParams(location.hash.slice(1)).get("id_token"));
    const { publicKey } = session;
    const { revokedAtGrid } = await session.signOut();
    return { publicKey, revokedAtGrid, again: await failure(client.resumeOAuth(state)) };
  },

  async passkey() {
    const { client, accountId } = await platform();
    const session = await signInByCode(client, accountId);
    const added = await (await session.preparePasskeyRegistration({ nickname: "Phone" })).confirm();
    const again = await failure((await session.preparePasskeyRegistration({ nickname: "Again" })).confirm());
    await session.signOut();

    const opened = await (await client.preparePasskey({ authMethodId: added.id, accountId })).confirm();
    await opened.refresh();
    const { revokedAtGrid } = await opened.signOut();
    const prepared = await client.preparePasskey({ authMethodId: added.id, accountId });
    return {
      type: added.type,
      again,
      revokedAtGrid,
      aborted: await failure(prepared.confirm({ signal: AbortSignal.abort() })),
      foreign: await failure(requestPasskey({ challenge: CHALLENGE, credentialId: "AQID" }, { rpId: "elsewhere.example" })),
    };
  },

  async withoutPasskeys() {
    await init();
    return {
      passkeys: (await capabilities()).passkeys,
      code: await failure(requestPasskey({ challenge: CHALLENGE, credentialId: "AQID" })),
    };
  },

  worker() {
    const worker = new Worker("/worker.js", { type: "module" });
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage({ baseUrl: "/nowhere" });
    });
  },

  async endings() {
    const { client, accountId } = await platform();
    const controller = new AbortController();
    const aborted = failure(client.listAuthMethods({ accountId, signal: controller.signal }));
    controller.abort();
    const never = createGridkey({ transport: () => new Promise(() => {}), timeoutMs: 50 });
    return { aborted: await aborted, late: await failure(never.api.challengeAuthCredential("AuthMethod:1")) };
  },

  async unreachable() {
    const client = createGridkey({ transport: (call) => fetch("http://localhost:9/", call) });
    return failure(client.api.challengeAuthCredential("AuthMethod:1"));
  },

  async breakInstance() {
    const { client, accountId } = await platform();
    const session = await signInByCode(client, accountId);
    const { now } = Date;
    Date.now = () => {
      throw new Error("broken by the page");
    };
    let code;
    try {
      code = await failure(() => session.isActive);
    } finally {
      Date.now = now;
    }
    const again = await signInByCode(client, accountId);
    return { code, isActive: again.isActive };
  },

  async free() {
    await init();
    const key = SessionKey.generate();
    // Without the symbol, a method of that name would be called "undefined".
    const ends = typeof (Symbol.dispose ? key[Symbol.dispose] : key.free);
    const stray = "undefined" in SessionKey.prototype;
    key.free();
    return { ends, stray, after: await failure(() => key.publicKey) };
  },
};

/** Does what is named. Arguments and result are JSON. */
globalThis.perform = async (name, args) => JSON.stringify((await SCENARIOS[name](...JSON.parse(args))) ?? null);
