// Finds what is left of a secret in a memory: any piece of it, in any form that bytes and texts are
// written in, and in those in which this package computes.

import { hex, utf8 } from "./subject.mjs";

/** FIPS 186-4, D.1.2.3. */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const LIMB = 29n;

const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const numberOf = (bytes) => BigInt(`0x${hex(bytes)}`);

export function base58(bytes) {
  let text = "";
  for (let number = numberOf(bytes); number > 0n; number /= 58n) text = BASE58[Number(number % 58n)] + text;
  return text;
}

/** Nine limbs of 29 bits, in 32 bits each; `balanced` ones are from -2^28 to 2^28 - 1. */
function limbs(number, balanced) {
  const view = new DataView(new ArrayBuffer(36));
  for (let index = 0; index < 9; index++) {
    let limb = number & ((1n << LIMB) - 1n);
    if (balanced && limb >> (LIMB - 1n)) limb -= 1n << LIMB;
    if (index === 8) limb = number;
    view.setInt32(4 * index, Number(BigInt.asIntN(32, limb)), true);
    number = (number - limb) >> LIMB;
  }
  return new Uint8Array(view.buffer);
}

/** The forms of a number modulo n that the curve's code computes in. */
function* scalarForms(bytes) {
  const number = numberOf(bytes);
  yield ["limbs", limbs(number, false)];
  // Montgomery's form, and what is one n away from it.
  const montgomery = (number << 261n) % N;
  for (const [name, form] of [["montgomery", montgomery], ["montgomery-n", montgomery - N], ["montgomery+n", montgomery + N]]) {
    yield [name, limbs(form, true)];
    if (form > 0n) yield [`${name} unsigned`, limbs(form, false)];
  }
}

/** base64 of bytes that stand at any place of a longer text: what of it does not depend on the others. */
function* base64Forms(bytes) {
  for (let before = 0; before < 3; before++) {
    const text = base64(new Uint8Array([...new Uint8Array(before), ...bytes]));
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor(((before + bytes.length) * 8) / 6);
    const inner = text.slice(from, to);
    yield [`base64+${before}`, inner];
    yield [`base64url+${before}`, inner.replaceAll("+", "-").replaceAll("/", "_")];
  }
}

/** All forms of a secret: names and bytes, and how long a piece must be to be told from chance. */
export function* formsOf(bytes, { piece, scalar }) {
  yield ["raw", bytes, piece];
  yield ["reversed", Uint8Array.from(bytes).reverse(), piece];
  const words = Uint8Array.from({ length: bytes.length & ~3 }, (_, index) => bytes[index ^ 3]);
  yield ["words", words, piece];
  yield ["words reversed", Uint8Array.from(words).reverse(), piece];
  yield ["hex", utf8(hex(bytes)), 2 * piece];
  yield ["HEX", utf8(hex(bytes).toUpperCase()), 2 * piece];
  yield ["utf-16", Uint8Array.from({ length: 2 * bytes.length }, (_, index) => (index & 1 ? 0 : bytes[index >> 1])), 2 * piece];
  const digits = Math.ceil((piece * 8) / 6);
  for (const [name, text] of base64Forms(bytes)) yield [name, utf8(text), digits];
  if (bytes.length <= 64) yield ["base58", utf8(base58(bytes)), Math.ceil(piece * 1.5)];
  if (scalar && bytes.length === 32) for (const [name, form] of scalarForms(bytes)) yield [name, form, piece];
}

const BITS = 20;
const slot = (word) => Math.imul(word, 0x9e3779b1) >>> (32 - BITS);
const wordAt = (bytes, at) => bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);

/** Of hexadecimal numbers, in ASCII. */
const isDigit = (byte) => /^[\da-f]$/i.test(String.fromCharCode(byte));

/** Looks for pieces of many secrets at once. */
export class Search {
  #pieces = new Map();
  #filter = new Uint8Array(1 << BITS);
  size = 0;

  /**
   * A secret; `piece` is how many bytes of it, one after the other, are too many. One that is but a
   * few digits may be in other numbers by chance: with `alone` those do not count. `only` says in which forms.
   */
  add(name, secret, { piece = 8, scalar = true, alone = false, only } = {}) {
    const bytes = typeof secret === "string" ? utf8(secret) : secret;
    this.size++;
    for (const [form, text, length] of formsOf(bytes, { piece, scalar: scalar && typeof secret !== "string" })) {
      if (only && !only.test(form)) continue;
      for (let from = 0; from + length <= text.length; from++) {
        const part = text.subarray(from, from + length);
        const word = wordAt(part, 0);
        // Zeros are everywhere.
        if (word === 0) continue;
        this.#filter[slot(word)] = 1;
        const pieces = this.#pieces.get(word);
        const found = { name, form, part, alone };
        if (pieces) pieces.push(found);
        else this.#pieces.set(word, [found]);
      }
    }
    return this;
  }

  /** Names and forms of what is in these bytes; `where` is told where, and what stands around it. */
  in(buffer, where) {
    const hay = new Uint8Array(buffer);
    const found = new Set();
    let word = wordAt(hay, 0);
    for (let at = 0; at + 4 <= hay.length; at++) {
      if (word !== 0 && this.#filter[slot(word)]) {
        for (const { name, form, part, alone } of this.#pieces.get(word) ?? []) {
          if (!part.every((byte, index) => hay[at + index] === byte)) continue;
          if (alone && (isDigit(hay[at - 1]) || isDigit(hay[at + part.length]))) continue;
          found.add(`${name}: ${form}`);
          where?.(at, String.fromCharCode(...hay.subarray(at - 40, at + 40)).replace(/[^ -~]/g, "."));
        }
      }
      word = (word >>> 8) | (hay[at + 4] << 24);
    }
    return [...found].sort();
  }
}
