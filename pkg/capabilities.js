// What this browser can do, as far as it says.

import { result } from "./host.js";

/** Each true, false, or "unknown" where the browser does not say. */
export async function capabilities() {
  const [passkeys, platformAuthenticator, autofill, persistentKeys] = await Promise.all([
    hasPasskeys(),
    ask("isUserVerifyingPlatformAuthenticatorAvailable"),
    ask("isConditionalMediationAvailable"),
    keepsKeys(),
  ]);
  return Object.freeze({ passkeys, platformAuthenticator, autofill, persistentKeys });
}

function hasPasskeys() {
  return Boolean(globalThis.isSecureContext && globalThis.PublicKeyCredential && globalThis.navigator?.credentials);
}

/** A question that `PublicKeyCredential` answers. */
async function ask(question) {
  if (!hasPasskeys()) return false;
  if (typeof PublicKeyCredential[question] !== "function") return "unknown";
  try {
    return Boolean(await PublicKeyCredential[question]());
  } catch {
    return "unknown";
  }
}

/** Whether a key that no script can read survives in IndexedDB. Some private modes refuse it. */
async function keepsKeys() {
  if (!globalThis.indexedDB || !globalThis.crypto?.subtle) return false;
  const name = `gridkey-trial-${crypto.randomUUID?.()}`;
  try {
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const { privateKey } = await crypto.subtle.generateKey(algorithm, false, ["sign"]);
    const opening = indexedDB.open(name);
    opening.onupgradeneeded = () => opening.result.createObjectStore(name);
    const database = await result(opening);
    try {
      await result(database.transaction(name, "readwrite").objectStore(name).put(privateKey, 0));
      const kept = await result(database.transaction(name).objectStore(name).get(0));
      return kept instanceof CryptoKey;
    } finally {
      database.close();
      await result(indexedDB.deleteDatabase(name));
    }
  } catch {
    return false;
  }
}
