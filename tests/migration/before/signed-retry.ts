// lightsparkdev/grid-api cf2510e, components/grid-wallet-prod/src/lib/gridSession.ts:169-194

import { gridFetch } from './grid-fetch.ts';
import { genTek } from './key-pair.ts';
import { encryptOtpBundle } from './otp-code.ts';
import { assertOk } from './refusals.ts';
import { stamp } from './stamp.ts';
import type { AuthCallbacks, Session, WalletAccount } from './types.ts';

/** In the original, whoever asked for the code. */
async function collectOtp(acct: WalletAccount, cb: AuthCallbacks): Promise<{ bundle: string; code: string }> {
  const id = acct.emailOtpCredentialId;
  const chal = await gridFetch('POST', `/auth/credentials/${id}/challenge`, { body: {} });
  cb.log(chal);
  assertOk(chal, [200], 'email otp challenge');
  const bundle = (chal.response.body as { otpEncryptionTargetBundle: string }).otpEncryptionTargetBundle;
  return { bundle, code: await cb.promptOtp() };
}

// #region
async function emailOtpAuth(acct: WalletAccount, cb: AuthCallbacks): Promise<Session> {
  const id = acct.emailOtpCredentialId;
  const { bundle, code } = await collectOtp(acct, cb);
  const tek = genTek();
  const encryptedOtpBundle = encryptOtpBundle(bundle, tek.pubHex, code);
  const verifyBody = { type: 'EMAIL_OTP', encryptedOtpBundle };

  // Leg 1: 202 payloadToSign + requestId.
  const leg1 = await gridFetch('POST', `/auth/credentials/${id}/verify`, { body: verifyBody });
  cb.log(leg1);
  assertOk(leg1, [202], 'email otp verify (leg 1)');
  const { payloadToSign, requestId } = leg1.response.body as { payloadToSign: string; requestId: string };

  // Leg 2: stamp payloadToSign with the TEK priv, retry.
  const sig = await stamp(tek.privHex, payloadToSign);
  const leg2 = await gridFetch('POST', `/auth/credentials/${id}/verify`, {
    body: verifyBody,
    headers: { 'Grid-Wallet-Signature': sig, 'Request-Id': requestId },
  });
  cb.log(leg2);
  assertOk(leg2, [200], 'email otp verify (leg 2)');
  const sess = leg2.response.body as { expiresAt: string };
  return { privHex: tek.privHex, accountId: acct.accountId, expiresAt: Date.parse(sess.expiresAt), via: 'email_otp' };
}
// #endregion

export { emailOtpAuth };
