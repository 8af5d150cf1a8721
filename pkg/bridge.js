// The border to the WebAssembly: what each method takes, and what crosses.
//
// An instance exports two functions, `call` and `free`, and its objects are numbers there. All else
// that JavaScript code sees is made here. Arguments are read here, once, and checked before any of
// them crosses: own properties only, so that nobody's additions to `Object.prototype` count; exact
// primitive types, so that nothing changes between a check and its use; lengths before anything
// else. Messages name the argument and never its value.

import { GridkeyError, define, instanceLost, invalidArgument, usedAfterFree } from "./errors.js";

const refuse = (name, why) => {
  throw invalidArgument(`\`${name}\` ${why}.`);
};

// What reads an argument: it is given a value, its name and what it is to push into `into.values`.

/** One that may be `undefined`. */
const optional = (read) => {
  const reader = (value, name, into) => (value === undefined ? into.values.push(value) : read(value, name, into));
  reader.isOptional = true;
  return reader;
};

const LONE_SURROGATE = /[\ud800-\udfff]/u;

/** A string of at most `max` UTF-16 code units. Lone surrogates would become U+FFFD, and two texts one. */
const text = (max) => (value, name, into) => {
  if (typeof value !== "string" || value.length > max) refuse(name, `must be a string of at most ${max} characters`);
  if (LONE_SURROGATE.test(value)) refuse(name, "must not contain lone surrogates");
  into.values.push(value);
};

/** One of a few strings. */
const choice = (...choices) => (value, name, into) => {
  if (!choices.includes(value)) refuse(name, `must be ${choices.map((known) => `"${known}"`).join(" or ")}`);
  into.values.push(value);
};

const flag = (value, name, into) => {
  if (typeof value !== "boolean") refuse(name, "must be a boolean");
  into.values.push(value);
};

/** What it allows must be said. */
const allowed = (value, name) => value === true || refuse(name, "must be true");

const wholeNumber = (min, max, what) => (value, name, into) => {
  if (!(Number.isInteger(value) && value >= min && value <= max)) refuse(name, `must be ${what}`);
  into.values.push(value);
};

const functionOf = (wrap) => (value, name, into) => {
  if (typeof value !== "function") refuse(name, "must be a function");
  into.values.push(wrap(value));
};

/** Members of an object, in this order. All it has beside them is left alone. */
const object = (members) => {
  const reader = (value, name, into) => {
    for (const [key, read] of Object.entries(members)) {
      const path = `${name}.${key}`;
      let member;
      if (value !== undefined || !read.isOptional) {
        if (typeof value !== "object" || value === null) refuse(name, "must be an object");
        try {
          if (Object.hasOwn(value, key)) member = value[key];
        } catch {
          refuse(path, "could not be read: it threw an exception");
        }
        into.goOn();
      }
      read(member, path, into);
    }
  };
  reader.isOptional = Object.values(members).every(({ isOptional }) => isOptional);
  return reader;
};

/** Objects in an array, of each a string: all as one text of JSON. */
const list = (member, max, maxChars) =>
  optional((value, name, into) => {
    const read = object({ [member]: text(maxChars) });
    const texts = [];
    try {
      // Read once: a proxy's may grow with every look at it.
      const length = Array.isArray(value) ? value.length : undefined;
      if (!(Number.isInteger(length) && length <= max)) throw value;
      for (let index = 0; index < length; index++) texts.push(value[index]);
    } catch {
      refuse(name, `must be an array of at most ${max} elements`);
    }
    const elements = { ...into, values: [] };
    for (const element of texts) read(element, `${name}[]`, elements);
    into.values.push(`[${elements.values.map((element) => JSON.stringify(element)).join()}]`);
  });

const MAX_DATA_CHARS = 256 * 1024;
const MAX_DATA_DEPTH = 16;
const NO_DATA =
  "must be of plain objects, arrays, texts without lone surrogates, finite numbers, booleans and null, at most 256 Ki characters";

/**
 * The JSON of plain data; throws where it is none, or too much.
 *
 * Not by `JSON.stringify`, which asks whatever `toJSON` somebody has put on a prototype, writes
 * `null` for numbers that are none, and `{}` for a `Map`: what was meant would not be what is sent.
 */
export function jsonOf(data, goOn = () => {}) {
  let room = MAX_DATA_CHARS;
  const take = (chars) => {
    goOn();
    room -= chars;
    if (room < 0) throw room;
  };
  const quoted = (string) => {
    take(string.length);
    if (LONE_SURROGATE.test(string)) throw room;
    return JSON.stringify(string);
  };
  const write = (value, depth) => {
    take(1);
    if (typeof value === "string") return quoted(value);
    if (value === null || typeof value === "boolean") return String(value);
    if (Number.isFinite(value)) return JSON.stringify(value);
    if (typeof value !== "object" || depth === 0) throw value;
    if (Array.isArray(value)) {
      const { length } = value;
      if (!(Number.isInteger(length) && length <= room)) throw length;
      const elements = [];
      for (let index = 0; index < length; index++) {
        // A hole is none of its own: it is whatever stands on a prototype.
        if (!Object.hasOwn(value, index)) throw index;
        elements.push(write(value[index], depth - 1));
      }
      return `[${elements.join()}]`;
    }
    // Of whatever page or frame: the prototype of all others has none itself.
    const prototype = Object.getPrototypeOf(value);
    if (prototype && Object.getPrototypeOf(prototype)) throw value;
    const members = [];
    for (const name of Object.keys(value)) {
      const member = value[name];
      if (member !== undefined) members.push(`${quoted(name)}:${write(member, depth - 1)}`);
    }
    return `{${members.join()}}`;
  };
  return write(data, MAX_DATA_DEPTH);
}

/** Plain data: what JSON can say, as a text of it. */
const data = optional((value, name, into) => {
  let json;
  try {
    json = jsonOf(value, into.goOn);
  } catch {
    into.goOn();
    refuse(name, NO_DATA);
  }
  into.values.push(json);
});

const dataObject = (value, name, into) => {
  if (typeof value !== "object" || value === null) refuse(name, "must be an object");
  data(value, name, into);
};

/** What stands for a function that states an intent: it gives JSON, a refusal, or nothing where somebody's code threw. */
const intentOf = functionOf((stating) => async (payload) => {
  let intent;
  try {
    intent = await stating(payload);
  } catch {
    return undefined;
  }
  try {
    return intent === undefined ? "null" : jsonOf(intent);
  } catch {
    return `\`intent\` ${NO_DATA}.`;
  }
});

/** An intent, or a function that states one. */
const intentOrFunction = (value, name, into) =>
  typeof value === "function" ? intentOf(value, name, into) : data(value, "intent", into);

/** A one-time code: text that needs no more than a byte for each character, and so no second copy. */
const otpCode = (value, name, into) => {
  if (typeof value !== "string" || value.length > MAX_CODE) refuse(name, `must be a string of at most ${MAX_CODE} characters`);
  into.values.push(value.replace(/[^ -~]/g, " "));
};

/** The 32 bytes of a private key. By index, because this may be a proxy of a `Uint8Array`. */
const privateKey = (value, name, into) => {
  const bytes = new Uint8Array(32);
  into.wiped = bytes;
  let isKey = false;
  try {
    isKey = value instanceof Uint8Array && value[32] === undefined && bytes.every((_, index) => {
      const byte = value[index];
      bytes[index] = byte;
      return bytes[index] === byte;
    });
  } catch {
    // Nothing that throws is a key.
  }
  if (!isKey) refuse(name, "must be a Uint8Array of 32 bytes");
  into.values.push(bytes);
};

/** What has the methods of an `AbortSignal`: in Node and in tests there may be more than one class of that name. */
const abortSignal = (value, name, into) => {
  let isSignal = false;
  try {
    const { aborted, addEventListener, removeEventListener } = value;
    isSignal =
      typeof aborted === "boolean" && typeof addEventListener === "function" && typeof removeEventListener === "function";
  } catch {
    // As if it were none.
  }
  if (!isSignal) refuse(name, "must be an AbortSignal");
  into.signal = value;
  into.values.push(value);
};

/** An object of one of the classes: its number. */
const handle = (className) => (value, name, into) => into.values.push(into.handleOf(value, className, name));

const MAX_CODE = 16;
const MAX_ID = 512;
const MAX_NAME = 1024;
const MAX_KEY = 130;
const MAX_BUNDLE = 64 * 1024;
const MAX_HEADER = 4096;
const MAX_PATH = 2048;
const MAX_PAYLOAD = 1024 * 1024;
const MAX_CREDENTIAL_ID = 1364;
const MAX_CREDENTIALS = 256;
const MAX_RP_ID = 253;
/** Of an ID token, with room. */
const MAX_TOKEN = 16 * 1024;

const id = /* @__PURE__ */ text(MAX_ID);
const optionalId = /* @__PURE__ */ optional(id);
const name = /* @__PURE__ */ text(MAX_NAME);
const optionalName = /* @__PURE__ */ optional(name);
const optionalRpId = /* @__PURE__ */ optional(text(MAX_RP_ID));
const payload = /* @__PURE__ */ text(MAX_PAYLOAD);
const timeout = /* @__PURE__ */ optional(wholeNumber(1, 0x7fff_ffff, "1 to 2147483647 milliseconds"));

/** The options of a call, after what else is in them. */
const call = (members) => object({ ...members, signal: optional(abortSignal), timeoutMs: timeout });

const credential = { authMethodId: id, accountId: optionalId };
const customer = { customerType: optional(choice("INDIVIDUAL", "BUSINESS")), customerId: id };
const passkeyOptions = { rpId: optionalRpId };

const registration = () =>
  object({
    rp: object({ id: optionalRpId, name: optionalName }),
    user: object({ name, id: name, displayName: optionalName }),
    excludeCredentials: list("id", MAX_CREDENTIALS, MAX_CREDENTIAL_ID),
    nickname: name,
    challenge: text(MAX_BUNDLE),
  });

/** Where requests go: to the caller's function, or to an address by `fetch`. */
const readTransport = (value, name, into) => {
  const at = into.values.length;
  object({ transport: optional(functionOf((send) => send)) })(value, name, into);
  if (into.values[at]) return void into.values.push(undefined, undefined, undefined, undefined);
  const headers = (value, _, { values }) => {
    if (typeof value !== "function" && (typeof value !== "object" || value === null)) {
      refuse(name, "must have `headers` that are an object or a function");
    }
    values.push(value);
  };
  object({
    baseUrl: optional(text(MAX_PATH)),
    headers: optional(headers),
    fetch: optional(functionOf((fetch) => fetch)),
    credentials: optional(choice("include", "omit", "same-origin")),
  })(value, name, into);
  const baseUrl = into.values[at + 1];
  if (baseUrl === undefined) refuse(name, "must have a `baseUrl`, your relay's, or a `transport`");
  if (/[?#]/.test(baseUrl)) refuse(name, "must have a `baseUrl` without query and fragment");
  if (!/^https?:\/\//.test(baseUrl) && globalThis.location == null) {
    refuse(name, "must have an absolute `baseUrl` where there is no page");
  }
  into.values[at + 1] = baseUrl.replace(/\/$/, "");
};

const trustedEnclave = (value, name, into) => {
  if (typeof value === "object" && value !== null) {
    object({ dangerouslyTrust: object({ otp: text(MAX_KEY), export: text(MAX_KEY) }) })(value, name, into);
  } else {
    if (value !== undefined) choice("production")(value, name, { values: [] });
    into.values.push(undefined, undefined);
  }
};
trustedEnclave.isOptional = true;

const organizations = optional((value, name, into) => {
  const at = into.values.length;
  data(value, name, into);
  const known = JSON.parse(into.values[at]);
  if (typeof known !== "object" || known === null || Array.isArray(known)) refuse(name, "must be an object");
  if (!Object.values(known).every((id) => typeof id === "string" && id !== "")) {
    refuse(name, "must have texts that are not empty");
  }
});

/** `GridkeyOptions` */
const clientOptions = (value, name, into) => {
  readTransport(value, name, into);
  object({
    passkey: object({ rpId: optionalRpId, rpName: optionalName }),
    enclave: trustedEnclave,
    sessionKeys: optional(choice("sealed", "client-held")),
    timeoutMs: timeout,
    onRequest: optional(functionOf((listener) => (json) => listener(Object.freeze(JSON.parse(json))))),
    organizations,
  })(value, name, into);
};

/** A state of sign-in, as pages see it. */
function stateOf(json) {
  const state = JSON.parse(json);
  if (state.status === "signedIn") {
    const { session } = state;
    for (const time of ["createdAt", "expiresAt"]) session[time] = new Date(session[time]);
    Object.freeze(session);
  }
  return Object.freeze(state);
}

/**
 * The operations, and what they take before `call`: an id, if its path has one, and a body or query,
 * if it has one.
 */
export const OPERATIONS = {
  authorizeQuote: "quoteId body",
  challengeAuthCredential: "id body?",
  createAuthCredential: "body",
  createDelegatedKey: "body",
  createPasskeyRegistrationOptions: "body",
  createQuote: "body",
  executeQuote: "quoteId body?",
  exportInternalAccount: "id body",
  getAgentDeviceCodeStatus: "code",
  getDelegatedKeyById: "id",
  getQuoteById: "quoteId",
  listAuthCredentials: "query",
  listAuthSessions: "query",
  listCustomerInternalAccounts: "query",
  listDelegatedKeys: "query",
  refreshAuthSession: "id body",
  regenerateAgentDeviceCode: "agentId",
  resendQuoteScaCode: "quoteId",
  revokeAuthCredential: "id",
  revokeAuthSession: "id",
  revokeDelegatedKey: "id",
  updateCustomerById: "customerId body",
  updateInternalAccount: "id body",
  verifyAuthCredential: "id body",
};

/** The arguments of an operation: its name, what its row says, and the options of the call. */
const operation = (args, into) => {
  const [name, ...rest] = args;
  into.values.push(name);
  const row = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name].split(" ") : [];
  const isData = (parameter) => /^(body|query)/.test(parameter);
  for (const parameter of [row.find((parameter) => !isData(parameter)), row.find(isData)]) {
    if (!parameter) into.values.push(undefined);
    else (isData(parameter) ? (parameter === "body" ? dataObject : data) : id)(rest.shift(), parameter.replace("?", ""), into);
  }
  const header = optional(text(MAX_HEADER));
  call({ stamp: header, requestId: header, idempotencyKey: header })(rest[0], "call", into);
};

/**
 * All that can be called, and its parameters. The WebAssembly numbers the members of a class in
 * this order: first what gives promises, then methods and getters, and last what is asked for what
 * is `known` of an object. Functions and static methods are of no class.
 */
export const members = () => ({
  "": {
    promises: {
      requestPasskey: {
        challenge: object({ challenge: name, credentialId: text(MAX_CREDENTIAL_ID) }),
        options: call(passkeyOptions),
      },
      createPasskey: { registration: registration(), options: call(passkeyOptions) },
    },
    methods: {
      checkIntent: {
        payloadToSign: payload,
        intent: data,
        options: object({ now: optional(wholeNumber(0, 8.64e15, "whole milliseconds since 1970")) }),
      },
      passkeyChallengeBytes: { challenge: name },
      oauthNonce: { clientPublicKey: text(MAX_KEY) },
      "GridkeyClient.create": { options: clientOptions, changed: (changed, _, into) => into.values.push((json) => into.tell(stateOf(json), changed)) },
      "SessionKey.generate": {},
      "SessionKey.dangerouslyFromPrivateKey": { bytes: privateKey },
      "SealedKeyReceiver.generate": {},
      "SealedKeyReceiver.dangerouslyFromPrivateKey": { bytes: privateKey },
      "WalletExportKey.generate": {},
      "WalletExportKey.dangerouslyFromPrivateKey": { bytes: privateKey },
    },
  },
  GridkeyClient: {
    promises: {
      operation,
      listAuthMethods: { options: call({ accountId: id }) },
      preparePasskey: { options: call(credential) },
      signInWithPasskey: { options: call(credential) },
      sendOtp: { options: call(credential) },
      prepareOAuth: { options: call({ ...credential, clientId: optionalName, redirect: optional(flag) }) },
      resumeOAuth: { state: object({ ...credential, clientPublicKey: text(MAX_KEY), clientId: optionalName }) },
    },
    methods: {
      resumeOtp: {
        state: object({
          type: choice("EMAIL_OTP", "SMS_OTP"),
          authMethodId: id,
          accountId: id,
          sentTo: name,
          otpEncryptionTargetBundle: text(MAX_BUNDLE),
        }),
      },
      forgetOrganization: { accountId: id },
      adoptSession: {
        session: object({
          id: name,
          accountId: name,
          type: name,
          nickname: name,
          createdAt: name,
          updatedAt: name,
          expiresAt: name,
          credentialId: optional(text(MAX_BUNDLE)),
        }),
        key: handle("SessionKey"),
      },
    },
  },
  SessionKey: {
    promises: {
      stamp: { payloadToSign: payload, intent: data },
      dangerouslyStampUnchecked: { payloadToSign: payload },
    },
    methods: {
      sealOtpCode: {
        bundle: text(MAX_BUNDLE),
        code: otpCode,
        options: object({
          publicKeyEncoding: optional(choice("uncompressed", "compressed")),
          enclaveKey: optional(text(MAX_KEY)),
        }),
      },
      dangerouslyExportPrivateKey: {},
    },
    known: ["publicKey", "publicKeyUncompressed"],
  },
  SealedKeyReceiver: {
    methods: { open: { encryptedSessionSigningKey: id } },
    known: ["publicKey"],
  },
  WalletExportKey: {
    methods: {
      open: {
        encryptedWalletCredentials: text(MAX_BUNDLE),
        expected: object({ organizationId: id, enclaveKey: optional(text(MAX_KEY)) }),
      },
    },
    known: ["publicKey"],
  },
  PasskeySignIn: {
    promises: { confirm: { options: call() } },
    methods: { cancel: {} },
    known: ["authMethodId", "expiresAt"],
  },
  OtpSignIn: {
    promises: { submit: { code: otpCode, options: call() }, resend: { call: call() } },
    known: ["authMethodId", "sentTo", "state"],
  },
  OAuthSignIn: {
    promises: { submit: { idToken: text(MAX_TOKEN), options: call() } },
    known: ["authMethodId", "clientPublicKey", "nonce", "state"],
  },
  PasskeyEnrolment: {
    promises: { confirm: { call: call() } },
    methods: { cancel: {} },
    known: ["expiresAt"],
  },
  WalletSession: {
    promises: {
      preparePasskeyRegistration: {
        options: call({ nickname: name, userName: optionalName, userDisplayName: optionalName }),
      },
      addPasskey: { registration: registration(), call: call() },
      addOAuth: { options: call({ idToken: text(MAX_TOKEN), clientId: optionalName }) },
      addEmailOtp: { options: call({ email: name }) },
      addSmsOtp: { options: call({ phoneNumber: name }) },
      revokeAuthMethod: { id, options: call({ intent: optional(intentOf) }) },
      updateEmail: { options: call({ ...customer, email: name }) },
      updatePhoneNumber: { options: call({ ...customer, phoneNumber: name }) },
      updatePrivacy: { options: call({ allowBlindSigning: allowed, privateEnabled: flag }) },
      exportMnemonic: { options: call({ organizationId: optionalId }) },
      executeQuote: {
        quote: data,
        options: call({
          allowBlindSigning: allowed,
          scaFactor: optional(choice("SMS_OTP", "PASSKEY")),
          idempotencyKey: optionalId,
          signWith: optionalId,
        }),
      },
      createDelegatedKey: { options: call({ cardId: id, nickname: name, intent: intentOf }) },
      stamp: { payloadToSign: payload, intent: data },
      signedRequest: {
        request: call({
          method: choice("DELETE", "GET", "PATCH", "POST", "PUT"),
          path: text(MAX_PATH),
          body: data,
          intent: intentOrFunction,
        }),
      },
      refresh: { options: call({ revokeOld: optional(flag) }) },
      signOut: { call: call() },
      revokeSession: { id, call: call() },
    },
    getters: { isActive: {} },
    known: ["id", "authMethodId", "accountId", "type", "nickname", "createdAt", "expiresAt", "publicKey"],
  },
});

const LOST = "The WebAssembly stopped, and a fresh instance has taken its place. What was made before is gone: start again.";

/** What is thrown where an instance is lost. */
export const lostError = (cause) => instanceLost(LOST, cause);

/** Of each object of the classes: its class, its instance, its number there. */
const entries = new WeakMap();

/** Whether `value` is an object of this class, of whatever instance: one that is lost says so when it is used. */
export const isObjectOf = (className, value) => entries.get(value)?.className === className;

/** Whether nothing can be asked of an object any more. */
const isOver = (entry) => entry?.instance.lost || entry?.isFreed;

/** The number of an object that can be used. */
function usable(entry) {
  if (entry.instance.lost) throw lostError();
  if (entry.isFreed) throw usedAfterFree("This object was freed, or handed over to another one.");
  return entry.handle;
}

function handleOf(value, className, name) {
  if (!isObjectOf(className, value)) refuse(name, `must be a ${className}`);
  return usable(entries.get(value));
}

function omit() {}

function free() {
  const entry = entries.get(this);
  if (!entry || entry.isFreed) return;
  entry.isFreed = true;
  entry.instance.free(entry.handle);
}

/** The class whose plain facts can be read for ever: pages do so while they render. */
const SESSION = "WalletSession";

/** Whether a state is that of this session. Its key tells: the same session may be adopted twice. */
export const isStateOf = ({ session: facts }, session) =>
  session?.id === facts.id && entries.get(session).known.publicKey === facts.publicKey;

/** Of what is known of an object, what a getter of it gives. */
function pick(known, name) {
  if (!Object.hasOwn(known, name)) return undefined;
  return name.endsWith("At") ? new Date(known[name]) : Object.freeze(known[name]);
}

/**
 * Makes the classes and the functions of an instance; `classOf` gives the public class of a name.
 * Returns the functions, static methods with the names of their classes.
 */
export function bind(instance, classOf) {
  const classes = [];
  const registry = globalThis.FinalizationRegistry && new FinalizationRegistry((handle) => instance.free(handle));

  /** Who waits for the object of a session, by the state that speaks of it. */
  const waiting = new Map();

  /** Tells of a state: of a session's when there is an object of it, so that both change together. */
  const tell = (state, changed, session) => {
    waiting.delete(changed);
    if (changed(state, session) === false) waiting.set(changed, state);
  };

  /** A session's object that was made, or whose session may be another by now. */
  const met = (session) => {
    // Read, and so kept.
    void session.id;
    for (const [changed, state] of [...waiting]) tell(state, changed, session);
  };

  const objectOf = (handle) => {
    // The WebAssembly puts the number of the class into that of the object.
    const [className, prototype] = classes[handle % 16];
    const object = Object.create(prototype);
    // `structuredClone` refuses what has a function: a handle is not data.
    object.toJSON = omit;
    entries.set(object, { className, instance, handle, isFreed: false });
    registry?.register(object, handle);
    if (className === SESSION) met(object);
    return object;
  };

  const valueOf = (value, signal) => {
    if (typeof value === "number") return objectOf(value);
    if (typeof value !== "string") return value;
    if (value[0] !== "!") return JSON.parse(value);
    const { message, ...fields } = JSON.parse(value.slice(1));
    let cause;
    try {
      // What the caller's own signal says.
      if (fields.code === "aborted") cause = signal?.reason;
    } catch {
      // Then nobody knows.
    }
    throw new GridkeyError(message, fields, cause);
  };

  /** Reads the arguments and carries the call out, during which nothing is freed. */
  const carryOut = (number, handle, parameters, args, settle) =>
    instance.run(() => {
      const into = {
        values: [],
        signal: undefined,
        wiped: undefined,
        handleOf,
        tell,
        goOn() {
          if (instance.lost) throw lostError();
        },
      };
      try {
        if (typeof parameters === "function") parameters(args, into);
        else Object.entries(parameters).forEach(([name, read], index) => read(args[index], name, into));
        into.goOn();
        const done = settle && ((value) => settle(() => valueOf(value, into.signal)));
        const value = instance.call(number, handle, into.values, done);
        if (!settle) return valueOf(value, into.signal);
        if (value !== undefined) done(value);
      } finally {
        into.wiped?.fill(0);
      }
    });

  /** As `carryOut`; the promise of an instance that is lost is rejected. */
  const promised = (number, handleOfThis, parameters) =>
    function (...args) {
      return new Promise((resolve, reject) => {
        const handle = handleOfThis(this);
        const ended = instance.whenLost((cause) => reject(lostError(cause)));
        const settle = (outcome) => {
          ended();
          try {
            if (entries.get(this)?.className === SESSION) met(this);
            resolve(outcome());
          } catch (error) {
            reject(error);
          }
        };
        try {
          carryOut(number, handle, parameters, args, settle);
        } catch (error) {
          ended();
          throw error;
        }
      });
    };

  const atOnce = (number, handleOfThis, parameters) =>
    function (...args) {
      return carryOut(number, handleOfThis(this), parameters, args);
    };

  /** A getter that is false of an object that is over. */
  const unlessOver = (...more) => {
    const ask = atOnce(...more);
    return function () {
      return isOver(entries.get(this)) ? false : ask.call(this);
    };
  };

  const functions = {};
  for (const [className, row] of Object.entries(members())) {
    // Own members only, as everywhere.
    const { promises = {}, methods = {}, getters = {}, known = [] } = { __proto__: null, ...row };
    const Class = class extends (classOf(className) ?? Object) {};
    define(Class, "name", { value: className });
    const { prototype } = Class;
    const target = className ? prototype : functions;
    let number = 0;
    const add = (make, name, parameters, kind = "value") => {
      const handleOfThis = (object) => {
        if (!className) return 0;
        const entry = entries.get(object);
        if (entry?.className !== className || entry.instance !== instance) {
          throw invalidArgument(`\`${name}\` was taken off its ${className}.`);
        }
        return usable(entry);
      };
      define(target, name, {
        [kind]: make(number, handleOfThis, parameters),
        configurable: true,
        ...(kind === "value" && { writable: true }),
      });
    };
    for (const [make, group, kind] of [
      [promised, promises],
      [atOnce, methods],
      [unlessOver, getters, "get"],
    ]) {
      for (const [name, parameters] of Object.entries(group)) {
        add(make, name, parameters, kind);
        number++;
      }
    }
    for (const name of known) {
      add((...more) => {
        const all = atOnce(...more);
        return function () {
          const entry = entries.get(this);
          const isKept = className === SESSION && name !== "publicKey" && isOver(entry);
          const facts = isKept ? entry.known : all.call(this);
          entry.known = facts;
          return pick(facts, name);
        };
      }, name, {}, "get");
    }
    if (!className) continue;
    classes.push([className, prototype]);
    for (const name of ["free", Symbol.dispose]) {
      if (name) define(prototype, name, { value: free, configurable: true, writable: true });
    }
  }
  return functions;
}
