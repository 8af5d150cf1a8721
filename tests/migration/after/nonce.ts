// #region
import { oauthNonce } from "gridkey";

export function nonceOf(clientPublicKey: string): string {
  return oauthNonce(clientPublicKey); // or prepareOAuth(), which makes the key as well
}
// #endregion
