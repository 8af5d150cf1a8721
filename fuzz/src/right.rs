//! What is right, before it is made wrong. By gridkey itself, whose arithmetic is quicker than that of
//! the crates that judge it; the targets `curve` and `hpke` see to it that it is right.

use arbitrary::{Result, Unstructured};
use gridkey::{
    crypto::{
        hpke,
        key::{PrivateKey, PublicKey},
        random::Random,
    },
    error,
};
use p256::ecdsa::Signature;

use crate::edge;

/// A key pair of the fuzzer's choice.
pub fn key(u: &mut Unstructured<'_>) -> Result<PrivateKey> {
    Ok(of(&edge::scalar(u)?))
}

/// The key pair with this scalar, which is in range.
pub fn of(scalar: &[u8; 32]) -> PrivateKey {
    PrivateKey::from_bytes(scalar).unwrap()
}

/// `r || s`.
pub fn signature(key: &PrivateKey, message: &[u8]) -> Vec<u8> {
    let signature = Signature::from_der(&key.sign_der(message)).unwrap();
    signature.to_bytes().to_vec()
}

/// `enc` and the ciphertext, of what is sealed by a sender of the fuzzer's choice.
pub fn sealed(
    u: &mut Unstructured<'_>,
    recipient: &PublicKey,
    plaintext: &[u8],
) -> Result<(PublicKey, Vec<u8>)> {
    let sealed = hpke::seal(recipient, plaintext, &Told(edge::scalar(u)?)).unwrap();
    Ok((sealed.encapped, sealed.ciphertext))
}

/// A source of randomness that gives one number.
pub struct Told(pub [u8; 32]);

impl Random for Told {
    fn fill(&self, bytes: &mut [u8]) -> error::Result<()> {
        bytes.copy_from_slice(&self.0);
        Ok(())
    }
}
