// lightsparkdev/grid-api cf2510e, components/grid-wallet-prod/src/lib/gridCrypto.ts:15-27

import { bytesToHex as nobleBytesToHex, hexToBytes as nobleHexToBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';

export function bytesToHex(b: Uint8Array): string {
  return nobleBytesToHex(b);
}
export function hexToBytes(hex: string): Uint8Array {
  return nobleHexToBytes(hex);
}
export function base64urlToBytes(s: string): Uint8Array {
  return base64urlnopad.decode(s.replace(/=+$/, ''));
}
export function bytesToBase64url(b: Uint8Array): string {
  return base64urlnopad.encode(b);
}
