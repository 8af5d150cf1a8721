// lightsparkdev/grid-api cf2510e, mintlify/snippets/sandbox-global-account-magic.mdx:126

import crypto from 'node:crypto';

export function nonceOf(publicKey: string): string {
  const payload = {
// #region
  nonce: crypto.createHash("sha256").update(publicKey).digest("hex"),
// #endregion
  };
  return payload.nonce;
}
