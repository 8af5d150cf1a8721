// What is tested: the package as it is shipped, in Node or in a page, and what a script of the page
// can see of it: every memory, and all randomness that was drawn for it.

export const inPage = typeof document === "object";

/** The memories of the last instances, in the order in which they began. A browser has no room for many more. */
export const memories = [];
/** How many instances have begun. */
export const begun = { number: 0 };
const { instantiate, Instance } = WebAssembly;
const see = (module, { exports }) => {
  // Node's `fetch` has a WebAssembly as well.
  if (WebAssembly.Module.customSections(module, "gridkey").length === 0) return;
  memories.push(Object.values(exports).find((value) => value instanceof WebAssembly.Memory));
  memories.splice(0, memories.length - 3);
  begun.number++;
};
WebAssembly.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  // Of bytes it comes with its module.
  if (module instanceof WebAssembly.Module) see(module, instance);
  return instance;
};
WebAssembly.Instance = function (module, imports) {
  const instance = new Instance(module, imports);
  see(module, instance);
  return instance;
};

/** What a WebAssembly drew: private keys that nobody else knows. */
export const drawn = [];
const getRandomValues = crypto.getRandomValues.bind(crypto);
crypto.getRandomValues = (array) => {
  getRandomValues(array);
  if (memories.some(({ buffer }) => buffer === array.buffer)) drawn.push(Uint8Array.from(array));
  return array;
};

/** Private keys that the test Grid has made and sealed: it writes them as JWK. */
export const sealed = [];
const { exportKey } = crypto.subtle;
crypto.subtle.exportKey = async (...args) => {
  const exported = await Reflect.apply(exportKey, crypto.subtle, args);
  if (typeof exported.d === "string") sealed.push(fromBase64url(exported.d));
  return exported;
};

/** Whatever is written to the console. */
export const logged = [];
for (const method of ["debug", "error", "info", "log", "trace", "warn"]) {
  const real = console[method];
  console[method] = (...args) => {
    logged.push(args);
    Reflect.apply(real, console, args);
  };
}

export const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
export const random = (length) => getRandomValues(new Uint8Array(length));
export const utf8 = (text) => new TextEncoder().encode(text);
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
export const soon = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A file of the repository. */
export async function file(path) {
  const url = new URL(`../../${path}`, import.meta.url);
  if (inPage) return new Uint8Array(await (await fetch(url)).arrayBuffer());
  const { readFile } = await import("node:fs/promises");
  return readFile(url);
}
export const textOf = async (path) => new TextDecoder().decode(await file(path));

const show = inPage
  ? (value) => `${String(value)} ${JSON.stringify(Object.entries(Object.getOwnPropertyDescriptors(Object(value))))}`
  : (await import("node:util")).inspect;

/** Everything that can be said of a value: what a log would show. */
export function inspect(value) {
  try {
    return show(value);
  } catch {
    // Of what the page itself has given as a reason.
    return "something that cannot be looked at";
  }
}

const entry = inPage ? "index" : "node";
export const gridkey = await import(`../../pkg/${entry}.js`);
export const testing = await import("../../pkg/testing/index.js");
export const { members, OPERATIONS } = await import("../../pkg/bridge.js");

await gridkey.init();

const NOW = Date.now;

/** Stops the running instance, as a page does that breaks what the WebAssembly calls. */
export function loseInstance() {
  const wallet = gridkey.createGridkey({ transport() {} }).adoptSession(authSession(), gridkey.SessionKey.generate());
  Date.now = () => {
    throw new Error("broken by the page");
  };
  try {
    void wallet.isActive;
  } catch {
    // It is lost.
  } finally {
    Date.now = NOW;
  }
}

/** A session as Grid gives one, for `adoptSession`. */
export function authSession(more) {
  const now = new Date(NOW()).toISOString();
  const expiresAt = new Date(NOW() + 600_000).toISOString();
  return { id: "Session:1", accountId: "InternalAccount:1", type: "EMAIL_OTP", nickname: "a", createdAt: now, updatedAt: now, expiresAt, ...more };
}
