//! RustCrypto's side of the comparisons.

use std::convert::Infallible;

use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256,
    kem::DhP256HkdfSha256, single_shot_open, single_shot_seal_with_rng,
};
use p256::{
    PublicKey, SecretKey,
    ecdsa::{Signature, SigningKey, VerifyingKey, signature::Signer, signature::Verifier},
    elliptic_curve::{
        rand_core::{TryCryptoRng, TryRng},
        sec1::ToSec1Point,
    },
};

const INFO: &[u8] = b"turnkey_hpke";

/// SEC1 uncompressed of what is a point in SEC1, compressed or not.
pub fn point(sec1: &[u8]) -> Option<[u8; 65]> {
    // `p256` takes the compact form too, and the point at infinity.
    if !matches!(
        (sec1.len(), sec1.first()),
        (33, Some(2 | 3)) | (65, Some(4))
    ) {
        return None;
    }
    let key = PublicKey::from_sec1_bytes(sec1).ok()?;
    key.to_sec1_point(false).as_bytes().try_into().ok()
}

/// SEC1 uncompressed of a private key's public one.
pub fn public(private: &[u8]) -> Option<[u8; 65]> {
    let key = SecretKey::from_slice(private).ok()?.public_key();
    key.to_sec1_point(false).as_bytes().try_into().ok()
}

/// DER, with the nonce of RFC 6979.
pub fn sign(private: &[u8; 32], message: &[u8]) -> Vec<u8> {
    let key = SigningKey::from_bytes(private.into()).unwrap();
    let signature: Signature = key.sign(message);
    signature.to_der().as_bytes().to_vec()
}

/// Whether the key signed the message.
pub fn verifies(public: &[u8; 65], message: &[u8], signature: &Signature) -> bool {
    let key = VerifyingKey::from_sec1_bytes(public).unwrap();
    key.verify(message, signature).is_ok()
}

/// A sender that is told its randomness: `enc`, uncompressed, and the ciphertext.
pub fn seal(recipient: &[u8; 65], seed: &[u8; 32], plaintext: &[u8]) -> (Vec<u8>, Vec<u8>) {
    // RFC 9180 has key pairs derived from as many random bytes as a private key has.
    let (_, encapped) = DhP256HkdfSha256::derive_keypair(seed);
    let aad = [encapped.to_bytes().as_slice(), recipient].concat();
    let recipient = Deserializable::from_bytes(recipient).unwrap();
    let (used, ciphertext) = single_shot_seal_with_rng::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
        &OpModeS::Base,
        &recipient,
        INFO,
        plaintext,
        &aad,
        &mut Told(*seed),
    )
    .unwrap();
    assert_eq!(used.to_bytes(), encapped.to_bytes());
    (encapped.to_bytes().to_vec(), ciphertext)
}

/// What a ciphertext opens to. `encapped` is uncompressed.
pub fn open(private: &[u8; 32], encapped: &[u8; 65], ciphertext: &[u8]) -> Option<Vec<u8>> {
    let recipient = public(private)?;
    single_shot_open::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
        &OpModeR::Base,
        &Deserializable::from_bytes(private).ok()?,
        &Deserializable::from_bytes(encapped).ok()?,
        INFO,
        ciphertext,
        &[encapped.as_slice(), &recipient].concat(),
    )
    .ok()
}

struct Told([u8; 32]);

impl TryRng for Told {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are made of bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are made of bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.copy_from_slice(&self.0);
        Ok(())
    }
}

impl TryCryptoRng for Told {}
