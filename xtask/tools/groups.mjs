// Prints where the bytes of a module with names are: each function's length, summed up by what the
// function belongs to.
//
//     node groups.mjs MODULE

import { readFileSync } from "node:fs";

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
  ["allocator", /alloc::(.*::)?dealloc|dlmalloc|__rdl_|__rust_(de|re)?alloc|Allocator/],
  ["standard library", /\b(core|alloc|std|futures_lite)\b/],
];

const bytes = readFileSync(process.argv[2]);
let at = 8;
const read = () => {
  let [value, shift, byte] = [0, 0, 0];
  do {
    byte = bytes[at++];
    value |= (byte & 127) << shift;
    shift += 7;
  } while (byte & 128);
  return value >>> 0;
};
const text = () => {
  const length = read();
  return bytes.subarray(at, (at += length)).toString();
};

const sizes = new Map();
const add = (group, size) => sizes.set(group, (sizes.get(group) ?? 0) + size);
const lengths = [];
const names = new Map();
let imported = 0;

while (at < bytes.length) {
  const id = bytes[at++];
  const length = read();
  const end = at + length;
  if (id === 0 && text() === "name") {
    while (at < end) {
      const subsection = bytes[at++];
      const subsectionEnd = read() + at;
      if (subsection === 1) for (let left = read(); left > 0; left--) names.set(read(), text());
      at = subsectionEnd;
    }
  } else if (id === 2) {
    imported = importedFunctions();
    add("imports and exports", length);
  } else if (id === 10) {
    for (let left = read(); left > 0; left--) {
      const size = read();
      lengths.push(size);
      at += size;
    }
  } else if (id === 11) {
    add("data: messages, tables", length);
  } else if (id !== 0) {
    add(id === 7 ? "imports and exports" : "the module's own tables", length);
  }
  at = end;
}

lengths.forEach((size, index) => {
  const name = names.get(imported + index) ?? "";
  add(GROUPS.find(([, pattern]) => pattern.test(name))?.[0] ?? "other", size);
});

console.log(JSON.stringify([...sizes].sort(([, a], [, b]) => b - a).map(([name, raw]) => ({ name, raw }))));

function importedFunctions() {
  let functions = 0;
  for (let left = read(); left > 0; left--) {
    text();
    text();
    const kind = bytes[at++];
    if (kind === 0) {
      functions++;
      read();
    } else if (kind === 1) {
      at++;
      limits();
    } else if (kind === 2) limits();
    else at += 2;
  }
  return functions;
}

function limits() {
  const hasMaximum = bytes[at++] & 1;
  read();
  if (hasMaximum) read();
}
