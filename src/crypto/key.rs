//! P-256 keys.
//!
//! Each key keeps its public point: deriving it again costs as much as a signature, and signing
//! with a point given from outside could claim a wrong one.

#![forbid(unsafe_code)]

use std::fmt;

use ecdsa::hazmat;
use p256::{
    AffinePoint, FieldBytes, NistP256, NonZeroScalar, ProjectivePoint,
    ecdsa::Signature,
    elliptic_curve::{Group, ecdh, sec1::ToSec1Point},
};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::{encoding::hex, random::Random};
use crate::error::{Error, ErrorCode, Result};

/// A point of P-256 that is on the curve and not at infinity.
#[derive(Clone)]
pub struct PublicKey {
    point: AffinePoint,
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
        let point = p256::PublicKey::from_sec1_bytes(bytes).map_err(|_| {
            Error::invalid_argument("The public key is not a point on the curve P-256.")
        })?;
        Self::from_point(*point.as_affine())
    }

    /// From the hex of SEC1: 66 or 130 digits.
    pub fn from_hex(text: &str) -> Result<Self> {
        let bytes = hex::decode(text, 65).map_err(|_| {
            Error::invalid_argument("A public key must be 66 or 130 hexadecimal digits.")
        })?;
        Self::from_sec1(&bytes)
    }

    fn from_point(point: AffinePoint) -> Result<Self> {
        let uncompressed = point
            .to_sec1_point(false)
            .as_bytes()
            .try_into()
            .map_err(|_| Error::invalid_argument("The public key is the point at infinity."))?;
        Ok(Self {
            point,
            uncompressed,
        })
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
        Signature::from_der(signature_der).is_ok_and(|signature| self.verify(message, &signature))
    }

    /// Whether this key signed `message` with ECDSA and SHA-256, the signature as `r || s`, 32
    /// bytes each, big-endian.
    pub fn verify_raw(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.verify(message, &signature))
    }

    fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        let point = ProjectivePoint::from(self.point);
        hazmat::verify_prehashed(&point, &Sha256::digest(message), signature).is_ok()
    }

    /// The first 8 bytes of SHA-256 over the uncompressed key, as hex: names a key in a message.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.uncompressed);
        hex::encode(digest.first_chunk::<8>().map_or(&[], |head| head))
    }
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
/// fn print<T: std::fmt::Debug>() {}
/// print::<gridkey::crypto::key::PrivateKey>();
/// ```
///
/// ```compile_fail
/// fn display<T: std::fmt::Display>() {}
/// display::<gridkey::crypto::key::PrivateKey>();
/// ```
pub struct PrivateKey {
    /// In a box, so that moving the key moves a pointer and leaves no copy of the scalar.
    scalar: Box<Zeroizing<NonZeroScalar>>,
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
            if let Some(key) = Self::from_scalar_bytes(&candidate)? {
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
        // The length comes first: p256 itself would pad shorter slices.
        let bytes: &[u8; 32] = bytes
            .try_into()
            .map_err(|_| Error::invalid_argument("A private key must be 32 bytes."))?;
        Self::from_scalar_bytes(bytes)?.ok_or_else(|| {
            Error::invalid_argument("A private key must be a number from 1 to n - 1, big-endian.")
        })
    }

    fn from_scalar_bytes(bytes: &[u8; 32]) -> Result<Option<Self>> {
        let mut repr = FieldBytes::from(*bytes);
        let scalar = NonZeroScalar::from_repr(repr).into_option();
        repr.zeroize();
        let Some(scalar) = scalar else {
            return Ok(None);
        };
        let scalar = Box::new(Zeroizing::new(scalar));
        let point = ProjectivePoint::mul_by_generator(&scalar).to_affine();
        let public = PublicKey::from_point(point)?;
        Ok(Some(Self { scalar, public }))
    }

    /// The public point.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The ECDSA signature of SHA-256(`message`) with the nonce of RFC 6979, in DER: 8 to 72
    /// bytes. S is as it comes, not normalised to the lower half.
    pub fn sign_der(&self, message: &[u8]) -> Result<Vec<u8>> {
        let digest = Sha256::digest(message);
        let (signature, _) =
            hazmat::sign_prehashed_rfc6979::<NistP256, Sha256>(&self.scalar, &digest, &[]);
        Ok(signature.to_der().as_bytes().to_vec())
    }

    /// The scalar: 32 bytes, big-endian.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        let mut repr = FieldBytes::from(&**self.scalar);
        let bytes = Zeroizing::new(repr.into());
        repr.zeroize();
        bytes
    }

    /// The x-coordinate of the shared point: SEC1 section 3.3.1, which is `DH(skX, pkY)` of
    /// RFC 9180 section 4.1.
    pub(crate) fn diffie_hellman(&self, public: &PublicKey) -> Zeroizing<[u8; 32]> {
        let shared = ecdh::diffie_hellman::<NistP256>(&**self.scalar, public.point);
        Zeroizing::new((*shared.raw_secret_bytes()).into())
    }
}
