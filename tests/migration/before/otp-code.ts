// lightsparkdev/grid-api cf2510e, components/grid-wallet-prod/src/lib/gridCrypto.ts:48-72

import { hexToBytes } from './bytes.ts';
// #region
import { hpkeEncrypt, formatHpkeBuf } from '@turnkey/crypto';

export function encryptOtpBundle(
  otpEncryptionTargetBundle: string,
  tekPubHex: string,
  otpCode: string,
): string {
  const clean = otpEncryptionTargetBundle.trim().replace(/^'/, '').replace(/'$/, '');
  const { data } = JSON.parse(clean) as { data: string };
  const dataJson = new TextDecoder().decode(hexToBytes(data));
  const { targetPublic } = JSON.parse(dataJson) as { targetPublic: string };

  const plainText = JSON.stringify({ otp_code: otpCode, public_key: tekPubHex });
  const plainTextBuf = new TextEncoder().encode(plainText);
  const targetKeyBuf = hexToBytes(targetPublic);

  const encryptedBuf = hpkeEncrypt({ plainTextBuf, targetKeyBuf });
  return formatHpkeBuf(encryptedBuf);
}
// #endregion
