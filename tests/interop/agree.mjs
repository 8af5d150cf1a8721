// Both directions: what one makes, the others take, and it means the same to all.

import assert from "node:assert/strict";
import { createECDH } from "node:crypto";

import { p256 } from "@noble/curves/nist.js";
import { bs58check } from "@turnkey/encoding";

import { N, scalarHex } from "./dice.mjs";
import { base58Check, byHand, bytes, compressed, envelopeOf, gridkey, hex, openssl, publicKey, seal, sign, signRaw, turnkey, uncompressed, utf8 } from "./peers.mjs";
import { SealedKeyReceiver, SessionKey, WalletExportKey } from "../../pkg/node.js";

/** Private keys at the edges, all of which are tried in every run. */
export function edgeKeys() {
  const numbers = [1n, 2n, 3n, N - 1n, N - 2n, N - 3n, N >> 1n, (N >> 1n) + 1n, 1n << 255n, (1n << 255n) - 1n];
  for (let bit = 2n; bit < 255n; bit += 1n) numbers.push(1n << bit);
  const leadingZeros = Array.from({ length: 31 }, (_, zeros) => (1n << BigInt(8 * (31 - zeros))) - 7n).filter((number) => number > 0n);
  return [...numbers, ...leadingZeros, ...Object.values(ZEROS)].map(scalarHex);
}

/** Multiples of the base point whose x, or y, begins with zero bytes; found by trying. */
const ZEROS = { x1: multiple(0, 1), x2: 40_393n, y1: multiple(32, 1) };

function multiple(offset, zeros) {
  for (let [number, point] = [1n, p256.Point.BASE]; ; number += 1n, point = point.add(p256.Point.BASE)) {
    if (point.toBytes(false).subarray(1 + offset, 1 + offset + zeros).every((byte) => byte === 0)) return number;
  }
}

const UNICODE = ["é", "日本", "💣", "\ufeff{}", "\0", "\u2028", "e\u0301", "\ufffd"];

/** Messages at the edges of SHA-256's blocks, and others. */
export function edgeMessages() {
  const lengths = [0, 1, 31, 32, 33, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 127, 128, 129, 65_535, 65_536];
  return [...lengths.map((length) => "a".repeat(length)), ...UNICODE, UNICODE.join("").repeat(500)];
}

function message(dice) {
  const length = dice.below(dice.below(10) === 0 ? 2000 : 200);
  return dice.bytes(length).toString("latin1") + (dice.below(3) === 0 ? dice.of(UNICODE) : "");
}

export class Agreement {
  counts = { keys: 0, messages: 0, signatures: 0, bundles: 0, codes: 0, tokens: 0, zeros: 0 };
  #edges;
  #messages;
  #dice;

  #rounds = 0;

  /** `part` of `parts` that share the edges between them. */
  constructor(dice, part = 0, parts = 1) {
    this.#dice = dice;
    const mine = (list) => list.filter((_, index) => index % parts === part);
    this.#edges = mine(edgeKeys());
    this.#messages = mine(edgeMessages());
  }

  /** How many rounds it takes until every edge was met. */
  get least() {
    return Math.max(this.#edges.length, this.#messages.length);
  }

  /** Another of them in each round. */
  #turn(list) {
    return list[this.#rounds % list.length];
  }

  #key() {
    return this.#edges.pop() ?? this.#dice.scalar();
  }

  #message() {
    return this.#messages.pop() ?? message(this.#dice);
  }

  /** One private key as a session's, as a receiver's, and as an enclave's. */
  async round() {
    const key = this.#key();
    const text = this.#message();
    this.#publicKeys(key);
    await this.#signatures(key, text);
    await this.#sealedKeys(key);
    await this.#exports(key, text);
    await this.#codes(key);
    await this.#tokens(key);
    this.#rounds++;
  }

  #publicKeys(key) {
    const [short, long] = [publicKey(key, true), publicKey(key)];
    const session = SessionKey.dangerouslyFromPrivateKey(bytes(key));
    const others = [SealedKeyReceiver, WalletExportKey].map((Class) => Class.dangerouslyFromPrivateKey(bytes(key)));
    const node = createECDH("prime256v1");
    node.setPrivateKey(key, "hex");
    for (const point of [session.publicKey, turnkey.publicKey(key, true), node.getPublicKey("hex", "compressed")]) assert.equal(point, short);
    for (const point of [session.publicKeyUncompressed, ...others.map((other) => other.publicKey), turnkey.publicKey(key, false), node.getPublicKey("hex")]) {
      assert.equal(point, long);
    }
    assert.equal(hex(session.dangerouslyExportPrivateKey()), key);
    assert.equal(hex(turnkey.uncompressed(bytes(session.publicKey))), long);
    assert.equal(hex(turnkey.compressed(bytes(session.publicKeyUncompressed))), short);
    assert.equal(hex(uncompressed(bytes(session.publicKey))), long);
    assert.equal(hex(compressed(bytes(session.publicKeyUncompressed))), short);
    for (const object of [session, ...others]) object.free();

    // And a key of ours, which they import.
    const ours = SessionKey.generate();
    const exported = hex(ours.dangerouslyExportPrivateKey());
    assert.equal(ours.publicKey, turnkey.publicKey(exported, true));
    assert.equal(ours.publicKeyUncompressed, publicKey(exported));
    ours.free();
    this.counts.keys += 2;
  }

  async #signatures(key, text) {
    const point = publicKey(key);
    const [message, verifies] = [utf8(text), openssl(point)];
    const stamp = await gridkey.stamp(key, text);
    assert.equal(stamp, await turnkey.stamp(key, text), "the same stamp as Turnkey's, byte for byte");
    const { publicKey: named, scheme, signature } = JSON.parse(Buffer.from(stamp, "base64url"));
    assert.equal(named, publicKey(key, true));
    assert.equal(scheme, "SIGNATURE_SCHEME_TK_API_P256");
    assert.equal(signature, sign(key, message));
    assert.ok(await turnkey.verifyStamp(named, text, signature));
    assert.ok(verifies(message, bytes(signature)));

    // Both signs of S, and those that OpenSSL makes: a nonce by chance.
    const { r, s } = p256.Signature.fromHex(signature, "der");
    const other = new p256.Signature(r, N - s).toHex("der");
    assert.ok(verifies(message, bytes(other)));
    const byOpenssl = JSON.parse(Buffer.from(await turnkey.stamp(key, text, "node"), "base64url")).signature;
    const data = hex(message);
    // An envelope has at most 64 KiB.
    const fits = 2 * data.length < 65_536;
    for (const each of [signature, other, byOpenssl]) {
      assert.ok(await turnkey.verifyStamp(named, text, each));
      if (fits) assert.ok(gridkey.verify(point, data, each));
      if (fits) assert.throws(() => gridkey.verify(point, `${data}00`, each), { code: "bundle_untrusted" });
      this.counts.signatures++;
    }
    this.counts.messages++;
  }

  /** For a receiver, with shared secrets at the edges: the ephemeral key is chosen for the receiver's. */
  async #sealedKeys(key) {
    const receiver = publicKey(key);
    const session = this.#dice.scalar();
    const short = (encapped, ciphertext) => base58Check.encode(Buffer.concat([compressed(encapped), ciphertext]));
    const made = seal(receiver, this.#ephemeral(key), bytes(session));
    this.counts.zeros += made.shared[0] === 0 ? 1 : 0;
    const sealed = [short(made.encapped, made.ciphertext)];
    if (this.#turn([true, false])) {
      sealed.push(bs58check.encode(turnkey.seal(receiver, session)));
    } else {
      const { encapped, ciphertext } = await byHand.seal(receiver, session);
      sealed.push(short(encapped, ciphertext));
    }
    for (const bundle of sealed) {
      assert.equal(gridkey.openSessionKey(bundle, key), session);
      assert.equal(turnkey.openSessionKey(bundle, key), session);
      assert.equal(await byHand.openSessionKey(bundle, key), session);
      this.counts.bundles++;
    }
  }

  /** In three of four rounds one with which the secret that it shares with `key` begins with zeros, or has such a y. */
  #ephemeral(key) {
    const shared = this.#turn([undefined, ...Object.values(ZEROS)]);
    return shared ? scalarHex((shared * p256.Point.Fn.inv(BigInt(`0x${key}`))) % N) : this.#dice.scalar();
  }

  async #exports(key, text) {
    const [enclave, organizationId] = [this.#dice.scalar(), `org_${this.#dice.bytes(6).toString("hex")}`];
    // The hexadecimal digits of hexadecimal digits: an envelope has at most 64 KiB.
    const plaintext = utf8(text).subarray(0, 12_000);
    const mnemonic = new TextDecoder("utf-8", { ignoreBOM: true }).decode(plaintext).replaceAll("\ufffd", "?");
    const { encapped, ciphertext } = seal(publicKey(key), this.#dice.scalar(), utf8(mnemonic));
    const data = JSON.stringify({ encappedPublic: hex(encapped), ciphertext: hex(ciphertext), organizationId });
    const bundle = JSON.stringify(envelopeOf(enclave, utf8(data)));
    for (const peer of [gridkey, turnkey, byHand]) {
      assert.equal(await peer.openExport(bundle, key, organizationId, publicKey(enclave)), hex(utf8(mnemonic)));
    }
    this.counts.bundles++;
  }

  async #codes(key) {
    const [enclave, target] = [this.#dice.scalar(), this.#dice.scalar()];
    const code = this.#dice.bytes(1 + this.#dice.below(8)).toString("hex");
    const bundle = JSON.stringify(envelopeOf(enclave, utf8(JSON.stringify({ targetPublic: publicKey(target) }))));
    const enclaveKey = publicKey(enclave);
    const seal = (peer, encoding) => peer.sealCode(bundle, code, key, enclaveKey, encoding);
    const isShortOurs = this.#turn([true, false]);
    // Our ephemeral key too is chosen for shared secrets at the edges: it is what is drawn next.
    const ephemeral = this.#ephemeral(target);
    // noble draws too, to blind what it computes: nothing of it may run before the next line but one.
    this.#dice.next = bytes(ephemeral);
    const ours = seal(gridkey, isShortOurs ? "compressed" : "uncompressed");
    assert.equal(JSON.parse(ours).encappedPublic, publicKey(ephemeral));
    const sealed = [
      [isShortOurs, ours],
      [true, seal(this.#turn([turnkey, byHand]))],
    ];
    for (const [isShort, text] of sealed) {
      const { encappedPublic, ciphertext, ...more } = JSON.parse(await text);
      assert.deepEqual(more, {});
      const said = JSON.stringify({ otp_code: code, public_key: publicKey(key, isShort) });
      assert.equal(turnkey.open(encappedPublic, ciphertext, target), hex(utf8(said)));
      assert.equal(await byHand.open(encappedPublic, ciphertext, target), hex(utf8(said)));
      this.counts.codes++;
    }
  }

  async #tokens(key) {
    const enclave = this.#dice.scalar();
    const claims = {
      id: "1",
      verification_type: "OTP_TYPE_EMAIL",
      contact: "jane@example.com",
      organization_id: `org_${this.#dice.below(1000)}`,
      public_key: publicKey(key, true),
      exp: "4102444800000",
    };
    const input = [{ typ: "JWT", alg: "ES256" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    const signature = signRaw(enclave, utf8(input));
    const other = signature.slice();
    other.set(bytes(scalarHex(N - BigInt(`0x${hex(signature.subarray(32))}`))), 32);
    const token = `${input}.${Buffer.from(this.#turn([signature, other])).toString("base64url")}`;
    for (const peer of [gridkey, turnkey]) {
      assert.equal(await peer.readToken(token, claims.public_key, publicKey(enclave)), claims.organization_id);
    }
    this.counts.tokens++;
  }
}
