// lightsparkdev/grid-api cf2510e, components/grid-wallet-prod/src/lib/gridCrypto.ts:75-80

// #region
import { decryptCredentialBundle } from '@turnkey/crypto';

export async function decryptSessionKey(
  encryptedSessionSigningKey: string,
  clientPrivHex: string,
): Promise<string> {
  return await decryptCredentialBundle(encryptedSessionSigningKey, clientPrivHex);
}
// #endregion
