// What every environment does with the package: it signs a payload and opens a sealed key, both
// of published vectors. What comes out is compared by the runner, which does not use the package.

import { vector } from "./vector.js";

export async function use({ SealedKeyReceiver, SessionKey, init }, source) {
  await init(source);
  const key = SessionKey.dangerouslyFromPrivateKey(bytes(vector.privateKey));
  const receiver = SealedKeyReceiver.dangerouslyFromPrivateKey(bytes(vector.receiverPrivateKey));
  const stamp = await key.dangerouslyStampUnchecked(vector.payload);
  const opened = receiver.open(vector.encryptedSessionSigningKey).publicKey;
  return { stamp, opened };
}

const bytes = (hex) => Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16));
