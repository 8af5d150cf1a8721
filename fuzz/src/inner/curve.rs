//! The curve, by bytes.

use super::p256::{Affine, Secret, Signature, sign};

/// SEC1, 65 bytes, of a private key; nothing where it is out of range.
pub fn public(private: &[u8; 32]) -> Option<[u8; 65]> {
    Some(Secret::from_bytes(private)?.public().encode())
}

/// The point's uncompressed form, if it is a point.
pub fn decode(sec1: &[u8]) -> Option<[u8; 65]> {
    // As `PublicKey::from_sec1`, which looks at the length first.
    match (sec1.len(), sec1.first()) {
        (33, Some(2 | 3)) | (65, Some(4)) => Some(Affine::decode(sec1)?.encode()),
        _ => None,
    }
}

/// The x-coordinate of the shared point.
pub fn shared(private: &[u8; 32], public: &[u8; 65]) -> Option<[u8; 32]> {
    let public = Affine::decode(public)?;
    Some(*Secret::from_bytes(private)?.shared(&public))
}

/// `r || s` of a digest.
pub fn signature(private: &[u8; 32], digest: &[u8; 32]) -> Option<[u8; 64]> {
    let (r, s) = sign(&Secret::from_bytes(private)?, digest).split_bytes();
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&r);
    bytes[32..].copy_from_slice(&s);
    Some(bytes)
}

/// Whether `r || s` is the key's signature of a digest.
pub fn verifies(public: &[u8; 65], digest: &[u8; 32], signature: &[u8]) -> bool {
    let (Some(public), Some(signature)) =
        (Affine::decode(public), Signature::from_slice(signature))
    else {
        return false;
    };
    signature.verifies(&public, digest)
}
