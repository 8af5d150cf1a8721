//! The two ways in which a session gets its key.
//!
//! The encoding of the `clientPublicKey` that is sent governs, on every operation: an uncompressed
//! key is answered by a session key sealed to it, a compressed key becomes the session key
//! (lightsparkdev/grid-api openapi.yaml @cf2510e, `AuthSession`).

use alloc::{rc::Rc, string::String};

use super::signer::Signer;
use crate::{
    api::types::AuthSession,
    error::{Error, ErrorCode, Result},
    formats::{sealed_key::SealedKeyReceiver, session_key::SessionKey},
    ports::{Random, SessionSigner},
};

/// Which of them is asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum KeyDelivery {
    /// Grid makes the session key and seals it to a key made here.
    #[default]
    Sealed,
    /// The key made here becomes the session key.
    ClientHeld,
}

/// The key whose public half was sent, until the session arrives.
pub enum PendingKey {
    /// Opens the sealed session key.
    Receiver(SealedKeyReceiver),
    /// Is the session key.
    Held(SessionKey),
    /// Is the session key, in the browser's keeping.
    Kept(Rc<dyn SessionSigner>),
}

impl PendingKey {
    /// Makes a fresh one.
    pub fn generate(delivery: KeyDelivery, random: &dyn Random) -> Result<Self> {
        match delivery {
            KeyDelivery::Sealed => SealedKeyReceiver::generate(random).map(Self::Receiver),
            KeyDelivery::ClientHeld => SessionKey::generate(random).map(Self::Held),
        }
    }

    /// `clientPublicKey`, in the encoding that asks for this delivery.
    pub fn client_public_key(&self) -> String {
        match self {
            Self::Receiver(receiver) => receiver.public_key().to_uncompressed_hex(),
            Self::Held(key) => key.public_key().to_compressed_hex(),
            Self::Kept(signer) => signer.public_key().to_compressed_hex(),
        }
    }

    /// The session's key.
    ///
    /// A sealed key that was not asked for is refused: whoever sends one would choose the key that
    /// signs from here on. A missing one leaves nothing to sign with.
    pub fn into_signer(self, session: &AuthSession) -> Result<Signer> {
        match (self, session.encrypted_session_signing_key.as_deref()) {
            (Self::Receiver(receiver), Some(sealed)) => receiver.open(sealed).map(Signer::Held),
            (Self::Held(key), None) => Ok(Signer::Held(key)),
            (Self::Kept(signer), None) => Ok(Signer::Kept(signer)),
            (Self::Receiver(_), None) => Err(Error::relay_protocol(
                "the session came without `encryptedSessionSigningKey`, which the uncompressed \
                 key asked for",
            )
            .with_reason("sealed_key_missing")),
            (Self::Held(_) | Self::Kept(_), Some(_)) => Err(Error::new(
                ErrorCode::BundleUntrusted,
                "the session came with an `encryptedSessionSigningKey` that was not asked for; it \
                 was not used",
            )
            .with_reason("sealed_key_unasked")),
        }
    }
}
