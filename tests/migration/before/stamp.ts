// lightsparkdev/grid-api cf2510e, components/grid-wallet-prod/src/lib/gridCrypto.ts:83-90

import { compressedPubHex } from './key-pair.ts';
// #region
import { ApiKeyStamper } from '@turnkey/api-key-stamper';

export async function stamp(sessionPrivHex: string, payload: string): Promise<string> {
  const stamper = new ApiKeyStamper({
    apiPublicKey: compressedPubHex(sessionPrivHex),
    apiPrivateKey: sessionPrivHex,
  });
  const { stampHeaderValue } = await stamper.stamp(payload);
  return stampHeaderValue;
}
// #endregion
