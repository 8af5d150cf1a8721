//! A session key that an enclave made and sealed: `encryptedSessionSigningKey`.

#![forbid(unsafe_code)]

use super::session_key::SessionKey;
use crate::{
    crypto::{
        enclave::malformed,
        encoding::base58check,
        hpke,
        key::{PrivateKey, PublicKey},
        random::Random,
    },
    error::{Error, ErrorCode, Result, filled},
};

/// Receives a sealed session key. It signs nothing.
///
/// Wiped when dropped. It cannot be copied or printed, and it has no way to stamp:
///
/// ```compile_fail
/// fn clone<T: Clone>() {}
/// clone::<gridkey::formats::sealed_key::SealedKeyReceiver>();
/// ```
///
/// ```compile_fail
/// fn print<T: core::fmt::Debug>() {}
/// print::<gridkey::formats::sealed_key::SealedKeyReceiver>();
/// ```
///
/// ```compile_fail
/// fn stamp(key: &gridkey::formats::sealed_key::SealedKeyReceiver) {
///     let _ = key.stamp_unchecked("");
/// }
/// ```
pub struct SealedKeyReceiver {
    key: PrivateKey,
}

impl SealedKeyReceiver {
    /// A new key.
    pub fn generate(random: &dyn Random) -> Result<Self> {
        Ok(Self {
            key: PrivateKey::generate(random)?,
        })
    }

    /// From 32 bytes, big-endian, `0 < d < n`. Fails with `invalid_argument`.
    pub fn from_private_key(bytes: &[u8]) -> Result<Self> {
        Ok(Self {
            key: PrivateKey::from_bytes(bytes)?,
        })
    }

    /// The public key. Its uncompressed form as `clientPublicKey` asks for a sealed key.
    pub fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// Opens `encryptedSessionSigningKey`.
    ///
    /// Base58Check, at most 512 characters, of `enc || ciphertext || tag`: the compressed
    /// ephemeral key (33 bytes), the encrypted scalar (32) and the tag (16)
    /// (tkhq/sdk@aaede6f packages/crypto/src/turnkey.ts, `decryptCredentialBundle`).
    ///
    /// Fails with `bundle_malformed` where the text is none of that, and with `decrypt_failed`
    /// where it does not open with this key, or opens to something that is no private key. The
    /// receiver can be used again.
    pub fn open(&self, encrypted_session_signing_key: &str) -> Result<SessionKey> {
        let payload = base58check::decode(encrypted_session_signing_key, MAX_BUNDLE_CHARS)
            .map_err(|error| malformed(&filled("as Base58Check, {}", &[error.message()])))?;
        let (encapped, ciphertext) = payload
            .split_first_chunk::<33>()
            .ok_or_else(|| malformed("it is too short"))?;
        let encapped = PublicKey::from_sec1(encapped)
            .map_err(|_| malformed("it does not begin with a compressed P-256 key"))?;
        let plaintext = hpke::open(&self.key, &encapped, ciphertext)?;
        SessionKey::from_private_key(&plaintext).map_err(|_| {
            Error::new(
                ErrorCode::DecryptFailed,
                "The sealed text opens, but what it holds is not a P-256 private key.",
            )
        })
    }
}

/// The longest text that is decoded. Real ones have 115 or 116 characters.
pub const MAX_BUNDLE_CHARS: usize = 512;

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::crypto::random::SystemRandom;

    #[test]
    fn opens_its_own_and_can_be_used_again() {
        let receiver = SealedKeyReceiver::generate(&SystemRandom).unwrap();
        let other = SealedKeyReceiver::generate(&SystemRandom).unwrap();
        let session = PrivateKey::generate(&SystemRandom).unwrap();
        let bundle = seal(&receiver, session.to_bytes().as_slice());
        assert_eq!(refusal(&other, &bundle), ErrorCode::DecryptFailed);
        for _ in 0..2 {
            let opened = receiver.open(&bundle).unwrap();
            assert_eq!(opened.public_key(), session.public_key());
            assert_eq!(opened.export_private_key(), session.to_bytes());
            assert_eq!(
                refusal(&receiver, bundle.get(1..).unwrap()),
                ErrorCode::BundleMalformed
            );
        }
    }

    #[test]
    fn refuses_what_is_not_a_key_inside() {
        let receiver = SealedKeyReceiver::generate(&SystemRandom).unwrap();
        for length in (0..=66).filter(|length| *length != 32) {
            let bundle = seal(&receiver, &vec![1; length]);
            assert_eq!(
                refusal(&receiver, &bundle),
                ErrorCode::DecryptFailed,
                "{length}"
            );
        }
        for scalar in [[0; 32], [0xff; 32]] {
            assert_eq!(
                refusal(&receiver, &seal(&receiver, &scalar)),
                ErrorCode::DecryptFailed
            );
        }
    }

    #[test]
    fn refuses_every_truncation_and_every_other_first_part() {
        let receiver = SealedKeyReceiver::generate(&SystemRandom).unwrap();
        let session = PrivateKey::generate(&SystemRandom).unwrap();
        let payload = sealed_payload(&receiver, session.to_bytes().as_slice());
        for length in 0..payload.len() {
            let expected = if length < 33 {
                ErrorCode::BundleMalformed
            } else {
                ErrorCode::DecryptFailed
            };
            assert_eq!(
                refusal(&receiver, &encode(&payload[..length])),
                expected,
                "{length}"
            );
        }
        for first in [0, 1, 4, 5, 6, 7, 0xff] {
            let mut altered = payload.clone();
            altered[0] = first;
            assert_eq!(
                refusal(&receiver, &encode(&altered)),
                ErrorCode::BundleMalformed,
                "{first}"
            );
        }
        // The other point with this x.
        let mut altered = payload;
        altered[0] ^= 1;
        assert_eq!(
            refusal(&receiver, &encode(&altered)),
            ErrorCode::DecryptFailed
        );
    }

    #[test]
    fn is_capped_at_512_characters() {
        let receiver = SealedKeyReceiver::generate(&SystemRandom).unwrap();
        let message = |length: usize| {
            let error = receiver.open(&"1".repeat(length)).err().unwrap();
            assert_eq!(error.code(), ErrorCode::BundleMalformed);
            error.message().to_owned()
        };
        assert!(!message(512).contains("too long"));
        assert!(message(513).contains("too long"));
    }

    fn seal(receiver: &SealedKeyReceiver, plaintext: &[u8]) -> String {
        encode(&sealed_payload(receiver, plaintext))
    }

    fn sealed_payload(receiver: &SealedKeyReceiver, plaintext: &[u8]) -> Vec<u8> {
        let sealed = hpke::seal(receiver.public_key(), plaintext, &SystemRandom).unwrap();
        [
            sealed.encapped.to_compressed().as_slice(),
            &sealed.ciphertext,
        ]
        .concat()
    }

    fn encode(payload: &[u8]) -> String {
        let checksum = Sha256::digest(Sha256::digest(payload));
        bs58::encode([payload, &checksum[..4]].concat()).into_string()
    }

    fn refusal(receiver: &SealedKeyReceiver, bundle: &str) -> ErrorCode {
        receiver.open(bundle).err().unwrap().code()
    }
}
