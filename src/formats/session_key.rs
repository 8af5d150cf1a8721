//! The key of a session: it stamps, and it seals a one-time code.

#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::otp::OtpCode;
use crate::{
    crypto::{
        enclave::{malformed, open_envelope, read_bundle, uncompressed_key},
        encoding::{base64url, hex},
        hpke,
        json::Json,
        key::{PrivateKey, PublicKey},
        random::Random,
    },
    error::{Error, Result},
};

/// The private key of a session. It signs; it receives nothing.
///
/// Wiped when dropped. It cannot be copied, printed or serialised:
///
/// ```compile_fail
/// fn clone<T: Clone>() {}
/// clone::<gridkey::formats::session_key::SessionKey>();
/// ```
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<gridkey::formats::session_key::SessionKey>();
/// ```
///
/// Nor can it open what was sealed for a receiver:
///
/// ```compile_fail
/// fn open(key: &gridkey::formats::session_key::SessionKey) {
///     let _ = key.open("");
/// }
/// ```
pub struct SessionKey {
    key: PrivateKey,
}

impl SessionKey {
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

    /// The private key: 32 bytes, big-endian. Whoever has it can move the customer's money until
    /// the session ends.
    pub fn export_private_key(&self) -> Zeroizing<[u8; 32]> {
        self.key.to_bytes()
    }

    /// The public key.
    pub fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// The value of `Grid-Wallet-Signature` for `payload`, byte for byte as it was received.
    ///
    /// Base64url without padding of
    /// `{"publicKey":"<compressed, hex>","scheme":"SIGNATURE_SCHEME_TK_API_P256",
    /// "signature":"<DER, hex>"}`: tkhq/sdk@aaede6f packages/api-key-stamper/src/index.ts. With
    /// RFC 6979 nonces the value is the one of Turnkey's own pure JavaScript stamper.
    ///
    /// Checks nothing but the length, at most 1 MiB: `invalid_argument`.
    pub fn stamp_unchecked(&self, payload: &str) -> Result<String> {
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(Error::invalid_argument(
                "A payload to sign has at most 1 MiB.",
            ));
        }
        let signature = self.key.sign_der(payload.as_bytes())?;
        let stamp = Json::object([
            ("publicKey", self.public_key().to_compressed_hex().into()),
            ("scheme", "SIGNATURE_SCHEME_TK_API_P256".into()),
            ("signature", hex::encode(&signature).into()),
        ]);
        Ok(base64url::encode(stamp.to_text().as_bytes()))
    }

    /// Seals a one-time code and this public key for the enclave that issued the code:
    /// `encryptedOtpBundle`.
    ///
    /// `bundle` is `otpEncryptionTargetBundle`, an envelope signed by `otp_key` around
    /// `{"targetPublic":"<SEC1 uncompressed, hex>"}`. Sealed is
    /// `{"otp_code":"<code>","public_key":"<hex>"}`; the result is
    /// `{"encappedPublic":"<SEC1 uncompressed, hex>","ciphertext":"<hex>"}`
    /// (tkhq/sdk@aaede6f packages/crypto/src/crypto.ts, `encryptOtpCodeToBundle`).
    ///
    /// `encoding` is the form of the public key inside: Grid's documents and its web client use
    /// the uncompressed one, Turnkey's documents the compressed one.
    ///
    /// Fails with `bundle_malformed` or `bundle_untrusted`.
    pub fn seal_otp_code(
        &self,
        bundle: &str,
        code: &OtpCode,
        otp_key: &PublicKey,
        encoding: PublicKeyEncoding,
        random: &dyn Random,
    ) -> Result<String> {
        let target = read_target(&open_envelope(bundle, otp_key)?)?;
        let public_key = match encoding {
            PublicKeyEncoding::Compressed => self.public_key().to_compressed_hex(),
            PublicKeyEncoding::Uncompressed => self.public_key().to_uncompressed_hex(),
        };
        // Put together in a buffer of its final size, so that no copy of the code stays behind.
        let parts = [
            br#"{"otp_code":""#.as_slice(),
            code.as_bytes(),
            br#"","public_key":""#,
            public_key.as_bytes(),
            br#""}"#,
        ];
        let length = parts.iter().map(|part| part.len()).sum();
        let mut plaintext = Zeroizing::new(Vec::with_capacity(length));
        for part in parts {
            plaintext.extend_from_slice(part);
        }
        let sealed = hpke::seal(&target, &plaintext, random)?;
        Ok(Json::object([
            (
                "encappedPublic",
                sealed.encapped.to_uncompressed_hex().into(),
            ),
            ("ciphertext", hex::encode(&sealed.ciphertext).into()),
        ])
        .to_text())
    }
}

/// How a public key is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PublicKeyEncoding {
    /// SEC1 compressed: 66 hex digits, beginning with 02 or 03.
    Compressed,
    /// SEC1 uncompressed: 130 hex digits, beginning with 04.
    Uncompressed,
}

/// The longest payload that is stamped.
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

fn read_target(data: &[u8]) -> Result<PublicKey> {
    let text = std::str::from_utf8(data).map_err(|_| malformed("its data is not UTF-8"))?;
    read_bundle(text)?
        .get("targetPublic")
        .and_then(Json::as_str)
        .and_then(uncompressed_key)
        .ok_or_else(|| malformed("its targetPublic is not an uncompressed P-256 key"))
}
