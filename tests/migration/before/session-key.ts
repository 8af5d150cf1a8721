// lightsparkdev/grid-api cf2510e, samples/frontend/src/steps/embeddedWallet/AuthenticateAndSign.tsx:174-200

// #region
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core'
import { p256 } from '@noble/curves/nist.js'
import bs58check from 'bs58check'

const GRID_HPKE_INFO = new TextEncoder().encode('turnkey_hpke')

async function decryptSessionSigningKey(
  recipientPrivateKey: CryptoKey,
  recipientPublicKey: Uint8Array,
  encryptedSessionSigningKey: string,
): Promise<Uint8Array> {
  if (!encryptedSessionSigningKey) throw new Error('No encrypted session signing key returned')
  const payload = bs58check.decode(encryptedSessionSigningKey)
  if (payload.length < 33 + 16) {
    throw new Error(`encryptedSessionSigningKey too short: ${payload.length} bytes`)
  }
  const compressedEnc = payload.slice(0, 33)
  const enc = p256.Point.fromHex(bytesToHex(compressedEnc)).toBytes(false)
  const ciphertext = payload.slice(33)
  const aad = concatBytes(enc, recipientPublicKey)
  const suite = new CipherSuite({
    kem: new DhkemP256HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Aes256Gcm(),
  })
  const recipient = await suite.createRecipientContext({
    recipientKey: recipientPrivateKey,
    enc,
    info: GRID_HPKE_INFO,
  })
  const plaintext = await recipient.open(ciphertext, aad)
  return new Uint8Array(plaintext)
}
// #endregion

export { decryptSessionSigningKey }

function bytesToHex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')
}

function concatBytes(...chunks: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((len, chunk) => len + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    out.set(chunk, offset)
    offset += chunk.length
  }
  return out
}
