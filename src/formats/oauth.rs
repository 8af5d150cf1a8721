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

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::{crypto::key::PrivateKey, error::ErrorCode};

    /// The digest is of the text, so each form, and each case, has its own.
    #[test]
    fn each_text_of_a_key_has_its_own_nonce() {
        let key = PrivateKey::from_bytes(&[1; 32]).unwrap();
        let compressed = key.public_key().to_compressed_hex();
        let uncompressed = key.public_key().to_uncompressed_hex();
        for text in [&compressed, &uncompressed, &compressed.to_uppercase()] {
            let digest = Sha256::digest(text.as_bytes());
            assert_eq!(nonce(text).unwrap(), hex::encode(&digest));
        }
        assert_ne!(nonce(&compressed).unwrap(), nonce(&uncompressed).unwrap());
    }

    #[test]
    fn refuses_what_is_not_a_key() {
        let key = PrivateKey::from_bytes(&[1; 32])
            .unwrap()
            .public_key()
            .to_compressed_hex();
        for refused in [
            "",
            key.get(2..).unwrap(),
            &format!("0x{key}"),
            &format!("{key} "),
            &"0".repeat(66),
        ] {
            assert_eq!(
                nonce(refused).unwrap_err().code(),
                ErrorCode::InvalidArgument
            );
        }
    }
}
