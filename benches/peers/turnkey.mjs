// Turnkey's own JavaScript, which Grid's web demo uses (lightsparkdev/grid-api@cf2510e
// components/grid-wallet-prod/src/lib/gridCrypto.ts).

import { ApiKeyStamper } from "@turnkey/api-key-stamper";
import { decryptCredentialBundle, decryptExportBundle, encryptOtpCodeToBundle, generateP256KeyPair, getPublicKey } from "@turnkey/crypto";

export const keyPair = () => generateP256KeyPair();

export async function stamp(privateKey, payload) {
  const apiPublicKey = [...getPublicKey(privateKey, true)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const stamper = new ApiKeyStamper({ apiPublicKey, apiPrivateKey: privateKey });
  return (await stamper.stamp(payload)).stampHeaderValue;
}

export const openSessionKey = (bundle, privateKey) => decryptCredentialBundle(bundle, privateKey);

export const sealOtpCode = (bundle, code, publicKey, enclaveKey) => encryptOtpCodeToBundle(code, bundle, publicKey, enclaveKey);

export const openExport = (exportBundle, embeddedKey, organizationId) =>
  decryptExportBundle({ exportBundle, embeddedKey, organizationId, returnMnemonic: true });
