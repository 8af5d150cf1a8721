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
    error::{Error, ErrorCode, Result},
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
/// fn print<T: std::fmt::Debug>() {}
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
            .map_err(|error| malformed(&format!("as Base58Check, {error}")))?;
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
