// What is left of secrets in the memory of the WebAssembly, which every script of the page can
// read: nothing, whatever became of the call that had them.

import { count, ok, outcome, refused, same, testCase } from "./cases.mjs";
import { FLOWS } from "./flows.mjs";
import { FAULTS, MNEMONIC, Run, left } from "./grid.mjs";
import { hpkeOpen, hpkeSecrets, noncesOf, publicKeyOf } from "./p256.mjs";
import { Search, formsOf } from "./search.mjs";
import { drawn, fromHex, gridkey, hex, inspect, logged, loseInstance, memories, random, sealed, soon, testing, textOf, utf8 } from "./subject.mjs";

const { SealedKeyReceiver, SessionKey, WalletExportKey } = gridkey;
const CLASSES = { SessionKey, SealedKeyReceiver, WalletExportKey };

const vectors = async (name) => JSON.parse(await textOf(`tests/vectors/${name}.json`));

/** A private key that is one. */
function privateKey() {
  const bytes = random(32);
  bytes[0] &= 0x7f;
  return bytes;
}

/** The forms in which one secret is found. */
const formsLeft = (secret, options) => [...new Set(left(new Search().add("it", secret, options)).map((place) => place.slice(4)))];

/** Nothing of these may be anywhere. */
function gone(search, what) {
  const found = left(search);
  if (found.length > 0) {
    const places = [];
    for (const { buffer } of memories) search.in(buffer, (...place) => places.push(place.join(" ")));
    ok(false, `${what}: left in memory: ${found.join(", ")}\n${places.slice(0, 5).join("\n")}`);
  }
  count("secrets looked for", search.size);
}

/** Nothing that was said has any of it. */
function unsaid(search, error, what) {
  const said = [inspect(error), error?.stack, error?.message, JSON.stringify(error), String(error), inspect(error?.cause), ...logged.map((args) => args.map(inspect).join(" "))];
  const found = search.in(utf8(said.join("\n")));
  ok(found.length === 0, `${what}: said ${found.join(", ")}`);
}

testCase("the search finds what it is to find, in every form", async () => {
  const memory = memories.at(-1);
  for (const secret of [privateKey(), random(32), random(12), utf8("zoo abandon wrong canary words")]) {
    const options = { scalar: secret.length === 32 };
    const search = new Search().add("it", secret, options);
    same(left(search), [], "it finds what is not there");
    // Beyond what the module uses.
    const end = memory.buffer.byteLength;
    memory.grow(1);
    const page = new Uint8Array(memory.buffer, end);
    const found = () => search.in(page).map((place) => place.slice(4));
    let forms = 0;
    for (const [form, text, least] of formsOf(secret, { piece: 8, ...options })) {
      forms++;
      // Any piece of it that is long enough, and at any place.
      for (const [from, at] of [[0, 3], [text.length - least, 1], [Math.floor((text.length - least) / 2), page.length - least]]) {
        const part = text.subarray(from, from + least);
        if (from < 0 || part.subarray(0, 4).every((byte) => byte === 0)) continue;
        page.set(part, at);
        ok(found().includes(form), `it does not find ${form} from ${from}`);
        if (forms === 1) ok(left(search).includes(`it: ${form}`), "it does not look everywhere");
        page.fill(0);
        same(found(), [], "it finds what was wiped");
      }
      // Less than that may be chance.
      page.set(text.subarray(0, least));
      page[least - 1] ^= 1;
      ok(!found().includes(form), `it takes a shorter piece of ${form}`);
      page.fill(0);
    }
    ok(forms >= (options.scalar ? 20 : 14), `${forms} forms`);
    count("forms", forms);
  }
});

testCase("the other side's arithmetic is right", async () => {
  // RFC 6979 appendix A.2.5, and the key of the API document.
  same(hex(publicKeyOf(fromHex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"))).slice(2, 66), "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6");
  const { tests } = await vectors("turnkey_credential_bundle");
  for (const { receiverPrivateKey, receiverPublicKeyUncompressed } of tests) {
    same(hex(publicKeyOf(fromHex(receiverPrivateKey))), receiverPublicKeyUncompressed);
  }
  const secret = fromHex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
  const key = SessionKey.dangerouslyFromPrivateKey(secret);
  // RFC 6979 has the nonce of this message.
  const [nonce, negative] = (await noncesOf(await key.dangerouslyStampUnchecked("sample"), "sample", secret)).map(hex);
  ok([nonce, negative].includes("a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60"), "RFC 6979's nonce");
  key.free();
});

// What cannot be helped, and where that is said.

const EXCEPTIONS = [
  {
    what: "a key that lives is in the memory, as the number that the curve's code computes with",
    said: ["pkg/README.md", /can read the memory of\s+the WebAssembly/],
    async check() {
      for (const [name, Class] of Object.entries(CLASSES)) {
        const secret = privateKey();
        const key = Class.dangerouslyFromPrivateKey(secret);
        const forms = formsLeft(secret);
        ok(forms.length > 0 && forms.every((form) => /^(reversed|words|limbs|montgomery)/.test(form)), `${name}: ${forms}`);
        key.free();
        same(formsLeft(secret), [], name);
      }
    },
  },
  {
    what: "bytes that were given out or taken in are JavaScript's, and the caller's to wipe",
    said: ["pkg/wasm/gridkey.d.ts", /32 bytes, big-endian, yours to wipe[^]*the array is yours to wipe[^]*the mnemonic as UTF-8, yours to wipe/],
    async check() {
      const secret = privateKey();
      const key = SessionKey.dangerouslyFromPrivateKey(secret);
      const exported = key.dangerouslyExportPrivateKey();
      key.free();
      same([hex(exported), hex(secret)], [hex(secret), hex(exported)]);
      ok(!memories.some(({ buffer }) => buffer === exported.buffer), "it is a copy");
      same(formsLeft(secret), []);
    },
  },
  {
    what: "the client holds the session that it is signed in with, and its key with it",
    said: ["pkg/README.md", /The client holds the session it is signed in with: sign out, or free the session/],
    async check() {
      const run = await Run.begin({ sessionKeys: "client-held" });
      const { id } = run.grid.addEmailOtp();
      const otp = await run.client.sendOtp({ authMethodId: id });
      const session = await otp.submit(run.grid.lastCode);
      otp.free();
      await soon(0);
      const search = await run.secrets();
      ok(left(search).some((place) => place.startsWith("drawn")), "a session's key is there while it can sign");
      session.free();
      await run.end();
      gone(search, "freed");
    },
  },
];

for (const { what, said: [path, words], check } of EXCEPTIONS) {
  testCase(`it is said that ${what}, and no more than that`, async () => {
    ok(words.test(await textOf(path)), `${path} does not say so`);
    await check();
    count("exceptions");
  });
}

// Keys.

testCase("nothing is left of a key that was made, used, exported and freed", async () => {
  for (const [name, Class] of Object.entries(CLASSES)) {
    drawn.length = 0;
    const key = Class.generate();
    same(drawn.map(({ length }) => length), [32], name);
    const search = new Search().add("key", drawn[0]);
    if (key instanceof SessionKey) {
      for (const payload of ["", "a payload", "é".repeat(3000)]) {
        const stamp = await key.dangerouslyStampUnchecked(payload);
        for (const nonce of await noncesOf(stamp, payload, drawn[0])) search.add("nonce", nonce);
      }
      same(hex(key.dangerouslyExportPrivateKey()), hex(drawn[0]));
    }
    ok(left(search).every((place) => /^key: (reversed|words|limbs|montgomery)/.test(place)), `${name} lives: ${left(search)}`);
    key.free();
    gone(search, name);
  }
});

testCase("nothing is left of a key that was refused", async () => {
  const wrong = {
    "31 bytes": random(31),
    "33 bytes": random(33),
    "a shared buffer's view": new Uint8Array(random(40).buffer, 4, 31),
    "above the order": Uint8Array.from(random(32), (byte, index) => (index < 4 ? 0xff : byte | 1)),
    "numbers of 16 bits": Uint16Array.from({ length: 32 }, (_, index) => 0x100 + index * 7),
    "an array": Array.from(random(32)),
    "its hex": hex(random(32)),
    "bytes that throw": new Proxy(random(32), { get: (bytes, at) => (at === "20" ? fail() : Reflect.get(bytes, at, bytes)) }),
  };
  for (const [name, Class] of Object.entries(CLASSES)) {
    for (const [what, secret] of Object.entries(wrong)) {
      const bytes = typeof secret === "string" ? secret : Uint8Array.from({ length: 31 }, (_, index) => (index === 20 && what === "bytes that throw" ? 0 : Number(secret[index])));
      const search = new Search().add("it", bytes);
      const error = await refused("invalid_argument", () => Class.dangerouslyFromPrivateKey(secret), `${name} of ${what}`);
      gone(search, `${name} of ${what}`);
      unsaid(search, error, `${name} of ${what}`);
      count("refusals");
    }
  }
});
function fail() {
  throw new Error("broken");
}

testCase("nothing is left of what was sealed for a key, opened or refused", async () => {
  const other = privateKey();
  for (const vector of (await vectors("turnkey_credential_bundle")).tests) {
    const secret = fromHex(vector.receiverPrivateKey);
    const payload = vector.bundle;
    const broken = [payload.slice(0, -1), `${payload}1`, payload.replace(/.$/, (last) => (last === "2" ? "3" : "2")), "", "0OIl", "z".repeat(600), `${payload} `];
    const search = new Search().add("receiver", secret).add("session key", fromHex(vector.plaintextHex)).add("other", other);
    for (const [bytes, codes] of [[secret, undefined], [other, "decrypt_failed"]]) {
      const receiver = SealedKeyReceiver.dangerouslyFromPrivateKey(bytes);
      for (const bundle of broken) {
        const error = await refused(["bundle_malformed", "invalid_argument", "decrypt_failed"], () => receiver.open(bundle), bundle.slice(0, 20));
        unsaid(search, error, "a broken bundle");
        count("refusals");
      }
      const { value, error } = await outcome(() => receiver.open(payload));
      if (codes) same(error?.code, codes);
      else value.free();
      // Not only when it is freed.
      same(left(search).filter((place) => place.startsWith("session key")), []);
      receiver.free();
      gone(search, "freed");
    }
  }
});

testCase("nothing is left of a mnemonic, given out or refused", async () => {
  const [vector] = (await vectors("turnkey_export_bundle")).tests;
  const { exportBundle, organizationId, mnemonic } = vector;
  const secret = fromHex(vector.privateKey);
  const { data, ...envelope } = JSON.parse(exportBundle);
  const inner = JSON.parse(new TextDecoder().decode(fromHex(data)));
  const again = (changes) => JSON.stringify({ ...envelope, data: hex(utf8(JSON.stringify({ ...inner, ...changes }))) });
  const search = new Search().add("key", secret).add("mnemonic", mnemonic, { piece: 16 });
  const { encappedPublic, ciphertext } = inner;
  const parts = await hpkeSecrets(secret, fromHex(encappedPublic), fromHex(encappedPublic), publicKeyOf(secret));
  same(new TextDecoder().decode(await hpkeOpen(parts, fromHex(encappedPublic), publicKeyOf(secret), fromHex(ciphertext))), mnemonic);
  for (const [name, bytes] of Object.entries(parts)) search.add(name, bytes, { scalar: false });
  const enclaveKey = SessionKey.generate().publicKeyUncompressed;
  const attempts = [
    [exportBundle, { organizationId: "another" }],
    [exportBundle, { organizationId, enclaveKey }],
    [exportBundle, {}],
    [exportBundle.slice(0, -2), { organizationId }],
    [again({ organizationId: "another" }), { organizationId }],
    [again({ ciphertext: inner.ciphertext.replace(/.$/, (last) => (last === "0" ? "1" : "0")) }), { organizationId }],
    [`${exportBundle} `.repeat(2000), { organizationId }],
  ];
  const key = WalletExportKey.dangerouslyFromPrivateKey(secret);
  const other = WalletExportKey.generate();
  for (const [bundle, expected] of attempts) {
    const error = await refused(["bundle_untrusted", "bundle_malformed", "invalid_argument", "decrypt_failed"], () => key.open(bundle, expected));
    unsaid(search, error, "an export that is refused");
    count("refusals");
  }
  await refused("decrypt_failed", () => other.open(exportBundle, { organizationId }));
  other.free();
  same(left(search).filter((place) => !place.startsWith("key")), []);
  const opened = key.open(exportBundle, { organizationId });
  same(new TextDecoder().decode(opened), mnemonic);
  // It is used up, and so wiped.
  gone(search, "opened");
  await refused("invalid_argument", () => key.open(exportBundle, { organizationId }));
  key.free();
  gone(search, "freed");
});

testCase("nothing is left of a code, nor of the keys that sealed it, sealed or refused", async () => {
  const CODE = "Q7ZK3XW9PLM2VB8T";
  const grid = await testing.createTestGrid();
  const { id } = grid.addEmailOtp();
  const { body } = await grid.transport({ operation: "challengeAuthCredential", method: "POST", path: `/auth/credentials/${encodeURIComponent(id)}/challenge`, params: { id }, signal: new AbortController().signal });
  const bundle = body.otpEncryptionTargetBundle;
  const enclaveKey = grid.enclave.dangerouslyTrust.otp;
  const target = fromHex(JSON.parse(new TextDecoder().decode(fromHex(JSON.parse(bundle).data))).targetPublic);
  const key = SessionKey.generate();
  const attempts = {
    sealed: [bundle, CODE, { enclaveKey }],
    compressed: [bundle, CODE, { enclaveKey, publicKeyEncoding: "compressed" }],
    "another enclave": [bundle, CODE],
    "another role": [bundle, CODE, { enclaveKey: grid.enclave.dangerouslyTrust.export }],
    "no bundle": ["{}", CODE, { enclaveKey }],
    "a changed bundle": [bundle.replace(/"data":"../, '"data":"7b7b'), CODE, { enclaveKey }],
    "no key": [bundle, CODE, { enclaveKey: "04" }],
    "no encoding": [bundle, CODE, { enclaveKey, publicKeyEncoding: "x" }],
    "a code with a letter of another alphabet": [bundle, `${CODE.slice(0, 15)}é`, { enclaveKey }],
    "a code that is too long": [bundle, `${CODE}${CODE}`, { enclaveKey }],
    "no text": [bundle, Object(CODE), { enclaveKey }],
  };
  for (const [what, args] of Object.entries(attempts)) {
    drawn.length = 0;
    const { value, error } = await outcome(() => key.sealOtpCode(...args));
    const search = new Search().add("code", CODE.slice(0, 15), { piece: 6 });
    for (const bytes of drawn) search.add("ephemeral key", bytes);
    if (value !== undefined) {
      const { encappedPublic, ciphertext } = JSON.parse(value);
      const enc = fromHex(encappedPublic);
      same([drawn.length, hex(publicKeyOf(drawn[0]))], [1, encappedPublic], what);
      const parts = await hpkeSecrets(drawn[0], target, enc, target);
      // The captured draws give what the package has computed: what is looked for was there.
      ok(ciphertext.length > 100, what);
      for (const [name, bytes] of Object.entries(parts)) search.add(name, bytes, { scalar: false });
      count("key agreements");
    } else {
      ok(gridkey.isGridkeyError(error), `${what}: ${error}`);
      unsaid(search, error, what);
      count("refusals");
    }
    gone(search, what);
  }
  // Randomness that fails in the middle.
  const real = crypto.getRandomValues;
  for (const broken of [fail, (array) => array, (array) => array.fill(0)]) {
    crypto.getRandomValues = broken;
    try {
      const error = await refused("randomness_unavailable", () => key.sealOtpCode(bundle, CODE, { enclaveKey }));
      const search = new Search().add("code", CODE, { piece: 6 });
      unsaid(search, error, "no randomness");
      gone(search, "no randomness");
    } finally {
      crypto.getRandomValues = real;
    }
  }
  key.free();
});

testCase("nothing is left of a text that no type wipes", async () => {
  const key = SessionKey.generate();
  const text = `${hex(random(20))} of which nobody takes care`;
  const token = ["e30", "x".repeat(40), hex(random(40))].join(".");
  await key.dangerouslyStampUnchecked(text);
  // Not ASCII at its end, so that it grows and moves on its way in.
  await key.dangerouslyStampUnchecked(`${text}${"é".repeat(2000)}`);
  const search = new Search().add("text", text, { piece: 16 }).add("token", token.slice(45), { piece: 16 });
  for (const intent of [{ kind: "addOauth", oidcToken: token }, { kind: text }, { kind: "setEmail", email: text }, { kind: "setEmail", [text]: text }]) {
    const refusal = await refused(["invalid_argument", "intent_refused"], () => gridkey.checkIntent(text, intent));
    unsaid(search, refusal, "an intent");
    const second = await refused(["invalid_argument", "intent_refused"], () => key.stamp(text, intent));
    unsaid(search, second, "a stamp");
  }
  key.free();
  gone(search, "text");
});

testCase("a memory that grows leaves nothing behind", async () => {
  drawn.length = 0;
  const grown = [];
  for (const Class of Object.values(CLASSES)) {
    const key = Class.generate();
    const memory = memories.at(-1);
    const before = memory.buffer;
    memory.grow(1);
    ok(before.byteLength === 0 && memory.buffer.byteLength > 0, "it has grown");
    ok(/^0[234]/.test(key.publicKey), "and the key is there");
    if (key instanceof SessionKey) {
      // Large enough that the package itself has to ask for more.
      const size = memory.buffer.byteLength;
      await key.dangerouslyStampUnchecked("é".repeat(512 * 1024));
      grown.push(memory.buffer.byteLength - size);
    }
    memory.grow(1);
    key.free();
  }
  ok(grown[0] > 0, "the package asked for more");
  const search = new Search();
  for (const bytes of drawn) search.add("key", bytes);
  gone(search, "grown");
  const run = await Run.begin({ sessionKeys: "client-held" });
  const { id } = run.grid.addEmailOtp();
  const otp = run.hold(await run.client.sendOtp({ authMethodId: id }));
  memories.at(-1).grow(1);
  const session = run.hold(await otp.submit(run.grid.lastCode));
  memories.at(-1).grow(1);
  await session.exportMnemonic({ organizationId: run.grid.organizationId });
  memories.at(-1).grow(1);
  await run.end();
  gone(await run.secrets(), "a flow");
});

// Whole flows.

const MODES = ["sealed", "client-held"];

/** Of the ways to fail, one in so many is tried; elsewhere others, by the offset. */
export const portion = { number: 1 };
export const offset = { number: 0 };
let turn = 0;

/** One run of a flow: nothing may be left, and nothing said. Gives how many requests it made. */
async function runOf(name, options, check) {
  const run = await Run.begin(options);
  const what = `${name}, ${options.sessionKeys}, ${options.fault ?? "without a fault"} at ${options.at}`;
  const { error } = await outcome(() => FLOWS[name](run));
  await run.end();
  const search = await run.secrets();
  unsaid(search, error, what);
  gone(search, what);
  if (error !== undefined) ok(gridkey.isGridkeyError(error), `${what}: ${inspect(error)}`);
  if (options.fault === undefined) ok(error === undefined, `${what}: ${inspect(error)}`);
  count("flows");
  count("nonces", run.stamps ?? 0);
  count("key agreements", run.agreements ?? 0);
  check?.(run);
  return { requests: run.requests, error };
}

for (const name of Object.keys(FLOWS)) {
  testCase(`nothing is left of ${name}, however it ends`, async () => {
    for (const sessionKeys of MODES) {
      const { requests } = await runOf(name, { sessionKeys, at: 0 }, (run) => {
        ok(run.privateKeys.size > 0, "there were keys");
        if (name === "a wallet's export") same(run.mnemonic, MNEMONIC);
      });
      ok(requests > 0, "it asked Grid");
      let [failed, runs] = [0, 0];
      for (const fault of Object.keys(FAULTS)) {
        for (let at = 0; at < requests; at++) {
          if ((turn++ + offset.number) % portion.number !== 0) continue;
          const { error } = await runOf(name, { sessionKeys, fault, at });
          runs++;
          if (error) failed++;
        }
      }
      ok(failed * 3 >= runs, `only ${failed} of ${runs} runs failed`);
      count("of them failed", failed);
    }
  });
}

testCase("what a freed passkey sign-in still fetches goes when it is answered, or at its timeout", async () => {
  for (const [sessionKeys, isAnswered] of [["sealed", true], ["client-held", true], ["client-held", false]]) {
    const run = await Run.begin({ sessionKeys });
    const { id } = await run.grid.addPasskey({ authenticator: run.authenticator });
    let asked = 0;
    let answer;
    const client = gridkey.createGridkey({
      transport: async (call) => {
        if (call.operation !== "challengeAuthCredential") throw new Error("broken");
        if (++asked === 2) await new Promise((resolve) => (answer = resolve));
        return run.grid.transport(call);
      },
      enclave: run.grid.enclave,
      sessionKeys,
      timeoutMs: 300,
    });
    const signIn = await client.preparePasskey({ authMethodId: id });
    await refused("network", () => signIn.confirm());
    // Another challenge is on its way, and a key is made for it.
    while (!answer) await soon(1);
    signIn.free();
    const search = new Search();
    for (const bytes of drawn) search.add("drawn", bytes);
    ok(drawn.length === 2 && left(search).length > 0, "there is one");
    if (isAnswered) answer();
    await soon(isAnswered ? 150 : 600);
    gone(search, `${sessionKeys}, ${isAnswered}`);
    client.free();
    await run.end();
  }
});

testCase("nothing is left in an instance that was lost in the middle", async () => {
  for (const [name, at] of [["a one-time code", 2], ["a wallet's export", 5], ["an identity provider", 1]]) {
    const run = await Run.begin({ sessionKeys: "client-held" });
    const carry = run.grid.transport;
    let requests = 0;
    const { createGridkey } = gridkey;
    run.client = createGridkey({
      transport: (call) => {
        if (++requests === at) loseInstance();
        return carry(call);
      },
      enclave: run.grid.enclave,
    });
    await refused("instance_lost", () => FLOWS[name](run), name);
    // What can go on does so with a fresh one, which is not held against this.
    gridkey.SessionKey.generate().free();
    await run.end();
    const search = new Search();
    for (const bytes of drawn) search.add("drawn", bytes);
    gone(search, name);
  }
});

/** How many rounds: more of them where there is time. */
export const rounds = { number: 50 };

testCase("nothing is left after many rounds of mixed work", async () => {
  const everything = new Search();
  let recent = new Search();
  const all = Object.keys(FLOWS);
  const faults = [undefined, ...Object.keys(FAULTS).filter((fault) => fault !== "no answer in time")];
  for (let round = 1; round <= rounds.number; round++) {
    const run = await Run.begin({ sessionKeys: MODES[round % 2], fault: faults[(round * 7) % faults.length], at: round % 3 });
    const { error } = await outcome(() => FLOWS[all[round % all.length]](run));
    ok(error === undefined || gridkey.isGridkeyError(error), `round ${round}: ${inspect(error)}`);
    const key = SessionKey.generate();
    await key.dangerouslyStampUnchecked(hex(random(100)));
    if (round % 100 === 0) memories.at(-1).grow(1);
    key.free();
    await run.end();
    for (const [index, bytes] of [...drawn, ...sealed].entries()) {
      recent.add(`round ${round}, ${index}`, bytes);
      everything.add(`round ${round}, ${index}`, bytes, { only: /^(raw|reversed|limbs|montgomery)$/ });
    }
    if (round % 20 === 0 || round === rounds.number) {
      gone(recent, `rounds up to ${round}`);
      recent = new Search();
    }
    count("rounds");
  }
  gone(everything, "all rounds");
  const size = memories.at(-1).buffer.byteLength;
  ok(size < 64 << 20, `the memory has grown to ${size}`);
});
