// The encodings of Grid's formats, of WebAuthn and of what is between WebCrypto and them.
//
// What reads is strict and gives undefined for what is not of the form: the test Grid refuses what
// Grid would refuse.

export const utf8 = (text) => new TextEncoder().encode(text);

/** The text of UTF-8, or undefined. */
export function readUtf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The JSON in a text, or undefined. */
export function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether `value` is an object of exactly these members, all of them texts. */
export const isTexts = (value, names) =>
  value !== null &&
  typeof value === "object" &&
  Object.keys(value).length === names.length &&
  names.every((name) => typeof value[name] === "string");

export function concat(...parts) {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export const isEqual = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function readHex(text) {
  if (typeof text !== "string" || !/^(?:[0-9a-f]{2})*$/i.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

/** Without padding: RFC 4648 section 5. */
export const base64url = (bytes) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

export function readBase64url(text) {
  if (typeof text !== "string" || !/^[\w-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) =>
    character.charCodeAt(0),
  );
  // Bits that stand for nothing must be zero.
  return base64url(bytes) === text ? bytes : undefined;
}

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** In Bitcoin's alphabet. */
export function base58(bytes) {
  let text = "";
  for (let number = BigInt(`0x${hex(bytes)}`); number > 0n; number /= 58n) text = BASE58[Number(number % 58n)] + text;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros < 0 ? bytes.length : zeros) + text;
}

/** ECDSA P-256: WebCrypto's r || s as DER. */
export function der(signature) {
  const integer = (bytes) => {
    let from = 0;
    while (from < 31 && bytes[from] === 0) from++;
    const minimal = bytes.slice(from);
    const positive = minimal[0] & 0x80 ? concat([0], minimal) : minimal;
    return concat([2, positive.length], positive);
  };
  const both = concat(integer(signature.slice(0, 32)), integer(signature.slice(32)));
  return concat([0x30, both.length], both);
}

/** The r || s of strict DER, or undefined. */
export function readDer(bytes) {
  if (bytes === undefined || bytes[0] !== 0x30 || bytes[1] !== bytes.length - 2) return undefined;
  let at = 2;
  const integers = [];
  for (let count = 0; count < 2; count++) {
    const length = bytes[at + 1];
    const integer = bytes.slice(at + 2, at + 2 + length);
    if (bytes[at] !== 2 || length < 1 || length > 33 || integer.length !== length) return undefined;
    const isPadded = integer[0] === 0;
    if (integer[0] & 0x80 || (isPadded && length > 1 && !(integer[1] & 0x80)) || (length === 33 && !isPadded)) {
      return undefined;
    }
    const digits = length === 33 ? integer.slice(1) : integer;
    integers.push(concat(new Uint8Array(32 - digits.length), digits));
    at += 2 + length;
  }
  return at === bytes.length ? concat(...integers) : undefined;
}

/** CBOR (RFC 8949) of whole numbers below 2^16, texts, bytes and Maps. */
export function cbor(value) {
  const head = (type, number) => {
    if (number < 24) return [(type << 5) | number];
    return number < 256 ? [(type << 5) | 24, number] : [(type << 5) | 25, number >> 8, number & 255];
  };
  if (typeof value === "number") return Uint8Array.from(value < 0 ? head(1, -1 - value) : head(0, value));
  if (typeof value === "string") return concat(head(3, utf8(value).length), utf8(value));
  if (value instanceof Map) {
    const members = [...value].flatMap(([key, member]) => [cbor(key), cbor(member)]);
    return concat(head(5, value.size), ...members);
  }
  return concat(head(2, value.length), value);
}

/** One CBOR value and how long it is, or undefined: what WebAuthn's objects are made of. */
export function readCbor(bytes) {
  let at = 0;
  const take = (length) => {
    if (at + length > bytes.length) throw new RangeError("cut off");
    at += length;
    return bytes.slice(at - length, at);
  };
  const read = (depth) => {
    if (depth > 8) throw new RangeError("too deep");
    const [first] = take(1);
    const [type, info] = [first >> 5, first & 31];
    if (info > 26) throw new RangeError("not definite");
    const number = info < 24 ? info : take(1 << (info - 24)).reduce((sum, byte) => sum * 256 + byte, 0);
    switch (type) {
      case 0:
        return number;
      case 1:
        return -1 - number;
      case 2:
        return take(number);
      case 3:
        return new TextDecoder("utf-8", { fatal: true }).decode(take(number));
      case 4:
        return Array.from({ length: Math.min(number, bytes.length) }, () => read(depth + 1));
      case 5: {
        const map = new Map();
        for (let count = 0; count < number; count++) map.set(read(depth + 1), read(depth + 1));
        return map;
      }
      case 7:
        if (info === 20 || info === 21) return info === 21;
      // falls through
      default:
        throw new RangeError("not in WebAuthn");
    }
  };
  try {
    return { value: read(0), length: at };
  } catch {
    return undefined;
  }
}
