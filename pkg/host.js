// What the WebAssembly asks of the browser: requests, passkeys, keys, notes, timers and signals.
//
// Each function asks for one thing and gives a plain answer, of which the WebAssembly makes errors
// and decisions. What is asked may be anybody's, so whatever it throws is caught, and nobody's text
// gets into an answer. Every global is looked up when it is needed; nothing happens on import.

/** What an answer begins with, unless it is the status of a reply. `src/web/host.rs` has the same. */
const DONE = 0;
const MISSING = 1;
const INSECURE = 2;
const FAILED = 3;
const BLOCKED = 4;
const LATE = 5;
const HEADERS_FAILED = 6;
const HEADERS_REFUSED = 7;
const HEADERS_BASIC = 8;
const FETCH_THREW = 9;
const REDIRECT = 10;
const NO_REPLY = 11;
const CUT_OFF = 12;
const TOO_LONG = 13;
const NOTHING = 14;
const NO_CRYPTO = 15;
const CRYPTO_FAILED = 16;

/** Credentials of the scheme (RFC 9110 section 11.4), also with a tab after it, and as one of several. */
const BASIC = /(?:^|,)\s*basic(?:\s|$)/i;

/** Longer bodies are not read to their end. */
const MAX_BODY = 1024 * 1024;
/** In one body: no server's stream has any. */
const MAX_EMPTY_CHUNKS = 64;
/** A year. */
const MAX_RETRY_AFTER_MS = 366 * 24 * 60 * 60 * 1000;
/** What a `Date` can hold: ECMA-262 section 21.4.1.1. */
const MAX_DATE_MS = 8.64e15;

/** A property, inherited or own. `undefined` where it is null too, or where reading it throws. */
function get(object, name) {
  try {
    return object[name] ?? undefined;
  } catch {
    return undefined;
  }
}

const global = (name) => get(globalThis, name);

const isFunction = (value) => typeof value === "function";

/** What a method gives; `undefined` where there is none, or where it throws. */
function call(object, name, ...args) {
  try {
    return object[name](...args);
  } catch {
    return undefined;
  }
}

/**
 * An object as the browser gets it: without what is `undefined`, and without a prototype, so that
 * nobody's additions to `Object.prototype` are read out of it.
 */
function dictionary(members) {
  const object = Object.create(null);
  for (const name of Object.keys(members)) {
    if (members[name] !== undefined) object[name] = members[name];
  }
  return object;
}

/** A copy of a buffer's bytes, or of a view's. `undefined` where it is none, or longer than `max`. */
function bytes(value, max) {
  try {
    const { byteLength } = value;
    if (!(byteLength <= max)) return undefined;
    // Arrays of our own: properties of a foreign one may be anything. The first may be but a view.
    const copy = new Uint8Array(new Uint8Array(value));
    return copy.length === byteLength ? copy : undefined;
  } catch {
    return undefined;
  }
}

/** With an exception's name, if it is of the form that all have: any other would be somebody else's text. */
function failed(exception, kind = FAILED) {
  const name = get(exception, "name");
  return [kind, typeof name === "string" && /^[a-z]{1,32}$/i.test(name) ? name : undefined];
}

/** What was begun and can be ended, by its promise. */
const begun = new WeakMap();

/** Bytes of an answer, if there are any, and not too many. */
export function bytesAt(answer, index, max) {
  const found = get(answer, index);
  return found?.length <= max ? found : undefined;
}

/** Ends what a promise stands for, unless it has ended by itself. */
export function end(promise) {
  begun.get(promise)?.end();
}

/** A task that `end` aborts. Without `AbortController` the browser cannot be stopped, and is not. */
function abortable(run) {
  const abort = controller();
  let settle;
  const task = {
    over: false,
    signal: get(abort, "signal"),
    stop() {
      if (task.over) return;
      task.over = true;
      call(abort, "abort");
    },
    end() {
      task.stop();
      // What waits for a promise that nobody settles is never given back.
      settle([LATE]);
    },
  };
  const promise = new Promise((resolve) => {
    settle = resolve;
    run(task).then(resolve, resolve);
  });
  begun.set(promise, task);
  return promise;
}

/** An `AbortController`, where there are any. */
export function controller() {
  try {
    return new AbortController();
  } catch {
    return undefined;
  }
}

export function abort(controller) {
  call(controller, "abort");
}

/** Calls a function of the caller's without `this`; whatever it does, there is a promise. */
export async function called(f, argument) {
  return f(argument);
}

// Requests. An answer is `[status, body, retryAfterMs, dateMs]`.

/** By `fetch`, the caller's or the global one. */
export function fetchReply(given, givenHeaders, credentials, url, method, body, stamp, requestId, idempotencyKey) {
  return abortable(async (task) => {
    let headers = givenHeaders;
    try {
      if (isFunction(headers)) headers = await headers();
    } catch {
      return [HEADERS_FAILED];
    }
    if (task.over) return [LATE];
    try {
      headers = new Headers(headers);
      const inWindow = global("window") !== undefined && global("document") !== undefined;
      if (inWindow && BASIC.test(headers.get("Authorization"))) return [HEADERS_BASIC];
      const own = {
        Accept: "application/json",
        "Content-Type": body === undefined ? undefined : "application/json",
        "Grid-Wallet-Signature": stamp,
        "Request-Id": requestId,
        "Idempotency-Key": idempotencyKey,
      };
      for (const name of Object.keys(own)) {
        // Where this request has none, nobody else's goes with it.
        if (own[name] === undefined) headers.delete(name);
        else headers.set(name, own[name]);
      }
    } catch {
      return [HEADERS_REFUSED];
    }
    const fetch = given ?? global("fetch");
    if (!isFunction(fetch)) return [MISSING];
    let response;
    try {
      // Another address must not see the signature. "manual" and not "error", because only so a
      // redirect can be told from a broken connection.
      const init = dictionary({ method, headers, body, credentials, redirect: "manual", signal: task.signal });
      // Without `this`, as a browser's own `fetch` needs it.
      response = fetch(url, init);
    } catch {
      return [FETCH_THREW];
    }
    try {
      response = await response;
    } catch {
      return [FAILED];
    }
    return readResponse(response, task);
  });
}

async function readResponse(response, task) {
  const type = get(response, "type");
  const status = get(response, "status");
  if (type === "opaqueredirect" || (typeof status === "number" && status >= 300 && status < 400)) return [REDIRECT];
  if (!isStatus(status)) return [NO_REPLY];
  const times = readTimes(get(response, "headers"));
  const body = await readBody(response, task);
  if (typeof body === "number") return [body];
  task.over = true;
  return [status, body, ...times];
}

/** `Retry-After` and `Date` of `Headers`, or of an object that has them as members: Node's, say. */
function readTimes(headers) {
  return [readRetryAfter, httpDateMs].map((read, index) => {
    const name = ["retry-after", "date"][index];
    const text = isFunction(get(headers, "get"))
      ? call(headers, "get", name)
      : get(headers, call(Object, "keys", headers)?.find((key) => key.toLowerCase() === name));
    return read(typeof text === "string" ? text : "");
  });
}

const isStatus = (status) => Number.isInteger(status) && status >= 100 && status <= 599;

async function readBody(response, task) {
  const reader = call(get(response, "body"), "getReader") ?? undefined;
  try {
    // There is no body, or the caller's `fetch` gives no stream.
    if (reader === undefined) return bytes(await response.arrayBuffer(), MAX_BODY) ?? TOO_LONG;
    const chunks = [];
    let length = 0;
    // Somebody's stream of nothing must not be read for ever: not even a timer goes off meanwhile.
    let empty = 0;
    while (!task.over && empty < MAX_EMPTY_CHUNKS) {
      const { done, value } = await reader.read();
      if (done) return joined(chunks, length);
      if (value === undefined || value === null) break;
      const chunk = bytes(value, MAX_BODY - length);
      if (!chunk) return TOO_LONG;
      if (chunk.length === 0) empty++;
      length += chunk.length;
      chunks.push(chunk);
    }
  } catch {
    // As below.
  }
  return CUT_OFF;
}

function joined(chunks, length) {
  const whole = new Uint8Array(length);
  let position = 0;
  for (const chunk of chunks) {
    whole.set(chunk, position);
    position += chunk.length;
  }
  return whole;
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function readRetryAfter(text) {
  const header = text.trim();
  if (/^\+?\d+$/.test(header) && Number(header) <= 0xffffffff) return Number(header) * 1000;
  const ms = Math.ceil(Date.parse(header) - Date.now());
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/**
 * RFC 9110 section 5.6.7: `IMF-fixdate`, the only form that is sent any more, and the one that
 * `Date` writes. It reads far more than that, and not the same in all browsers. Of another origin's
 * answers it can be seen only if they expose it.
 */
export function httpDateMs(header) {
  const ms = Date.parse(header);
  return header.length === 29 && new Date(ms).toUTCString() === header ? ms : undefined;
}

/** By a function of the caller's: `transport(call)`. `params` are names and values in turn. */
export function transportReply(transport, operation, method, path, params, body, stamp, requestId, idempotencyKey) {
  return abortable(async (task) => {
    const named = Object.create(null);
    for (let index = 0; index < params.length; index += 2) named[params[index]] = params[index + 1];
    const members = { operation, method, path, params: { ...named }, body, stamp, requestId, idempotencyKey };
    let reply;
    try {
      // Without `this`; an object with a prototype, as callers know them.
      reply = await transport({ ...dictionary({ ...members, signal: task.signal }) });
    } catch {
      return [FAILED];
    }
    const answer = readReply(reply);
    task.over = answer[0] !== NO_REPLY;
    return answer;
  });
}

/** Own properties, each read once. */
function readReply(reply) {
  try {
    const own = (name) => (Object.hasOwn(reply, name) ? reply[name] : undefined);
    const status = own("status");
    const retryAfterMs = own("retryAfterMs");
    const dateMs = own("dateMs");
    const headers = own("headers");
    // A text is the body itself; anything else is what a text was parsed to.
    const given = own("body") ?? "";
    const body = typeof given === "string" ? given : JSON.stringify(given);
    const isRead =
      typeof reply === "object" &&
      isStatus(status) &&
      (headers === undefined || (typeof headers === "object" && headers !== null)) &&
      (retryAfterMs === undefined || (typeof retryAfterMs === "number" && retryAfterMs >= 0)) &&
      (dateMs === undefined || (Number.isInteger(dateMs) && dateMs >= 0 && dateMs <= MAX_DATE_MS)) &&
      body.length <= MAX_BODY &&
      // Lone surrogates.
      !/\p{Cs}/u.test(body);
    if (!isRead) return [NO_REPLY];
    const [readMs, readDateMs] = readTimes(headers);
    const wait = retryAfterMs === undefined ? readMs : Math.min(Math.ceil(retryAfterMs), MAX_RETRY_AFTER_MS);
    return [status, new TextEncoder().encode(body), wait, dateMs ?? readDateMs];
  } catch {
    return [NO_REPLY];
  }
}

// Passkeys.

/** More than any authenticator sends, attestation statements included. */
const MAX_CREDENTIAL = 64 * 1024;
const MAX_TRANSPORTS = 16;

/**
 * ES256 and RS256 in COSE's registry. Grid takes both (`PasskeyAssertion.signature` in
 * lightsparkdev/grid-api@cf2510e openapi.yaml), and Windows needs the second.
 */
const ALGORITHMS = [-7, -257];

/**
 * Whoever picks up an unlocked device must not move money with a click. "preferred" would leave the
 * check out wherever it costs a password, as on computers without a fingerprint reader.
 */
const userVerification = "required";

/** The ceremony that is going on. A page can have one only. */
let ceremony;

/** `navigator.credentials.get()`: the bytes of the passkey's id, of the response's members and of the user handle. */
export function getCredential(challenge, credentialId, rpId, timeout) {
  return ask("get", ["clientDataJSON", "authenticatorData", "signature"], {
    // `PublicKeyCredentialRequestOptions`: WebAuthn section 5.5.
    challenge: copy(challenge),
    allowCredentials: [descriptor(credentialId)],
    rpId,
    timeout,
    userVerification,
  });
}

/** `navigator.credentials.create()`: the same without a user handle, and then the transports. */
export function createCredential(challenge, rpId, rpName, userId, userName, displayName, excluded, timeout) {
  return ask("create", ["clientDataJSON", "attestationObject"], {
    // `PublicKeyCredentialCreationOptions`: WebAuthn section 5.4.
    challenge: copy(challenge),
    rp: dictionary({ id: rpId, name: rpName }),
    user: dictionary({ id: copy(userId), name: userName, displayName }),
    pubKeyCredParams: ALGORITHMS.map((alg) => dictionary({ type: "public-key", alg })),
    excludeCredentials: excluded.map(descriptor),
    timeout,
    // Synced and discoverable where possible; security keys without room will do.
    authenticatorSelection: dictionary({ residentKey: "preferred", userVerification }),
    // Grid does not ask which make of authenticator it is, and asking would prompt people.
    attestation: "none",
  });
}

/** What comes from the WebAssembly may be a view of its memory. */
const copy = (view) => new Uint8Array(view);

/** `PublicKeyCredentialDescriptor` */
const descriptor = (id) => dictionary({ type: "public-key", id: copy(id) });

/** Asks the browser at once, so that the tap that led here still counts. */
function ask(method, names, publicKey) {
  return abortable(async (task) => {
    if (global("isSecureContext") === false) return [INSECURE];
    const container = global("PublicKeyCredential") && get(global("navigator"), "credentials");
    const ceremonial = get(container, method);
    if (!isFunction(ceremonial)) return [MISSING];
    ceremony?.stop();
    ceremony = task;
    let credential;
    try {
      const options = dictionary({ publicKey: dictionary(publicKey), signal: task.signal });
      credential = await Reflect.apply(ceremonial, container, [options]);
    } catch (exception) {
      return failed(exception);
    }
    task.over = true;
    // Raw buffers only: password managers that put themselves in the browser's place break
    // `toJSON()` and `getPublicKey()`.
    const response = get(credential, "response");
    const read = (object, name) => bytes(get(object, name), MAX_CREDENTIAL);
    const required = [read(credential, "rawId"), ...names.map((name) => read(response, name))];
    if (required.includes(undefined)) return [NO_REPLY];
    return [DONE, ...required, read(response, "userHandle"), transports(response)];
  });
}

/** Some password managers do not have them; then the transports are not known. */
function transports(response) {
  const list = call(response, "getTransports");
  const length = get(list, "length");
  const texts = [];
  if (!(typeof length === "number" && length <= MAX_TRANSPORTS)) return "";
  for (let index = 0; index < length; index++) texts.push(get(list, index));
  return texts.filter((text) => typeof text === "string" && /^[a-z-]{1,32}$/.test(text)).join();
}

// Keys that no script can read: made by WebCrypto, kept in IndexedDB.

const DATABASE = "gridkey";
/** There has been no other. */
const VERSION = 1;
/** Its object store: from compressed public keys, in hex, to records of `privateKey` and `createdAt`. */
const STORE = "keys";
/** An hour: nobody is away at an identity provider for longer. */
const KEPT_MS = 60 * 60 * 1000;
/** Opening a database that somebody else is deleting waits without an event. */
const ANSWER_WITHIN_MS = 10_000;

/** A new key: what `sign` gives for it, and its public half's bytes. */
export async function generateKey(proof) {
  const message = copy(proof);
  const algorithm = dictionary({ name: "ECDSA", namedCurve: "P-256" });
  const made = await webCrypto("generateKey", algorithm, false, ["sign"]);
  if (made[0] !== DONE) return made;
  const exported = await webCrypto("exportKey", "raw", get(made[1], "publicKey"));
  if (exported[0] !== DONE) return exported;
  const publicKey = bytes(exported[1], 65);
  // SEC1 section 2.3.3: what is uncompressed begins with a 4.
  if (publicKey?.[0] !== 4) return [NO_REPLY];
  return [...(await sign(get(made[1], "privateKey"), message)), publicKey];
}

/** A signature, whether the key is one that cannot be copied, and the key. */
export async function sign(privateKey, message) {
  const algorithm = dictionary({ name: "ECDSA", hash: "SHA-256" });
  const made = await webCrypto("sign", algorithm, privateKey, copy(message));
  if (made[0] !== DONE) return made;
  return [DONE, bytes(made[1], 64), get(privateKey, "extractable") === false, privateKey];
}

/** Calls a method of `crypto.subtle` and waits for its answer. */
async function webCrypto(method, ...args) {
  const subtle = get(global("crypto"), "subtle");
  const f = get(subtle, method);
  if (!isFunction(f)) return [global("isSecureContext") === false ? INSECURE : NO_CRYPTO];
  try {
    return [DONE, await Reflect.apply(f, subtle, args)];
  } catch (exception) {
    return failed(exception, CRYPTO_FAILED);
  }
}

/**
 * Calls "get", "put" or "delete" of the object store: for a key that is got, what it signs.
 *
 * Each use opens the database and closes it again, so that other tabs can delete it; and each
 * removes what is too old.
 */
export function inStore(method, name, privateKey, proof) {
  const message = copy(proof);
  const task = { end() {} };
  const use = async () => {
    let answer = await inTime(task, method, name, privateKey);
    // As when a browser closes databases by itself: Safari does for pages in the background, and
    // all do when the user clears a site's data.
    const mayPass = answer[0] === FAILED && /^(Abort|InvalidState|Unknown)Error$/.test(answer[1]);
    if (mayPass) answer = await inTime(task, method, name, privateKey);
    if (method !== "get" || answer[0] !== DONE) return answer;
    const [, record] = answer;
    return isFresh(record) ? sign(get(record, "privateKey"), message) : [NOTHING];
  };
  const promise = use();
  begun.set(promise, task);
  return promise;
}

async function inTime(task, method, name, privateKey) {
  const connection = {};
  let timer;
  const late = new Promise((resolve) => {
    task.end = () => resolve([LATE]);
    timer = setTimeout(task.end, ANSWER_WITHIN_MS);
  });
  const answer = await Promise.race([transact(connection, method, name, privateKey), late]);
  clearTimeout(timer);
  // If it is not open yet, then as soon as it is.
  connection.isOver = true;
  call(connection.database, "close");
  return answer;
}

async function transact(connection, method, name, privateKey) {
  const factory = global("indexedDB");
  if (!isFunction(get(factory, "open"))) return [MISSING];
  try {
    const opening = factory.open(DATABASE, VERSION);
    // At once, also if nobody waits any more: without the object store the database would be of no
    // use for ever.
    opening.onupgradeneeded = () => void opening.result.createObjectStore(STORE);
    const outcome = await new Promise((resolve) => {
      opening.onblocked = opening.onerror = ({ type }) => resolve(type);
      opening.onsuccess = ({ type }) => {
        connection.database = opening.result;
        if (connection.isOver) call(connection.database, "close");
        resolve(type);
      };
    });
    if (outcome === "blocked") return [BLOCKED];
    if (outcome !== "success") return failed(opening.error);

    const transaction = connection.database.transaction(STORE, "readwrite");
    const ended = next(transaction, "oncomplete", "onabort");
    const store = transaction.objectStore(STORE);
    const record = method === "put" ? [dictionary({ privateKey, createdAt: Date.now() })] : [];
    const kept = await result(store[method](...record, name));
    // What sign-ins that were abandoned have left.
    const cursors = store.openCursor();
    for (let cursor = await result(cursors); cursor; cursor = await result(cursors)) {
      if (!isFresh(cursor.value)) cursor.delete();
      cursor.continue();
    }
    // Only now it is on the disk: there may be no room, even so.
    if ((await ended) !== "complete") return failed(transaction.error);
    return [DONE, kept];
  } catch (exception) {
    return failed(exception);
  }
}

/** One of the future is as old as it is far. */
function isFresh(record) {
  const createdAt = get(record, "createdAt");
  return typeof createdAt === "number" && Math.abs(Date.now() - createdAt) <= KEPT_MS;
}

/** The type of the next event that one of these handlers is called with. */
function next(target, ...handlers) {
  return new Promise((resolve) => {
    for (const handler of handlers) target[handler] = ({ type }) => resolve(type);
  });
}

/** What an `IDBRequest` comes to. */
export async function result(request) {
  if ((await next(request, "onsuccess", "onerror")) !== "success") throw request.error;
  return request.result;
}

// Notes.

/** Far more than anything that is noted. */
const MAX_NOTE = 4096;

export function getNote(name) {
  const text = call(global("localStorage"), "getItem", name);
  return typeof text === "string" && text.length <= MAX_NOTE ? text : undefined;
}

/** Whether storage took it. */
export function setNote(name, text) {
  try {
    if (text === undefined) localStorage.removeItem(name);
    else localStorage.setItem(name, text);
    return true;
  } catch {
    return false;
  }
}

// Time, and signals.

/** Ready in so many milliseconds. In the background it must not keep a Node process alive. */
export function sleep(ms, inBackground) {
  let wake;
  const promise = new Promise((resolve) => {
    wake = resolve;
  });
  let left = ms;
  let timer;
  const nap = () => {
    // A longer timer would go off at once.
    const now = Math.min(left, 0x7fffffff);
    left -= now;
    timer = setTimeout(left > 0 ? nap : wake, now);
    // Only Node's timers have it.
    if (inBackground) call(timer, "unref");
  };
  nap();
  begun.set(promise, {
    end() {
      clearTimeout(timer);
      // As in `abortable`.
      wake();
    },
  });
  return promise;
}

/** Ready when a signal is aborted from now on. */
export function aborted(signal) {
  let listener;
  const promise = new Promise((resolve) => {
    listener = () => resolve();
  });
  call(signal, "addEventListener", "abort", listener);
  begun.set(promise, {
    end() {
      call(signal, "removeEventListener", "abort", listener);
      // As in `abortable`.
      listener();
    },
  });
  return promise;
}

/**
 * In one object, so that wasm-bindgen has the WebAssembly call all of them through its glue, which an
 * instance guards. The package's glue has them of the module instead, whose names minifiers shorten.
 */
export const host = {
  abort,
  aborted,
  bytesAt,
  called,
  controller,
  createCredential,
  end,
  fetchReply,
  generateKey,
  getCredential,
  getNote,
  httpDateMs,
  inStore,
  setNote,
  sign,
  sleep,
  transportReply,
};
