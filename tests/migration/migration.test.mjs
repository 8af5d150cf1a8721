// The hand-written code of Grid's documents and samples, and the lines that take its place, do the
// same: on the same keys and texts where there is no network, and against the same Grid where there is.

import assert from "node:assert/strict";
import { ECDH, createECDH, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import test, { before as beforeAll } from "node:test";
import { fileURLToPath } from "node:url";

import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from "@hpke/core";
import { ApiKeyStamper } from "@turnkey/api-key-stamper";
import { build } from "esbuild";
import { SealedKeyReceiver, SessionKey, createGridkey, init } from "gridkey";
import { createTestAuthenticator, createTestGrid } from "gridkey/testing";

const HERE = new URL("./", import.meta.url);
const PAGE = new URL("../../docs/moving-over.md", import.meta.url);

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const uncompressed = (publicKey) => ECDH.convertKey(publicKey, "prime256v1", "hex", "hex", "uncompressed");

let before;
let after;

beforeAll(async () => {
  const built = new URL("node_modules/.cache/migration/", HERE);
  const files = [];
  for (const side of ["before", "after"]) for (const name of await readdir(new URL(side, HERE))) files.push(`${side}/${name}`);
  await build({
    absWorkingDir: fileURLToPath(HERE),
    entryPoints: files,
    outdir: fileURLToPath(built),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    outExtension: { ".js": ".mjs" },
  });
  const load = (side, name) => import(new URL(`${side}/${name}.mjs`, built));
  before = (name) => load("before", name);
  after = (name) => load("after", name);
  await init();
});

/** A public key of 65 bytes for node:crypto. */
function publicKeyObject(point) {
  const at = (from) => Buffer.from(point.slice(from, from + 64), "hex").toString("base64url");
  return createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x: at(2), y: at(66) } });
}

// Keys

test("key pairs: the same public keys of the same private key", async () => {
  const { genTek, compressedPubHex } = await before("key-pair");
  const { makeKey } = await after("key-pair");
  for (let round = 0; round < 20; round++) {
    const { privHex, pubHex } = genTek();
    const key = SessionKey.dangerouslyFromPrivateKey(bytes(privHex));
    assert.equal(key.publicKeyUncompressed, pubHex);
    assert.equal(key.publicKey, compressedPubHex(privHex));
    assert.equal(SealedKeyReceiver.dangerouslyFromPrivateKey(bytes(privHex)).publicKey, pubHex);
  }
  const { key, clientPublicKey, inOtpBundle } = makeKey();
  const privHex = hex(key.dangerouslyExportPrivateKey());
  assert.equal(clientPublicKey, compressedPubHex(privHex));
  assert.equal(inOtpBundle, uncompressed(clientPublicKey));
});

// One-time codes

/** An enclave: what it sends when a code is sent, and how it opens what comes back. */
function makeEnclave() {
  const target = createECDH("prime256v1");
  const targetPublic = target.generateKeys("hex", "uncompressed");
  const signer = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = signer.publicKey.export({ format: "jwk" });
  const enclaveKey = `04${Buffer.from(x, "base64url").toString("hex")}${Buffer.from(y, "base64url").toString("hex")}`;
  const data = Buffer.from(JSON.stringify({ targetPublic }));
  const dataSignature = hex(sign("sha256", data, signer.privateKey));
  const bundle = JSON.stringify({ version: "v1.0.0", data: hex(data), dataSignature, enclaveQuorumPublic: enclaveKey });
  const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const open = async (sealed) => {
    const { encappedPublic, ciphertext } = JSON.parse(sealed);
    const enc = bytes(encappedPublic);
    const recipientKey = await suite.kem.importKey("raw", new Uint8Array(target.getPrivateKey()).buffer, false);
    const recipient = await suite.createRecipientContext({ recipientKey, enc, info: new TextEncoder().encode("turnkey_hpke") });
    return Buffer.from(await recipient.open(bytes(ciphertext), bytes(encappedPublic + targetPublic))).toString();
  };
  return { bundle, enclaveKey, open };
}

test("one-time codes: the same text is sealed for the same key", async () => {
  const { genTek } = await before("key-pair");
  const { encryptOtpBundle } = await before("otp-code");
  const { encryptOtpBundle: seal } = await after("otp-code");
  const { bundle, enclaveKey, open } = makeEnclave();
  const { privHex, pubHex } = genTek();
  const key = SessionKey.dangerouslyFromPrivateKey(bytes(privHex));
  for (const code of ["000000", "038271", "A1B2C3D4E"]) {
    const [theirs, ours] = [encryptOtpBundle(bundle, pubHex, code), seal(key, bundle, code, { enclaveKey })];
    assert.equal(await open(ours), await open(theirs));
    assert.deepEqual(Object.keys(JSON.parse(ours)), Object.keys(JSON.parse(theirs)));
    assert.equal(ours.length, theirs.length);
  }
});

test("one-time codes: what changes is that a stranger's bundle gets none", async () => {
  const { encryptOtpBundle } = await before("otp-code");
  const { encryptOtpBundle: seal } = await after("otp-code");
  const { enclaveKey } = makeEnclave();
  const { bundle, open } = makeEnclave();
  const key = SessionKey.generate();
  assert.match(await open(encryptOtpBundle(bundle, key.publicKeyUncompressed, "038271")), /038271/);
  for (const trust of [{ enclaveKey }, undefined]) assert.throws(() => seal(key, bundle, "038271", trust), { code: "bundle_untrusted" });
});

// Session keys

const vectors = async (name) => JSON.parse(await readFile(new URL(`../vectors/${name}.json`, HERE), "utf8")).tests;

/** Bundles that open, and for whom. */
async function sealedKeys() {
  const published = await vectors("turnkey_credential_bundle");
  const generated = (await vectors("turnkey_generated_bundles")).filter(({ expect }) => expect === "ok");
  assert.ok(published.length > 0 && generated.length > 5);
  return [...published, ...generated].map(({ bundle, receiverPrivateKey }) => {
    const pair = createECDH("prime256v1");
    pair.setPrivateKey(receiverPrivateKey, "hex");
    return { bundle, receiverPrivateKey, receiverPublicKey: pair.getPublicKey("hex") };
  });
}

/** A receiver as the sample has one, a CryptoKey. The sample's is not extractable. */
function receiverKey({ receiverPrivateKey, receiverPublicKey }, extractable) {
  const { x, y } = publicKeyObject(receiverPublicKey).export({ format: "jwk" });
  const jwk = { kty: "EC", crv: "P-256", x, y, d: Buffer.from(receiverPrivateKey, "hex").toString("base64url") };
  return crypto.subtle.importKey("jwk", jwk, { name: "ECDH", namedCurve: "P-256" }, extractable, ["deriveBits"]);
}

test("session keys: the same 32 bytes come out", async () => {
  const { decryptSessionSigningKey } = await before("session-key");
  const { decryptSessionKey } = await before("credential-bundle");
  const { openSessionKey } = await after("session-key");
  for (const sealed of await sealedKeys()) {
    const { bundle, receiverPrivateKey, receiverPublicKey } = sealed;
    const receiver = SealedKeyReceiver.dangerouslyFromPrivateKey(bytes(receiverPrivateKey));
    const ours = hex(openSessionKey(receiver, bundle).dangerouslyExportPrivateKey());
    assert.equal(ours, hex(await decryptSessionSigningKey(await receiverKey(sealed, true), bytes(receiverPublicKey), bundle)));
    assert.equal(ours, await decryptSessionKey(bundle, receiverPrivateKey));
  }
});

test("session keys: what changes is that every one opens", async () => {
  const { decryptSessionSigningKey } = await before("session-key");
  let odd = 0;
  for (const sealed of await sealedKeys()) {
    // From a key that it cannot export, @hpke/core makes the public key with the even one of two y.
    const isEven = parseInt(sealed.receiverPublicKey.at(-1), 16) % 2 === 0;
    const opened = decryptSessionSigningKey(await receiverKey(sealed, false), bytes(sealed.receiverPublicKey), sealed.bundle);
    if (isEven) assert.equal((await opened).length, 32);
    else await assert.rejects(opened, { name: "OpenError" });
    const publicKey = await crypto.subtle.importKey("raw", bytes(sealed.receiverPublicKey), { name: "ECDH", namedCurve: "P-256" }, true, []);
    const pair = { privateKey: await receiverKey(sealed, false), publicKey };
    assert.equal((await decryptSessionSigningKey(pair, bytes(sealed.receiverPublicKey), sealed.bundle)).length, 32);
    odd += isEven ? 0 : 1;
  }
  assert.ok(odd > 0);
});

// Stamps

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const EMAIL = { kind: "setEmail", email: "ada@example.com" };
const emailPayload = (userEmail, round = 0) =>
  JSON.stringify({
    organizationId: "org_2m9F",
    parameters: { userEmail, userId: "user_2m9F" },
    timestampMs: String(Date.now() - round),
    type: "ACTIVITY_TYPE_UPDATE_USER_EMAIL",
  });

const parse = (stamp) => JSON.parse(Buffer.from(stamp, "base64url").toString());

/** r and s of a DER signature. */
function halves(signature) {
  const der = Buffer.from(signature, "hex");
  const middle = 4 + der[3];
  return [der.subarray(4, middle), der.subarray(middle + 2)].map((number) => BigInt(`0x${hex(number)}`));
}

test("stamps: byte for byte where the nonce is determined, and otherwise of the same form and as good", async () => {
  const { genTek } = await before("key-pair");
  const { stamp: byLibrary } = await before("stamp");
  const { signPayload: byHand } = await before("stamp-by-hand");
  const { stamp } = await after("stamp");
  let lower = 0;
  const rounds = 24;
  for (let round = 0; round < rounds; round++) {
    const { privHex, pubHex } = genTek();
    const key = SessionKey.dangerouslyFromPrivateKey(bytes(privHex));
    const payload = emailPayload(EMAIL.email, round);
    const ours = await stamp(key, payload, EMAIL);

    const library = new ApiKeyStamper({ apiPublicKey: key.publicKey, apiPrivateKey: privHex, runtimeOverride: "purejs" });
    assert.equal(ours, (await library.stamp(payload)).stampHeaderValue);

    const [r, s] = halves(parse(ours).signature);
    const [rByHand, sByHand] = halves(parse(byHand(bytes(privHex), payload)).signature);
    assert.equal(rByHand, r);
    assert.ok(sByHand === s || sByHand === ORDER - s);
    lower += s === sByHand ? 1 : 0;

    for (const value of [ours, await byLibrary(privHex, payload), byHand(bytes(privHex), payload)]) {
      assert.match(value, /^[A-Za-z0-9_-]+$/);
      const { signature, ...rest } = parse(value);
      assert.deepEqual(Object.keys(parse(value)), ["publicKey", "scheme", "signature"]);
      assert.deepEqual(rest, { publicKey: key.publicKey, scheme: "SIGNATURE_SCHEME_TK_API_P256" });
      assert.ok(verify("sha256", Buffer.from(payload), publicKeyObject(pubHex), Buffer.from(signature, "hex")));
    }
  }
  assert.ok(lower > 0 && lower < rounds, "both halves have come up");
});

test("stamps: what changes is that another payload gets none", async () => {
  const { stamp: byLibrary } = await before("stamp");
  const { stamp } = await after("stamp");
  const key = SessionKey.generate();
  const swapped = emailPayload("mallory@example.com");
  assert.equal(parse(await byLibrary(hex(key.dangerouslyExportPrivateKey()), swapped)).publicKey, key.publicKey);
  await assert.rejects(stamp(key, swapped, EMAIL), { code: "intent_refused" });
  assert.equal(parse(await key.dangerouslyStampUnchecked(swapped)).publicKey, key.publicKey);
});

// Nonces

test("nonces: the same digits for both encodings", async () => {
  const [theirs, ours] = [await before("nonce"), await after("nonce")];
  const key = SessionKey.generate();
  const encodings = [key.publicKey, key.publicKeyUncompressed];
  for (const publicKey of encodings) assert.equal(ours.nonceOf(publicKey), theirs.nonceOf(publicKey));
  assert.notEqual(...encodings.map(ours.nonceOf));
});

// With a Grid

const OPERATIONS = { challenge: "challengeAuthCredential", verify: "verifyAuthCredential" };

/** Has the hand-written code's requests carried to this Grid, with the envelope that it expects. */
async function carryTo(grid) {
  const { carryBy } = await before("grid-fetch");
  carryBy(async (method, path, { body, headers = {} }) => {
    const [, id, action] = /^\/auth\/credentials\/([^/]+)\/(\w+)$/.exec(path);
    const call = { operation: OPERATIONS[action], method, path, params: { id }, body: JSON.stringify(body), signal: new AbortController().signal };
    const stamp = headers["Grid-Wallet-Signature"];
    const requestId = headers["Request-Id"];
    const response = await grid.transport({ ...call, ...(stamp && { stamp }), ...(requestId && { requestId }) });
    return { request: { method, path, headers }, response: { ...response, body: typeof response.body === "string" ? JSON.parse(response.body) : response.body } };
  });
}

/** What was asked since the last time: operations, legs and the names of what was sent. */
function asked(grid) {
  const names = (value) => (typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, names(inner)])) : typeof value);
  return grid.calls.splice(0).map(({ operation, leg, body, status }) => ({ operation, leg, status, body: names(body) }));
}

const client = (grid) => createGridkey({ transport: grid.transport, enclave: grid.enclave });

test("signing in by code: the same requests, and a session of the key that was sealed", async () => {
  const grid = await createTestGrid();
  const { id } = grid.addEmailOtp();
  await carryTo(grid);
  const promptOtp = async () => grid.lastCode;

  const { emailOtpAuth } = await before("signed-retry");
  const theirs = await emailOtpAuth({ accountId: grid.accountId, emailOtpCredentialId: id }, { promptOtp, log() {} });
  const theirRequests = asked(grid);
  const { emailOtpAuth: signIn } = await after("signed-retry");
  const ours = await signIn(client(grid), id, promptOtp);

  assert.deepEqual(asked(grid), theirRequests);
  assert.deepEqual(theirRequests.map(({ operation, leg, status }) => [operation, leg, status]), [
    ["challengeAuthCredential", 1, 200],
    ["verifyAuthCredential", 1, 202],
    ["verifyAuthCredential", 2, 200],
  ]);
  const { compressedPubHex } = await before("key-pair");
  assert.deepEqual(grid.sessions.map(({ publicKey, active }) => [publicKey, active]), [
    [compressedPubHex(theirs.privHex), true],
    [ours.publicKey, true],
  ]);
  // What the hand-written code could not do: it has dropped the session's id.
  assert.deepEqual(await ours.signOut(), { revokedAtGrid: true });
});

test("signing in by passkey: the prompt is asked for the same, and Grid too", async (context) => {
  const grid = await createTestGrid();
  const authenticator = createTestAuthenticator();
  context.after(() => authenticator.restore());
  const { id } = await grid.addPasskey({ authenticator });
  await carryTo(grid);
  globalThis.location ??= new URL("http://localhost/");

  const prompts = [];
  const { get } = navigator.credentials;
  navigator.credentials.get = function (options) {
    prompts.push(options.publicKey);
    return get.call(this, options);
  };

  const { passkeyAuth } = await before("passkey");
  const theirs = await passkeyAuth({ accountId: grid.accountId, emailOtpCredentialId: "" }, id, { log() {} });
  const theirRequests = asked(grid);

  const { prepare, passkeyAuth: confirm } = await after("passkey");
  const signIn = await prepare(client(grid), id);
  const ours = await confirm(signIn);
  signIn.free();

  assert.deepEqual(asked(grid), theirRequests);
  const { compressedPubHex } = await before("key-pair");
  assert.deepEqual(grid.sessions.map(({ publicKey }) => publicKey), [compressedPubHex(theirs.privHex), ours.publicKey]);

  const [first, second] = prompts.map(({ challenge, rpId, userVerification, allowCredentials }) => ({
    challenge: Buffer.from(challenge.buffer ?? challenge, challenge.byteOffset, challenge.byteLength).toString(),
    rpId: rpId ?? location.hostname,
    userVerification,
    credentials: allowCredentials.map(({ type, id }) => [type, hex(id.buffer ? new Uint8Array(id.buffer, id.byteOffset, id.byteLength) : new Uint8Array(id))]),
  }));
  for (const prompt of [first, second]) assert.match(prompt.challenge, /^[0-9a-f]{64}$/);
  assert.notEqual(first.challenge, second.challenge);
  assert.deepEqual({ ...second, challenge: "" }, { ...first, challenge: "" });

  // The same of the challenge alone.
  const { assertion } = await after("passkey-assertion");
  const { credentialId } = authenticator.passkeys[0];
  const answer = await assertion({ challenge: first.challenge, credentialId });
  assert.equal(Buffer.from(prompts[2].challenge).toString(), first.challenge);
  const { body } = theirRequests[1];
  assert.deepEqual(Object.keys(answer).sort(), Object.keys(body.assertion).sort());
});

test("errors: what was refused, and what helps, instead of neither", async () => {
  const grid = await createTestGrid();
  const { id } = grid.addEmailOtp();
  await carryTo(grid);
  const promptOtp = async () => "000000";

  const { emailOtpAuth } = await before("signed-retry");
  const theirs = emailOtpAuth({ accountId: grid.accountId, emailOtpCredentialId: id }, { promptOtp, log() {} });
  await assert.rejects(theirs, { message: "email otp verify (leg 1): expected 202, got 401 ( )" });

  const { emailOtpAuth: signIn } = await after("signed-retry");
  const { whatHelps } = await after("refusals");
  const ours = await signIn(client(grid), id, promptOtp).catch(whatHelps);
  assert.equal(ours, "otp_rejected: fix_input");
});

// The page

test("the page shows the code that was run, and all of it", async () => {
  const page = await readFile(PAGE, "utf8");
  const shown = new Set();
  let current = "";
  let end = 0;
  for (const match of page.matchAll(/<!-- ((?:before|after)\/[\w-]+\.ts) -->\n```ts\n([^]*?)```\n/g)) {
    const [whole, file] = match;
    const source = await readFile(new URL(file, HERE), "utf8");
    const [, region] = source.match(/^\/\/ #region\n([^]*?)^\/\/ #endregion$/m);
    const [, origin] = source.match(/^\/\/ lightsparkdev\/grid-api cf2510e, (.*)$/m) ?? [];
    assert.equal(origin !== undefined, file.startsWith("before/"), file);
    const heading = origin === undefined ? "" : `// ${origin}\n`;
    current += `${page.slice(end, match.index)}<!-- ${file} -->\n\`\`\`ts\n${heading}${region}\`\`\`\n`;
    end = match.index + whole.length;
    shown.add(file);
  }
  current += page.slice(end);
  if (process.env.UPDATE_DOCS) await writeFile(PAGE, current);
  else assert.equal(page, current, "UPDATE_DOCS=1 node --test tests/migration/migration.test.mjs");

  for (const side of ["before", "after"]) {
    for (const name of await readdir(new URL(side, HERE))) {
      const file = `${side}/${name}`;
      const isQuoted = (await readFile(new URL(file, HERE), "utf8")).includes("// #region");
      assert.equal(shown.has(file), isQuoted, file);
    }
  }
});
