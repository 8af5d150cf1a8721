// #region
import type { SealedKeyReceiver, SessionKey } from "gridkey";

export function openSessionKey(receiver: SealedKeyReceiver, encryptedSessionSigningKey: string): SessionKey {
  return receiver.open(encryptedSessionSigningKey); // `receiver.publicKey` was sent as clientPublicKey
}
// #endregion
