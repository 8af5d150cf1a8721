//! P-256 public keys as Grid writes them.

use p256::{PublicKey, elliptic_curve::sec1::ToSec1Point};

use crate::errors::{GridError, Reason, Result};

/// SEC1 compressed, 33 bytes.
pub(crate) fn compressed(key: &PublicKey) -> Vec<u8> {
    key.to_sec1_point(true).as_bytes().to_vec()
}

/// SEC1 compressed, lowercase hex, 66 characters.
pub(crate) fn compressed_hex(key: &PublicKey) -> String {
    hex::encode(compressed(key))
}

/// SEC1 uncompressed, lowercase hex, 130 characters.
pub(crate) fn uncompressed_hex(key: &PublicKey) -> String {
    hex::encode(uncompressed(key))
}

/// SEC1 uncompressed, 65 bytes.
pub(crate) fn uncompressed(key: &PublicKey) -> Vec<u8> {
    key.to_sec1_point(false).as_bytes().to_vec()
}

/// A point from hex of either SEC1 encoding, 66 characters (02, 03) or 130 (04).
pub(crate) fn parse_hex(text: &str) -> Option<PublicKey> {
    let bytes = hex::decode(text).ok()?;
    // p256 also reads compact points (05), which Grid does not have.
    matches!(bytes.first()?, 2..=4)
        .then(|| PublicKey::from_sec1_bytes(&bytes).ok())
        .flatten()
}

/// How the session's key gets to the client. The encoding of `clientPublicKey` says it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Delivery {
    /// The client sent a compressed key, which becomes the session's key.
    ClientHeld,
    /// The client sent an uncompressed key, to which a fresh session key is sealed.
    Sealed,
}

/// `clientPublicKey` of a request.
#[derive(Clone, Debug)]
pub(crate) struct ClientPublicKey {
    /// As it was sent; payloads and nonces are made from this text.
    pub(crate) text: String,
    pub(crate) key: PublicKey,
    pub(crate) delivery: Delivery,
}

impl ClientPublicKey {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let key = parse_hex(text).ok_or_else(|| {
            GridError::invalid_input(
                Reason::ClientPublicKeyInvalid,
                "clientPublicKey is not a P-256 public key in SEC1 hex",
            )
        })?;
        let delivery = if text.starts_with("04") {
            Delivery::Sealed
        } else {
            Delivery::ClientHeld
        };
        Ok(Self {
            text: text.to_owned(),
            key,
            delivery,
        })
    }
}
