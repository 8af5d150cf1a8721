// lightsparkdev/grid-api cf2510e, components/grid-wallet-prod/src/lib/gridSession.ts:286-326

import { base64urlToBytes, bytesToBase64url } from './bytes.ts';
import { decryptSessionKey } from './credential-bundle.ts';
import { gridFetch } from './grid-fetch.ts';
import { genTek } from './key-pair.ts';
import { assertOk } from './refusals.ts';
import type { AuthCallbacks, Session, WalletAccount } from './types.ts';

// #region
async function passkeyAuth(acct: WalletAccount, credentialAuthMethodId: string, cb: AuthCallbacks): Promise<Session> {
  const tek = genTek(); // ephemeral client key sealed into the session
  const chal = await gridFetch('POST', `/auth/credentials/${credentialAuthMethodId}/challenge`, {
    body: { clientPublicKey: tek.pubHex },
  });
  cb.log(chal);
  assertOk(chal, [200], 'passkey challenge');
  const pk = chal.response.body as { credentialId: string; challenge: string; requestId: string };

  if (cb.onFaceId) await cb.onFaceId();
  const assertionCred = (await navigator.credentials.get({
    publicKey: {
      challenge: new TextEncoder().encode(pk.challenge), // hex string -> UTF-8 bytes (per PasskeyAuthChallenge)
      rpId: location.hostname,
      userVerification: 'required',
      allowCredentials: [{ type: 'public-key', id: base64urlToBytes(pk.credentialId) as BufferSource }],
      timeout: 60_000,
    },
  })) as PublicKeyCredential;
  const asr = assertionCred.response as AuthenticatorAssertionResponse;
  const assertion = {
    credentialId: bytesToBase64url(new Uint8Array(assertionCred.rawId)),
    clientDataJson: bytesToBase64url(new Uint8Array(asr.clientDataJSON)),
    authenticatorData: bytesToBase64url(new Uint8Array(asr.authenticatorData)),
    signature: bytesToBase64url(new Uint8Array(asr.signature)),
    ...(asr.userHandle ? { userHandle: bytesToBase64url(new Uint8Array(asr.userHandle)) } : {}),
  };

  const verify = await gridFetch('POST', `/auth/credentials/${credentialAuthMethodId}/verify`, {
    body: { type: 'PASSKEY', assertion },
    headers: { 'Request-Id': pk.requestId },
  });
  cb.log(verify);
  assertOk(verify, [200], 'passkey verify');
  const sess = verify.response.body as { encryptedSessionSigningKey: string; expiresAt: string };
  const privHex = await decryptSessionKey(sess.encryptedSessionSigningKey, tek.privHex);
  return { privHex, accountId: acct.accountId, expiresAt: Date.parse(sess.expiresAt), via: 'passkey' };
}
// #endregion

export { passkeyAuth };
