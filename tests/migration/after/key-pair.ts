// #region
import { SessionKey } from "gridkey";

export function makeKey() {
  const key = SessionKey.generate(); // stays in the WebAssembly, and is wiped by key.free()
  return { key, clientPublicKey: key.publicKey, inOtpBundle: key.publicKeyUncompressed };
}
// #endregion
