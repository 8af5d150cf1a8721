// Prints where the bytes of a module with names are: each function's length, summed up by what the
// function belongs to.
//
//     node groups.mjs MODULE

import { readFileSync } from "node:fs";
import { parse } from "./wasm.mjs";

/** Of the first that fits. What rustc makes of a closure, and of a type's end, has its owner's name. */
const GROUPS = [
  ["curve, ECDSA", /gridkey::crypto::(p256|key)|^(<?&?)?(p256|primeorder|crypto_bigint|ecdsa|elliptic_curve|primefield|wnaf)\b/],
  ["AES-GCM, SHA-256, HKDF, HPKE", /gridkey::crypto::(hpke|random|stack)|\b(aes|aes_gcm|cipher|ctr|ghash|polyval|sha2|hmac|hkdf|rfc6979|digest|block_buffer|universal_hash|aead)::/],
  ["encodings, JSON, bundles", /gridkey::crypto::|\b(base16ct|base64ct|bs58)::/],
  ["Grid's texts and intents", /gridkey::formats::/],
  ["operations", /gridkey::api::/],
  ["flows", /gridkey::flow::/],
  ["browser", /gridkey::web::|\b(js_sys|web_sys|wasm_bindgen\w*|__wbindgen\w*|__externref\w*)\b|shim|^__wb/],
  ["errors and the rest of gridkey", /gridkey::|gridkey/],
  // What JavaScript calls, and what the flows do after they have waited: rustc keeps no more of a name.
  ["methods and steps: closures", /FnOnce::call_once/],
  ["allocator", /alloc::(.*::)?dealloc|dlmalloc|__rdl_|__rust_(de|re)?alloc|Allocator/],
  ["standard library", /\b(core|alloc|std|futures_lite)\b/],
];

const { sections, functions } = parse(readFileSync(process.argv[2]));

const sizes = new Map();
const add = (group, size) => sizes.set(group, (sizes.get(group) ?? 0) + size);
for (const { name, body } of functions) add(GROUPS.find(([, pattern]) => pattern.test(name))?.[0] ?? "other", body.length);
for (const { id, length } of sections) {
  if (id === 2 || id === 7) add("imports and exports", length);
  else if (id === 11) add("data: messages, tables", length);
  // 0: names, and the like, which the package's module has not; 10: the functions.
  else if (id !== 0 && id !== 10) add("the module's own tables", length);
}

console.log(JSON.stringify([...sizes].sort(([, a], [, b]) => b - a).map(([name, raw]) => ({ name, raw }))));
