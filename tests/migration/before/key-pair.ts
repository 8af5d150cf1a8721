// lightsparkdev/grid-api cf2510e, components/grid-wallet-prod/src/lib/gridCrypto.ts:30-41

import { bytesToHex, hexToBytes } from './bytes.ts';
// #region
import { p256 } from '@noble/curves/nist.js';

export function genTek(): { privHex: string; pubHex: string } {
  const priv = p256.utils.randomSecretKey();
  return {
    privHex: bytesToHex(priv),
    pubHex: bytesToHex(p256.getPublicKey(priv, false)), // 04 + 64 bytes
  };
}

export function compressedPubHex(privHex: string): string {
  return bytesToHex(p256.getPublicKey(hexToBytes(privHex), true));
}
// #endregion
