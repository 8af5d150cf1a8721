// Reproducible chance: SHA-256 of a seed and a counter.

import { createHash, randomBytes } from "node:crypto";

/** n of P-256: FIPS 186-4, D.1.2.3. */
export const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** 32 bytes, big-endian, as 64 digits. */
export const scalarHex = (number) => number.toString(16).padStart(64, "0");

export class Dice {
  #blocks = 0;
  #left = Buffer.alloc(0);
  /** What `getRandomValues` gives next, once. */
  next;

  constructor(seed = randomBytes(8).toString("hex")) {
    this.seed = seed;
  }

  bytes(length) {
    const parts = [];
    for (let missing = length; missing > 0; ) {
      if (this.#left.length === 0) this.#left = createHash("sha256").update(`${this.seed} ${this.#blocks++}`).digest();
      const part = this.#left.subarray(0, missing);
      this.#left = this.#left.subarray(part.length);
      missing -= part.length;
      parts.push(part);
    }
    return Buffer.concat(parts, length);
  }

  below(end) {
    return this.bytes(6).readUIntBE(0, 6) % end;
  }

  of(list) {
    return list[this.below(list.length)];
  }

  /** A private key, in hex. */
  scalar() {
    return scalarHex((BigInt(`0x${this.bytes(40).toString("hex")}`) % (N - 1n)) + 1n);
  }

  /** Takes the place of the system's randomness until the returned function is called. */
  fillsGetRandomValues() {
    crypto.getRandomValues = (array) => {
      const drawn = this.next ?? this.bytes(array.byteLength);
      this.next = undefined;
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(drawn);
      return array;
    };
    return () => delete crypto.getRandomValues;
  }
}
