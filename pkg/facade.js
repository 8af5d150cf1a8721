// What the package offers, around an instance that loads when it is first needed.

import { OPERATIONS, isStateOf } from "./bridge.js";
import { invalidArgument, usedAfterFree } from "./errors.js";
import { publicClass, publicFunction, publicPromiseFunction, running } from "./instance.js";

const KEY_STATICS = ["generate", "dangerouslyFromPrivateKey"];

export const SessionKey = /* @__PURE__ */ publicClass("SessionKey", KEY_STATICS);
export const SealedKeyReceiver = /* @__PURE__ */ publicClass("SealedKeyReceiver", KEY_STATICS);
export const WalletExportKey = /* @__PURE__ */ publicClass("WalletExportKey", KEY_STATICS);
export const PasskeySignIn = /* @__PURE__ */ publicClass("PasskeySignIn");
export const OtpSignIn = /* @__PURE__ */ publicClass("OtpSignIn");
export const OAuthSignIn = /* @__PURE__ */ publicClass("OAuthSignIn");
export const PasskeyEnrolment = /* @__PURE__ */ publicClass("PasskeyEnrolment");
export const WalletSession = /* @__PURE__ */ publicClass("WalletSession");

export const checkIntent = /* @__PURE__ */ publicFunction("checkIntent");
export const passkeyChallengeBytes = /* @__PURE__ */ publicFunction("passkeyChallengeBytes");
export const oauthNonce = /* @__PURE__ */ publicFunction("oauthNonce");
export const requestPasskey = /* @__PURE__ */ publicPromiseFunction("requestPasskey");
export const createPasskey = /* @__PURE__ */ publicPromiseFunction("createPasskey");

const SIGNED_OUT = /* @__PURE__ */ Object.freeze({ status: "signedOut" });
const LOST = /* @__PURE__ */ Object.freeze({ status: "signedOut", reason: "lost" });

/** Plain objects, and those in them; whatever else it is as it is. */
function copied(value, depth) {
  if (depth === 0 || Object.getPrototypeOf(value ?? 0) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copied(member, depth - 1)]));
}

/** Not in a method: all functions that are made in one hold its `this`, if one of them does. */
const weakly = (client) => (globalThis.WeakRef ? new WeakRef(client) : { deref: () => client });

/** The clients that somebody listens to: they are kept, though nobody may have them otherwise. */
const observed = /* @__PURE__ */ new Set();

/** A client. What it needs of the WebAssembly it makes when it is first asked for something. */
export class Gridkey {
  #options;
  #load;
  #state = SIGNED_OUT;
  #session;
  #listeners = new Set();
  #instance;
  #client;
  #whenLost;
  #freed = false;

  /** @param {() => Promise<void>} load loads the WebAssembly */
  constructor(options, load) {
    if (typeof load !== "function") throw invalidArgument("A Gridkey is not made with `new`: call createGridkey().");
    // As they are now, also those inside others: later changes change nothing.
    try {
      // Of a text it would be its characters.
      this.#options = copied(typeof options === "object" ? { ...options } : options, 3);
    } catch (error) {
      throw invalidArgument("`options` could not be read: it threw an exception.", error);
    }
    this.#load = load;
    const operation = (name) => async (...args) => (await this.#loaded()).operation(name, ...args);
    const api = Object.keys(OPERATIONS).map((name) => [name, operation(name)]);
    this.api = Object.freeze(Object.fromEntries(api));
  }

  get state() {
    return this.#state;
  }

  get session() {
    return this.#session;
  }

  /** A property and no method: it is handed on without its client, as to React's `useSyncExternalStore`. */
  subscribe = (listener) => {
    if (typeof listener !== "function") throw invalidArgument("`listener` must be a function.");
    // An entry of its own, so that a function may be subscribed twice.
    const entry = { listener };
    this.#listeners.add(entry);
    if (!this.#freed) observed.add(this);
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size === 0) observed.delete(this);
    };
  };

  async listAuthMethods(options) {
    return (await this.#loaded()).listAuthMethods(options);
  }

  async preparePasskey(options) {
    return (await this.#loaded()).preparePasskey(options);
  }

  async signInWithPasskey(options) {
    return (await this.#loaded()).signInWithPasskey(options);
  }

  async sendOtp(options) {
    return (await this.#loaded()).sendOtp(options);
  }

  async resumeOtp(state) {
    return (await this.#loaded()).resumeOtp(state);
  }

  async prepareOAuth(options) {
    return (await this.#loaded()).prepareOAuth(options);
  }

  async resumeOAuth(state) {
    return (await this.#loaded()).resumeOAuth(state);
  }

  async forgetOrganization(accountId) {
    return (await this.#loaded()).forgetOrganization(accountId);
  }

  adoptSession(session, key) {
    const client = this.#open();
    return client.adoptSession(session, key);
  }

  free() {
    this.#freed = true;
    this.#session = undefined;
    this.#listeners.clear();
    observed.delete(this);
    this.#whenLost?.();
    this.#client?.free();
  }

  async #loaded() {
    if (!this.#freed) await this.#load();
    return this.#open();
  }

  #open() {
    if (this.#freed) throw usedAfterFree("This Gridkey was freed.");
    const instance = running();
    if (this.#instance !== instance) {
      // Both hold what they tell. Held by them, a client that nobody has any more would never be
      // collected, and its session's key never be wiped.
      const weak = weakly(this);
      const change = (...told) => weak.deref()?.#change(...told);
      this.#client = instance.functions["GridkeyClient.create"](this.#options, change);
      this.#instance = instance;
      this.#whenLost = instance.whenLost(() => {
        if (weak.deref()?.#state.status === "signedIn") change(LOST);
      });
    }
    return this.#client;
  }

  /** `false` of a session that has no object yet: then it is called again, with the object. */
  #change(state, session = this.#session) {
    if (this.#freed) return;
    if (state.session && !isStateOf(state, session)) return false;
    this.#state = state;
    this.#session = state.session && session;
    for (const { listener } of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        // The other listeners, and the call that is going on, must not fail with it.
        globalThis.reportError?.(error);
      }
    }
  }
}

if (Symbol.dispose) Gridkey.prototype[Symbol.dispose] = Gridkey.prototype.free;
