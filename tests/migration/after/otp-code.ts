// #region
import type { EnclaveTrust, SessionKey } from "gridkey";

export function encryptOtpBundle(key: SessionKey, otpEncryptionTargetBundle: string, otpCode: string, sandbox?: EnclaveTrust): string {
  return key.sealOtpCode(otpEncryptionTargetBundle, otpCode, sandbox);
}
// #endregion
