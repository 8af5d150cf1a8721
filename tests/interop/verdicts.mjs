// Bundles, signatures, tokens and keys that are not as they should be: who takes them. Each class is a
// change to one part of a valid one, so a class has one verdict for each peer, whatever the keys are.

import assert from "node:assert/strict";

import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { N, scalarHex } from "./dice.mjs";
import { base58Check, byHand, bytes, compressed, envelopeOf, gridkey, hex, openssl, publicKey, seal, sign, signRaw, turnkey, utf8 } from "./peers.mjs";

const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;

/**
 * Where gridkey takes what others refuse, and why that is meant. One that is not in here is a failure.
 * By kind and class.
 */
export const WHY_TAKEN = {
  "signed bundle / enclaveQuorumPublic in upper case": "Keys are compared as points: it is the same key.",
  "verification token / public_key uncompressed": "Keys are compared as points: it is the same key.",
  "verification token / without `id`": "Nothing is decided by `id`, so nothing depends on it.",
};

// What is changed, in bytes.

const flip = (at, bit = 1) => (part) => {
  const altered = Uint8Array.from(part);
  altered[at < 0 ? altered.length + at : at] ^= bit;
  return altered;
};
const concat = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));

/** By the dice: a bit of it, an end of it, more of it, a piece of it twice. */
const damages = (dice) => ({
  "a bit flipped": (part) => flip(dice.below(part.length), 1 << dice.below(8))(part),
  "its end cut off": (part) => part.subarray(0, dice.below(part.length)),
  "longer by some bytes": (part) => concat(part, dice.bytes(1 + dice.below(20))),
  "a piece of it twice": (part) => {
    const from = dice.below(part.length);
    const to = from + 1 + dice.below(part.length - from);
    return concat(part.subarray(0, to), part.subarray(from));
  },
});

// The kinds. `make` gives a valid one and its parts, `classes` what it becomes, and `read` who reads it.

/** encryptedSessionSigningKey */
function sealedKeys(dice) {
  const [receiver, session, ephemeral] = [dice.scalar(), dice.scalar(), dice.scalar()];
  const sealed = (plaintext) => {
    const { encapped, ciphertext } = seal(publicKey(receiver), ephemeral, plaintext);
    return { enc: compressed(encapped), ciphertext };
  };
  const { enc, ciphertext } = sealed(bytes(session));
  const payload = concat(enc, ciphertext);
  const valid = base58Check.encode(payload);
  const body = ciphertext.subarray(0, 32);
  const tag = ciphertext.subarray(32);
  const classes = {};
  for (const [name, damage] of Object.entries(damages(dice))) {
    classes[`the text: ${name}`] = () => Buffer.from(damage(utf8(valid))).toString("latin1");
    classes[`the payload: ${name}`] = () => base58Check.encode(damage(payload));
    classes[`the ciphertext: ${name}`] = () => base58Check.encode(concat(enc, damage(body), tag));
    classes[`the tag: ${name}`] = () => base58Check.encode(concat(enc, body, damage(tag)));
  }
  const raw = concat(payload, base58Check.checksum(payload));
  for (let at = -4; at < 0; at++) classes[`the checksum: byte ${at + 5}`] = () => base58Check.encodeRaw(flip(at, 1 << dice.below(8))(raw));
  for (const first of [0, 1, 4, 5, 6, 7]) classes[`enc begins with 0${first}`] = () => base58Check.encode(concat([first], payload.subarray(1)));
  classes["enc is the other point of its x"] = () => base58Check.encode(flip(0)(payload));
  classes["enc has x ≥ p"] = () => base58Check.encode(concat([2], bytes(scalarHex(P + 5n)), ciphertext));
  classes["enc is no point"] = () => base58Check.encode(concat([2], bytes(noPoint(dice)), ciphertext));
  classes["enc uncompressed"] = () => base58Check.encode(concat(bytes(publicKey(ephemeral)), ciphertext));
  classes["no ciphertext"] = () => base58Check.encode(enc);
  classes["nothing"] = () => "";
  for (const [name, text] of Object.entries({ "a space before it": ` ${valid}`, "a line feed after it": `${valid}\n`, "a `1` before it": `1${valid}`, "a `0` in it": `0${valid.slice(1)}` })) {
    classes[`the text: ${name}`] = () => text;
  }
  for (const length of [0, 1, 31, 33, 64]) {
    classes[`it holds ${length === 1 ? "a byte" : `${length} bytes`}`] = () => {
      const { enc, ciphertext } = sealed(concat(Uint8Array.of(1), dice.bytes(length)).subarray(0, length));
      return base58Check.encode(concat(enc, ciphertext));
    };
  }
  for (const [name, number] of Object.entries({ "0": 0n, n: N, "n + 1": N + 1n, "2²⁵⁶ - 1": (1n << 256n) - 1n })) {
    classes[`it holds the number ${name}`] = () => {
      const { enc, ciphertext } = sealed(bytes(scalarHex(number)));
      return base58Check.encode(concat(enc, ciphertext));
    };
  }
  const open = (peer) => (text) => peer.openSessionKey(text, receiver);
  return { kind: "sealed session key", valid, value: session, classes, readers: { gridkey: open(gridkey), Turnkey: open(turnkey), "by hand": open(byHand) } };
}

/** x of no point. */
function noPoint(dice) {
  for (;;) {
    const x = dice.scalar();
    try {
      p256.Point.fromHex(`02${x}`);
    } catch {
      return x;
    }
  }
}

// DER

const integer = (digits) => concat([2, digits.length], digits);
const sequence = (body) => concat([0x30, body.length], body);
const minimal = (number) => {
  const digits = bytes(number.toString(16).padStart(number.toString(16).length + (number.toString(16).length % 2), "0"));
  return digits[0] < 0x80 ? digits : concat([0], digits);
};

/**
 * Other texts than a signature's own. `r` and `s` are of 32 bytes and positive without a zero before them; those of `high` are
 * not.
 */
function derClasses({ r, s }, high, dice) {
  const der = (a, b) => sequence(concat(integer(a), integer(b)));
  const [R, S] = [minimal(r), minimal(s)];
  const valid = der(R, S);
  const [HIGH_R, HIGH_S] = [minimal(high.r), minimal(high.s)];
  const classes = {
    "a byte after it": () => concat(valid, [0]),
    "a byte after it, within the sequence": () => sequence(concat(integer(R), integer(S), [0])),
    "the sequence's length too small": () => concat([0x30, valid[1] - 1], valid.subarray(2)),
    "the sequence's length too large": () => concat([0x30, valid[1] + 1], valid.subarray(2)),
    "the sequence's length 0": () => concat([0x30, 0], valid.subarray(2)),
    "the length in two bytes": () => concat([0x30, 0x81], valid.subarray(1)),
    "indefinite length": () => concat([0x30, 0x80], valid.subarray(2), [0, 0]),
    "another tag than a sequence's": () => concat([0x31], valid.subarray(1)),
    "r has a zero too many": () => der(concat([0], R), S),
    "s has a zero too many": () => der(R, concat([0], S)),
    "r without the zero that keeps it positive": () => der(HIGH_R.subarray(1), HIGH_S),
    "s without the zero that keeps it positive": () => der(HIGH_R, HIGH_S.subarray(1)),
    "r has a zero too many, and is longer than any": () => der(concat([0], HIGH_R), HIGH_S),
    "r is 0": () => der(Uint8Array.of(0), S),
    "s is 0": () => der(R, Uint8Array.of(0)),
    "r is empty": () => der(new Uint8Array(), S),
    "r is r + n": () => der(minimal(r + N), S),
    "s is s + n": () => der(R, minimal(s + N)),
    "s is n": () => der(R, minimal(N)),
    "r and s swapped": () => der(S, R),
    "s has another tag": () => sequence(concat(integer(R), [3, S.length], S)),
    "s's length too small": () => sequence(concat(integer(R), [2, S.length - 1], S)),
    "s's length too large": () => sequence(concat(integer(R), [2, S.length + 1], S)),
    "r twice": () => sequence(concat(integer(R), integer(R))),
    "one more integer": () => sequence(concat(integer(R), integer(S), integer(S))),
    "r alone": () => sequence(integer(R)),
    "r || s, without DER": () => concat(bytes(scalarHex(r)), bytes(scalarHex(s))),
    "nothing": () => new Uint8Array(),
    "s is n - s": () => der(R, minimal(N - s)),
  };
  for (const [name, damage] of Object.entries(damages(dice))) {
    if (name === "longer by some bytes") continue;
    classes[`r: ${name}`] = () => der(damage(R), S);
    classes[`s: ${name}`] = () => der(R, damage(S));
  }
  return { valid, classes };
}

function signatures(dice) {
  const signer = dice.scalar();
  const point = publicKey(signer);
  // One message for all, so its two signatures are by two nonces. ASCII: Turnkey's verifier takes texts.
  const message = utf8(dice.bytes(20).toString("hex"));
  const isLow = (number) => number >> 248n !== 0n && number >> 255n === 0n;
  const isHigh = (number) => number >> 255n === 1n;
  const found = (fits) => {
    for (;;) {
      const { r, s } = p256.Signature.fromBytes(p256.sign(message, bytes(signer), { format: "compact", lowS: false, extraEntropy: dice.bytes(32) }), "compact");
      if (fits(r) && fits(s)) return { r, s };
    }
  };
  const { valid, classes } = derClasses(found(isLow), found(isHigh), dice);
  const verify = (peer) => async (text) => ((await peer.verify(point, hex(message), text)) ? "valid" : assert.fail());
  const inHex = Object.fromEntries(Object.entries(classes).map(([name, make]) => [name, () => hex(make())]));
  inHex["in upper case"] = () => hex(valid).toUpperCase();
  inHex["a space after it"] = () => `${hex(valid)} `;
  inHex["0x before it"] = () => `0x${hex(valid)}`;
  inHex["half a byte after it"] = () => `${hex(valid)}0`;
  const byOpenssl = (text) => {
    if (!/^([0-9A-Fa-f]{2})*$/.test(text)) throw new Error("no hex");
    if (!openssl(point)(message, bytes(text))) throw new Error("not signed");
    return "valid";
  };
  const readers = { gridkey: verify(gridkey), Turnkey: verify(turnkey), "by hand": verify(byHand), OpenSSL: byOpenssl };
  return { kind: "signature in DER", valid: hex(valid), value: "valid", classes: inHex, readers };
}

// Envelopes

/** An object as text, of members that may have a name twice. */
const json = (members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;

function envelopeClasses(enclave, data, other, dice) {
  const envelope = envelopeOf(enclave, data);
  const members = Object.entries(envelope);
  const withMember = (name, value) => json(members.map(([key, before]) => (key === name ? [key, value] : [key, before])));
  const without = (name) => json(members.filter(([key]) => key !== name));
  const valid = json(members);
  const point = envelope.enclaveQuorumPublic;
  const classes = {
    "without `version`": () => without("version"),
    "`version` is another": () => withMember("version", "v2.0.0"),
    "`version` is empty": () => withMember("version", ""),
    "`version` is a number": () => withMember("version", 1),
    "without `data`": () => without("data"),
    "without `dataSignature`": () => without("dataSignature"),
    "without `enclaveQuorumPublic`": () => without("enclaveQuorumPublic"),
    "neither signature nor key": () => json(members.map(([key, value]) => [key, ["dataSignature", "enclaveQuorumPublic"].includes(key) ? "" : value])),
    "enclaveQuorumPublic in upper case": () => withMember("enclaveQuorumPublic", point.toUpperCase()),
    "enclaveQuorumPublic compressed": () => withMember("enclaveQuorumPublic", publicKey(enclave, true)),
    "enclaveQuorumPublic hybrid": () => withMember("enclaveQuorumPublic", hybrid(point)),
    "signed by another enclave, which it names": () => JSON.stringify(envelopeOf(other, data)),
    "signed by another enclave, naming ours": () => JSON.stringify({ ...envelopeOf(other, data), enclaveQuorumPublic: point }),
    "signed over the hexadecimal digits": () => withMember("dataSignature", sign(enclave, utf8(hex(data)))),
    "signed over the digest": () => withMember("dataSignature", sign(enclave, sha256(data))),
    "data in upper case": () => withMember("data", hex(data).toUpperCase()),
    "data with 0x": () => withMember("data", `0x${hex(data)}`),
    "half a byte after data": () => withMember("data", `${hex(data)}0`),
    "a space after data": () => withMember("data", `${hex(data)} `),
    "dataSignature in upper case": () => withMember("dataSignature", envelope.dataSignature.toUpperCase()),
    "dataSignature with a byte after it": () => withMember("dataSignature", `${envelope.dataSignature}00`),
    "another member": () => json([...members, ["later", [1]]]),
    "`data` twice, the right one last": () => json([["data", hex(utf8("{}"))], ...members]),
    "`data` twice, the right one first": () => json([...members, ["data", hex(utf8("{}"))]]),
    "`version` twice, the right one last": () => json([["version", "v0"], ...members]),
    "`data` twice, once with an escape in its name": () => valid.replace("{", '{"d\\u0061ta":"7b7d",'),
    "`__proto__` in it": () => valid.replace("{", '{"__proto__":{"version":"v1.0.0"},'),
    "white space around it": () => ` \n\t${valid}\r\n`,
    "a byte order mark before it": () => `\ufeff${valid}`,
    "text after it": () => `${valid}x`,
    "twice": () => valid + valid,
    "a comma too many": () => `${valid.slice(0, -1)},}`,
    "in a list": () => `[${valid}]`,
    "as a text": () => JSON.stringify(valid),
    "in single quotes": () => valid.replaceAll('"', "'"),
    "in quotes, as the API's document shows it": () => `'${valid}'`,
    "null": () => "null",
    "nothing": () => "",
  };
  for (const [name, damage] of Object.entries(damages(dice))) {
    classes[`data: ${name}`] = () => withMember("data", hex(damage(data)));
    classes[`enclaveQuorumPublic: ${name}`] = () => withMember("enclaveQuorumPublic", hex(damage(bytes(point))));
  }
  for (const name of ["version", "data", "dataSignature", "enclaveQuorumPublic"]) {
    for (const [word, value] of Object.entries({ null: null, "a list of it": [envelope[name]], "an object": {} })) {
      classes[`\`${name}\` is ${word}`] = () => withMember(name, value);
    }
  }
  return { valid, classes };
}

const hybrid = (point) => `0${6 + (Number.parseInt(point.at(-1), 16) & 1)}${point.slice(2)}`;

function exports(dice) {
  const [key, enclave, other, ephemeral] = [dice.scalar(), dice.scalar(), dice.scalar(), dice.scalar()];
  const organizationId = "org";
  const plaintext = utf8("leaf lady until indicate praise final route toast cake minimum insect unknown");
  const { encapped, ciphertext } = seal(publicKey(key), ephemeral, plaintext);
  const inner = { encappedPublic: hex(encapped), ciphertext: hex(ciphertext), organizationId };
  const { valid, classes } = envelopeClasses(enclave, utf8(JSON.stringify(inner)), other, dice);

  // What the enclave itself would have to sign.
  const signedText = (text) => JSON.stringify(envelopeOf(enclave, typeof text === "string" ? utf8(text) : text));
  const signedData = (data) => signedText(JSON.stringify({ ...inner, ...data }));
  const sealedText = (plaintext, to = publicKey(key)) => {
    const made = seal(to, ephemeral, plaintext);
    return signedData({ encappedPublic: hex(made.encapped), ciphertext: hex(made.ciphertext) });
  };
  const within = {
    "organizationId is another": () => signedData({ organizationId: "other" }),
    "organizationId is empty": () => signedData({ organizationId: "" }),
    "organizationId is in a list": () => signedData({ organizationId: [organizationId] }),
    "without organizationId": () => signedData({ organizationId: undefined }),
    "organizationId twice, the right one last": () => signedText(JSON.stringify(inner).replace("{", '{"organizationId":"other",')),
    "organizationId twice, the right one first": () => signedText(JSON.stringify(inner).replace(/\}$/, ',"organizationId":"other"}')),
    "encappedPublic in upper case": () => signedData({ encappedPublic: hex(encapped).toUpperCase() }),
    "encappedPublic compressed": () => signedData({ encappedPublic: hex(compressed(encapped)) }),
    "encappedPublic hybrid": () => signedData({ encappedPublic: hybrid(hex(encapped)) }),
    "encappedPublic is no point": () => signedData({ encappedPublic: hex(flip(-1)(encapped)) }),
    "encappedPublic is another point": () => signedData({ encappedPublic: publicKey(other) }),
    "without encappedPublic": () => signedData({ encappedPublic: undefined }),
    "without ciphertext": () => signedData({ ciphertext: undefined }),
    "ciphertext in upper case": () => signedData({ ciphertext: hex(ciphertext).toUpperCase() }),
    "ciphertext in base64": () => signedData({ ciphertext: Buffer.from(ciphertext).toString("base64") }),
    "sealed to another key": () => sealedText(plaintext, publicKey(other)),
    "it holds what is no UTF-8": () => sealedText(Uint8Array.of(0xc3, 0x28)),
    "it holds nothing": () => sealedText(new Uint8Array()),
    "another member in data": () => signedData({ later: 1 }),
    "data with a byte order mark": () => signedText(`\ufeff${JSON.stringify(inner)}`),
    "data is no UTF-8": () => signedText(concat(utf8(JSON.stringify(inner).slice(0, -1)), utf8(',"x":"'), [0xff], utf8('"}'))),
    "data is no JSON": () => signedText("leaf lady"),
    "data with text after it": () => signedText(`${JSON.stringify(inner)}x`),
  };
  for (const [name, damage] of Object.entries(damages(dice))) within[`ciphertext: ${name}`] = () => signedData({ ciphertext: hex(damage(ciphertext)) });
  for (const [name, make] of Object.entries(within)) classes[`signed: ${name}`] = make;
  const open = (peer) => (text) => peer.openExport(text, key, organizationId, publicKey(enclave));
  return { kind: "signed bundle", valid, value: hex(plaintext), classes, readers: { gridkey: open(gridkey), Turnkey: open(turnkey), "by hand": open(byHand) } };
}

/** Who seals a code to it, and whether the enclave can open that. */
function otpTargets(dice) {
  const [key, enclave, target] = [dice.scalar(), dice.scalar(), dice.scalar()];
  const point = publicKey(target);
  const signedData = (data) => JSON.stringify(envelopeOf(enclave, utf8(typeof data === "string" ? data : JSON.stringify(data))));
  const valid = signedData({ targetPublic: point });
  const classes = {
    "targetPublic in upper case": () => signedData({ targetPublic: point.toUpperCase() }),
    "targetPublic compressed": () => signedData({ targetPublic: publicKey(target, true) }),
    "targetPublic hybrid": () => signedData({ targetPublic: hybrid(point) }),
    "targetPublic is no point": () => signedData({ targetPublic: hex(flip(-1)(bytes(point))) }),
    "targetPublic is the point at infinity": () => signedData({ targetPublic: "00" }),
    "targetPublic with 0x": () => signedData({ targetPublic: `0x${point}` }),
    "targetPublic longer": () => signedData({ targetPublic: `${point}00` }),
    "targetPublic is empty": () => signedData({ targetPublic: "" }),
    "without targetPublic": () => signedData({}),
    "targetPublic twice": () => signedData(`{"targetPublic":"${publicKey(enclave)}","targetPublic":"${point}"}`),
    "another member": () => signedData({ targetPublic: point, organizationId: "org" }),
    "signed by another enclave": () => JSON.stringify(envelopeOf(target, utf8(JSON.stringify({ targetPublic: point })))),
    "without `version`": () => JSON.stringify({ ...JSON.parse(valid), version: undefined }),
  };
  for (const [name, damage] of Object.entries(damages(dice))) {
    if (name !== "a bit flipped") classes[`targetPublic: ${name}`] = () => signedData({ targetPublic: hex(damage(bytes(point))) });
  }
  const sealing = (peer) => async (text) => {
    const { encappedPublic, ciphertext } = JSON.parse(await peer.sealCode(text, "000000", key, publicKey(enclave)));
    return turnkeyOpens(encappedPublic, ciphertext, target);
  };
  return {
    kind: "target of a one-time code",
    valid,
    value: hex(utf8(JSON.stringify({ otp_code: "000000", public_key: publicKey(key, true) }))),
    classes,
    readers: { gridkey: sealing(gridkey), Turnkey: sealing(turnkey), "by hand": sealing(byHand) },
  };
}

function turnkeyOpens(encappedPublic, ciphertext, target) {
  try {
    return turnkey.open(encappedPublic, ciphertext, target);
  } catch {
    return "what nobody can open";
  }
}

// Tokens

function tokens(dice) {
  const [own, enclave, other] = [dice.scalar(), dice.scalar(), dice.scalar()];
  const claims = {
    id: "1",
    verification_type: "OTP_TYPE_EMAIL",
    contact: "jane@example.com",
    organization_id: "org",
    public_key: publicKey(own, true),
    exp: "4102444800000",
  };
  const header = { typ: "JWT", alg: "ES256" };
  const part = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  const token = (header, claims, by = enclave) => {
    const input = `${part(header)}.${part(claims)}`;
    return `${input}.${Buffer.from(signRaw(by, utf8(input))).toString("base64url")}`;
  };
  const valid = token(header, claims);
  const [head, body, signature] = valid.split(".");
  const raw = Uint8Array.from(Buffer.from(signature, "base64url"));
  const signedBy = (bytes) => `${head}.${body}.${Buffer.from(bytes).toString("base64url")}`;
  const without = (name) => token(header, { ...claims, [name]: undefined });
  const [r, s] = [BigInt(`0x${hex(raw.subarray(0, 32))}`), BigInt(`0x${hex(raw.subarray(32))}`)];
  const classes = {
    "alg is none": () => token({ ...header, alg: "none" }, claims),
    "alg is HS256": () => token({ ...header, alg: "HS256" }, claims),
    "without alg": () => token({ typ: "JWT" }, claims),
    "without typ": () => token({ alg: "ES256" }, claims),
    "alg twice, ES256 last": () => token('{"typ":"JWT","alg":"none","alg":"ES256"}', claims),
    "something critical in its header": () => token({ ...header, crit: ["b64"], b64: false }, claims),
    "another member in its header": () => token({ ...header, kid: "1" }, claims),
    "exp has passed": () => token(header, { ...claims, exp: "1000" }),
    "exp in seconds": () => token(header, { ...claims, exp: "4102444800" }),
    "exp is a number": () => token(header, { ...claims, exp: 4102444800000 }),
    "exp is no number": () => token(header, { ...claims, exp: "NaN" }),
    "exp is Infinity": () => token(header, { ...claims, exp: "Infinity" }),
    "exp is 1e15": () => token(header, { ...claims, exp: "1e15" }),
    "exp with a space": () => token(header, { ...claims, exp: " 4102444800000" }),
    "exp in hexadecimal digits": () => token(header, { ...claims, exp: "0x3bb2cc3d800" }),
    "public_key is another": () => token(header, { ...claims, public_key: publicKey(other, true) }),
    "public_key uncompressed": () => token(header, { ...claims, public_key: publicKey(own) }),
    "public_key twice, the right one last": () => token(header, JSON.stringify(claims).replace("{", `{"public_key":"${publicKey(other, true)}",`)),
    "organization_id is empty": () => token(header, { ...claims, organization_id: "" }),
    "without `id`": () => without("id"),
    "without `public_key`": () => without("public_key"),
    "without `organization_id`": () => without("organization_id"),
    "without `exp`": () => without("exp"),
    "signed by another enclave": () => token(header, claims, other),
    "r || n - s": () => signedBy(concat(raw.subarray(0, 32), bytes(scalarHex(N - s)))),
    "s || r": () => signedBy(concat(raw.subarray(32), raw.subarray(0, 32))),
    "r is 0": () => signedBy(concat(new Uint8Array(32), raw.subarray(32))),
    "s is 0": () => signedBy(concat(raw.subarray(0, 32), new Uint8Array(32))),
    "s is n": () => signedBy(concat(raw.subarray(0, 32), bytes(scalarHex(N)))),
    "its signature in DER": () => signedBy(sequence(concat(integer(minimal(r)), integer(minimal(s))))),
    "its signature with `==`": () => `${valid}==`,
    "its signature in base64": () => `${head}.${body}.${Buffer.concat([raw.subarray(0, 63), Uint8Array.of(raw[63])]).toString("base64").replace(/=+$/, "")}`,
    "bits set after the last byte": () => valid.slice(0, -1) + lastDigit(valid.at(-1)),
    "no signature": () => `${head}.${body}.`,
    "a fourth part": () => `${valid}.${signature}`,
    "two parts": () => `${head}.${body}`,
    "a space before it": () => ` ${valid}`,
    "a line feed after it": () => `${valid}\n`,
    "an activity in its place": () => '{"type":"ACTIVITY_TYPE_EXPORT_WALLET"}',
    "nothing": () => "",
  };
  for (const [name, damage] of Object.entries(damages(dice))) {
    classes[`its header: ${name}`] = () => `${Buffer.from(damage(Buffer.from(head, "base64url"))).toString("base64url")}.${body}.${signature}`;
    classes[`its claims: ${name}`] = () => `${head}.${Buffer.from(damage(Buffer.from(body, "base64url"))).toString("base64url")}.${signature}`;
    classes[`its signature: ${name}`] = () => signedBy(damage(raw));
  }
  const read = (peer) => (text) => peer.readToken(text, publicKey(own, true), publicKey(enclave));
  return { kind: "verification token", valid, value: "org", classes, readers: { gridkey: read(gridkey), Turnkey: read(turnkey) } };
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** The last of 86 digits has four bits that say nothing. */
const lastDigit = (digit) => DIGITS[DIGITS.indexOf(digit) | 5];

// Public keys

function points(dice) {
  const point = publicKey(dice.scalar());
  const short = hex(compressed(bytes(point)));
  const zeroX = hex(p256.Point.fromHex(`02${"0".repeat(64)}`).toBytes(false));
  const classes = {
    "the point at infinity": () => "00",
    "hybrid": () => hybrid(point),
    "hybrid, of the other y": () => hybrid(`${point.slice(0, -1)}${(Number.parseInt(point.at(-1), 16) ^ 1).toString(16)}`),
    "compact, 05": () => `05${short.slice(2)}`,
    "uncompressed, beginning with 02": () => `02${point.slice(2)}`,
    "compressed, beginning with 04": () => `04${short.slice(2)}`,
    "not on the curve": () => hex(flip(-1)(bytes(point))),
    "compressed, x of no point": () => `02${noPoint(dice)}`,
    "compressed, x ≥ p": () => `02${scalarHex(P)}`,
    "x ≥ p": () => `04${scalarHex(P)}${zeroX.slice(66)}`,
    "y ≥ p": () => `${point.slice(0, 66)}${"f".repeat(64)}`,
    "all zeros": () => `04${"0".repeat(128)}`,
    "x alone": () => point.slice(2, 66),
    "x and y alone": () => point.slice(2),
    "a byte more": () => `${point}00`,
    "a byte less": () => point.slice(0, -2),
    "half a byte less": () => point.slice(0, -1),
    "in upper case": () => point.toUpperCase(),
    "with 0x": () => `0x${point}`,
    "a space after it": () => `${point} `,
    "nothing": () => "",
  };
  const read = (peer) => (text) => (peer.readPoint(text) ? "a point" : assert.fail());
  return { kind: "public key", valid: point, value: "a point", classes, readers: { gridkey: read(gridkey), Turnkey: read(turnkey), "by hand": read(byHand) } };
}

export const KINDS = [sealedKeys, signatures, exports, otpTargets, tokens, points];

/** What a reader makes of a text: `{ takes: value }` or `{ refuses: why }`. */
async function verdict(read, text) {
  try {
    return { takes: await read(text) };
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    return { refuses: error };
  }
}

/**
 * Runs all classes on fresh keys. Gives each disagreement to `differs`, and returns the counts, with the classes that
 * changed nothing: there are signatures whose base64 is their base64url.
 */
export async function compare(dice, differs) {
  const counts = { texts: 0, unchanged: [] };
  for (const make of KINDS) {
    const { kind, valid, value, classes, readers } = make(dice);
    for (const [name, read] of Object.entries(readers)) assert.equal(await read(valid), value, `${name} takes a valid ${kind}`);
    for (const [name, change] of Object.entries(classes)) {
      const text = change();
      if (text === valid) {
        counts.unchanged.push(`${kind} / ${name}`);
        continue;
      }
      counts.texts++;
      const verdicts = {};
      for (const [reader, read] of Object.entries(readers)) verdicts[reader] = await verdict(read, text);
      const { gridkey: ours, ...peers } = verdicts;
      if ("refuses" in ours) {
        assert.equal(ours.refuses.name, "GridkeyError", `${kind} / ${name}: ${ours.refuses.stack}`);
      } else if (name !== "signed: it holds nothing") {
        assert.equal(ours.takes, value, `${kind} / ${name} is taken for something else: ${text}`);
      }
      const taking = (verdict) => "takes" in verdict;
      if (Object.values(peers).some((peer) => taking(peer) !== taking(ours))) {
        differs({ kind, name, text, valid, ours, peers });
      } else if (taking(ours)) {
        for (const peer of Object.values(peers)) assert.equal(peer.takes, ours.takes, `${kind} / ${name}: other values`);
      }
    }
  }
  return counts;
}
