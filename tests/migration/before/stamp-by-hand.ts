// lightsparkdev/grid-api cf2510e, samples/frontend/src/steps/embeddedWallet/AuthenticateAndSign.tsx:203-212

// #region
import { p256 } from '@noble/curves/nist.js'

function signPayload(sessionPrivateKey: Uint8Array, payloadToSign: string): string {
  const msg = new TextEncoder().encode(payloadToSign)
  const sig = p256.sign(msg, sessionPrivateKey, { format: 'der' })
  const stamp = JSON.stringify({
    publicKey: bytesToHex(p256.getPublicKey(sessionPrivateKey, true)),
    scheme: 'SIGNATURE_SCHEME_TK_API_P256',
    signature: bytesToHex(sig as Uint8Array),
  })
  return bytesToBase64url(new TextEncoder().encode(stamp))
}
// #endregion

export { signPayload }

function bytesToBase64url(bytes: Uint8Array): string {
  let bin = ''
  for (const b of bytes) bin += String.fromCharCode(b)
  return btoa(bin).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}

function bytesToHex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')
}
