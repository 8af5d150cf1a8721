//! Signing in with an identity provider.

#![forbid(unsafe_code)]

use sha2::{Digest, Sha256};

use crate::{
    crypto::{encoding::hex, key::PublicKey},
    error::Result,
};

/// The `nonce` to ask the identity provider for, which binds its token to a key: lower-case hex of
/// SHA-256 over the text of `client_public_key` as it will be sent.
///
/// Over the text, not over the bytes it stands for: the two forms of one key have two nonces
/// (lightsparkdev/grid-api@cf2510e mintlify sandbox-global-account-magic.mdx).
///
/// Fails with `invalid_argument` where the text is not a P-256 public key of 66 or 130 hex digits.
pub fn nonce(client_public_key: &str) -> Result<String> {
    PublicKey::from_hex(client_public_key)?;
    Ok(hex::encode(&Sha256::digest(client_public_key)))
}
