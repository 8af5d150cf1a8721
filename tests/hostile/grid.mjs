// A Grid that is listened to, and that can be made to fail: what passes between the package and it
// tells which secrets there were, together with what was drawn.

import { hpkeSecrets, noncesOf, numberOf, publicKeyOf } from "./p256.mjs";
import { Search } from "./search.mjs";
import { drawn, fromHex, gridkey, hex, logged, memories, sealed, soon, testing } from "./subject.mjs";

export const MNEMONIC = "legal winner thank year wave sausage worth useful legal winner thank yellow";
/** Of the test Grid's organization; the account is one's own, because gridkey remembers. */
const ORGANIZATION = "00000000-0000-4000-8000-0000000000aa";

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
function readBase58(text) {
  let number = 0n;
  for (const letter of text) number = number * 58n + BigInt(BASE58.indexOf(letter));
  const digits = number.toString(16);
  return fromHex(digits.length % 2 ? `0${digits}` : digits);
}
/** What an envelope says; nothing where it was changed on its way. */
function enclosed(text) {
  try {
    return JSON.parse(new TextDecoder().decode(fromHex(JSON.parse(text).data)));
  } catch {
    return {};
  }
}

const never = () => new Promise(() => {});

/** Texts of a reply that are long enough to hold something, each changed in its middle. */
function tampered(value) {
  if (typeof value === "string" && value.length > 60) {
    const at = Math.floor(value.length / 2);
    const other = value[at] === "1" ? "2" : "1";
    return value.slice(0, at) + other + value.slice(at + 1);
  }
  if (Array.isArray(value)) return value.map(tampered);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, tampered(member)]));
}

/** What a reply had in an earlier run under the same names: sealed to another key, signed for another request. */
const earlier = {};
function replayed(value, isReplaced = true) {
  const replaced = { ...value };
  for (const name of ["encryptedSessionSigningKey", "encryptedWalletCredentials", "otpEncryptionTargetBundle", "payloadToSign"]) {
    if (typeof value?.[name] !== "string") continue;
    if (isReplaced && earlier[name]) replaced[name] = earlier[name];
    earlier[name] = value[name];
  }
  return replaced;
}

const refusal = (status, code, reason) => ({ status, body: { status, code, message: "m", details: { reason } } });

/** How a request may fail. Each gets the request, what Grid answers to it, and what ends the call. */
export const FAULTS = {
  "the transport throws": () => Promise.reject(new Error("broken")),
  "no answer in time": never,
  aborted: (_, __, { abort }) => {
    abort();
    return never();
  },
  "aborted after the answer": async (_, answered, { abort }) => {
    const reply = await answered();
    abort();
    return reply;
  },
  unauthorized: async () => refusal(401, "UNAUTHORIZED"),
  "a server's fault after the deed": async (_, answered) => {
    await answered();
    return refusal(500, "INTERNAL_ERROR");
  },
  "a changed answer": async (_, answered) => {
    const reply = await answered();
    return { ...reply, body: tampered(reply.body) };
  },
  "an answer for another key": async (_, answered) => {
    const reply = await answered();
    return { ...reply, body: replayed(reply.body) };
  },
  "an answer cut off": async (_, answered) => {
    const reply = await answered();
    return { ...reply, body: JSON.stringify(reply.body).slice(0, -20) };
  },
  "an answer that has run out": async (_, answered) => {
    const reply = await answered();
    const body = typeof reply.body === "object" && "expiresAt" in reply.body ? { ...reply.body, expiresAt: "2020-01-01T00:00:00Z" } : {};
    return { ...reply, body };
  },
  "an empty answer": async () => ({ status: 200, body: "" }),
};

let authenticator;

/** A Grid, a client of it, and all that a run of them must keep secret. */
export class Run {
  static async begin({ sessionKeys = "sealed", fault, at = 0 } = {}) {
    const run = new Run();
    drawn.length = sealed.length = logged.length = 0;
    authenticator ??= testing.createTestAuthenticator();
    const accountId = `InternalAccount:${crypto.randomUUID()}`;
    run.grid = await testing.createTestGrid({ accountId, organizationId: ORGANIZATION });
    run.authenticator = authenticator;
    run.fault = fault;
    run.at = at;
    run.controller = new AbortController();
    const transport = (call) => run.#carry(call);
    run.client = gridkey.createGridkey({ transport, enclave: run.grid.enclave, sessionKeys });
    return run;
  }

  requests = 0;
  #armed = false;
  /** How many requests Grid is about to answer. */
  #open = 0;
  #held = [];
  #texts = new Map();
  #calls = [];

  /** From now on requests are counted, and one of them fails. */
  arm() {
    this.#armed = true;
  }

  /** What every call is given. */
  get call() {
    return { signal: this.controller.signal, ...(this.fault === "no answer in time" && { timeoutMs: 30 }) };
  }

  /** An object that is freed in the end. */
  hold(object) {
    this.#held.push(object);
    return object;
  }

  /** A text or bytes that nobody may find afterwards. */
  secret(name, value) {
    this.#texts.set(`${name} ${this.#texts.size}`, value);
    return value;
  }

  async #carry(call) {
    this.#open++;
    try {
      const reply = await this.#carried(call);
      try {
        this.#calls.at(-1).reply = typeof reply.body === "string" ? JSON.parse(reply.body) : reply.body;
      } catch {
        // Nobody can read it.
      }
      return reply;
    } finally {
      this.#open--;
    }
  }

  async #carried(call) {
    this.#calls.push({ ...call, body: call.body && JSON.parse(call.body) });
    const answered = async () => {
      const { signal, ...plain } = call;
      const { body } = await this.grid.transport({ ...plain, signal });
      if (this.grid.lastCode) this.#texts.set(`code ${this.grid.lastCode}`, this.grid.lastCode);
      return { status: this.grid.calls.at(-1).status, body };
    };
    const isFailing = this.#armed && this.requests++ === this.at && this.fault;
    if (!isFailing) {
      const reply = await answered();
      replayed(reply.body, false);
      return reply;
    }
    if (this.fault === "no answer in time" || this.fault === "aborted") this.#open--;
    return FAULTS[this.fault](call, answered, { abort: () => this.controller.abort(new Error("ended")) });
  }

  /** Frees everything, and lets what is under way come to its end. */
  async end() {
    this.controller.abort();
    for (const object of this.#held.splice(0)) object.free();
    this.client.free();
    // What was fetched ahead goes when it is answered.
    for (let quiet = 0; quiet < 3; quiet++) {
      await soon(0);
      if (this.#open > 0) quiet = 0;
    }
  }

  /** A search for all that was secret. */
  async secrets() {
    const search = new Search();
    const privateKeys = new Map();
    for (const [index, bytes] of [...drawn, ...sealed].entries()) {
      search.add(`${index < drawn.length ? "drawn" : "sealed"} ${index}`, bytes);
      const publicKey = bytes.length === 32 && publicKeyOf(bytes);
      if (publicKey) privateKeys.set(hex(publicKey.subarray(1, 33)), bytes);
    }
    const keyOf = (publicKey) => privateKeys.get(publicKey.slice(2, 66));
    const agreements = [];
    const payloads = new Map();
    let target;
    for (const { body, stamp, requestId, reply } of this.#calls) {
      const bundle = typeof body?.encryptedOtpBundle === "string" && JSON.parse(body.encryptedOtpBundle);
      if (bundle && target) agreements.push([bundle.encappedPublic, target, bundle.encappedPublic, target]);
      if (reply?.otpEncryptionTargetBundle) target = enclosed(reply.otpEncryptionTargetBundle).targetPublic;
      const ours = body?.clientPublicKey ?? body?.assertion?.clientPublicKey ?? this.#calls.findLast(({ body }) => body?.clientPublicKey)?.body.clientPublicKey;
      if (/^[1-9A-HJ-NP-Za-km-z]+$/.test(reply?.encryptedSessionSigningKey ?? "")) {
        const enc = hex(readBase58(reply.encryptedSessionSigningKey).subarray(0, 33));
        agreements.push([ours, enc, enc, ours]);
      }
      if (reply?.encryptedWalletCredentials) {
        const enc = enclosed(reply.encryptedWalletCredentials).encappedPublic;
        if (enc) agreements.push([ours, enc, enc, ours]);
      }
      if (reply?.payloadToSign) payloads.set(reply.requestId, reply.payloadToSign);
      if (stamp) {
        const { publicKey } = JSON.parse(atob(stamp.replaceAll("-", "+").replaceAll("_", "/")));
        const privateKey = keyOf(publicKey);
        const nonces = privateKey && payloads.has(requestId) ? await noncesOf(stamp, payloads.get(requestId), privateKey) : [];
        for (const nonce of nonces) search.add("nonce of a stamp", nonce);
        this.stamps = (this.stamps ?? 0) + nonces.length / 2;
      }
    }
    for (const [own, theirs, enc, receiver] of agreements) {
      const privateKey = own && keyOf(own);
      if (!privateKey) continue;
      const parts = await hpkeSecrets(privateKey, fromHex(theirs), fromHex(enc), fromHex(receiver));
      for (const [name, bytes] of Object.entries(parts)) search.add(name, bytes, { scalar: false });
      this.agreements = (this.agreements ?? 0) + 1;
    }
    for (const [name, value] of this.#texts) search.add(name, value, { piece: pieceOf(value), alone: value.length === 6 });
    search.add("mnemonic", MNEMONIC, { piece: 16 });
    this.privateKeys = privateKeys;
    return search;
  }
}

/** Codes are found whole; of longer texts, which have words, a piece must be long. */
const pieceOf = (value) => (typeof value === "string" ? Math.min(value.length, 24) : 8);

/** What is left of secrets in all memories there are. */
export const left = (search) => memories.flatMap((memory) => search.in(memory.buffer));

export { numberOf };
