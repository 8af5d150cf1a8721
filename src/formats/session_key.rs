//! The key of a session: it stamps, and it seals a one-time code.

#![forbid(unsafe_code)]

use alloc::{boxed::Box, string::String, vec::Vec};

use zeroize::Zeroizing;

use super::otp::OtpCode;
use crate::{
    crypto::{
        enclave::{malformed, open_envelope, read_data, uncompressed_key},
        encoding::{base64url, der, hex},
        hpke,
        json::Json,
        key::{PrivateKey, PublicKey},
        random::Random,
    },
    error::{Error, ErrorCode, Result},
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
/// fn print<T: core::fmt::Debug>() {}
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
    pub fn export_private_key(&self) -> Box<Zeroizing<[u8; 32]>> {
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
        check_payload_length(payload)?;
        let signature = self.key.sign_der(payload.as_bytes());
        Ok(stamp(self.public_key(), &signature))
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
        let target = otp_encryption_target(bundle, otp_key)?;
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

/// The stamp of a key that is not in this memory: `r_and_s` is its signature, 64 bytes.
///
/// Fails with `storage_unavailable` where it is no signature.
pub fn stamp_from_raw(public_key: &PublicKey, r_and_s: &[u8]) -> Result<String> {
    let halves = r_and_s.split_first_chunk::<32>().and_then(|(r, rest)| {
        let s: &[u8; 32] = rest.try_into().ok()?;
        Some((*r, *s))
    });
    let Some(integers) = halves else {
        return Err(Error::new(
            ErrorCode::StorageUnavailable,
            "The browser gave no signature by the key that it keeps.",
        ));
    };
    Ok(stamp(public_key, &der::encode(&integers)))
}

fn stamp(public_key: &PublicKey, signature_der: &[u8]) -> String {
    let stamp = Json::object([
        ("publicKey", public_key.to_compressed_hex().into()),
        ("scheme", "SIGNATURE_SCHEME_TK_API_P256".into()),
        ("signature", hex::encode(signature_der).into()),
    ]);
    base64url::encode(stamp.to_text().as_bytes())
}

/// Refuses what is longer than 1 MiB, with `invalid_argument`.
pub fn check_payload_length(payload: &str) -> Result<()> {
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(Error::invalid_argument(
            "A payload to sign has at most 1 MiB.",
        ));
    }
    Ok(())
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

/// The key that a code is sealed to, out of `otpEncryptionTargetBundle`.
///
/// Fails with `bundle_malformed` or `bundle_untrusted`.
pub fn otp_encryption_target(bundle: &str, otp_key: &PublicKey) -> Result<PublicKey> {
    let data = open_envelope(bundle, otp_key)?;
    read_data(&data)?
        .text("targetPublic")
        .and_then(uncompressed_key)
        .ok_or_else(|| malformed("its targetPublic is not an uncompressed P-256 key"))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::{
        crypto::{json::Limits, random::SystemRandom},
        error::ErrorCode,
    };

    const LIMITS: Limits = Limits {
        bytes: 4096,
        depth: 4,
    };

    #[test]
    fn stamps_are_capped_at_1_mib() {
        let key = SessionKey::generate(&SystemRandom).unwrap();
        assert!(key.stamp_unchecked(&"x".repeat(1024 * 1024)).is_ok());
        let error = key
            .stamp_unchecked(&"x".repeat(1024 * 1024 + 1))
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
    }

    /// Turnkey verifies over the bytes it sent: white space, case and a byte order mark count.
    #[test]
    fn stamps_are_of_the_exact_bytes() {
        let key = SessionKey::generate(&SystemRandom).unwrap();
        for payload in ["{}", "{} ", " {}", "\u{feff}{}", "", "\0"] {
            let stamp = base64url::decode(&key.stamp_unchecked(payload).unwrap(), 1024).unwrap();
            let stamp = Json::parse(std::str::from_utf8(&stamp).unwrap(), LIMITS).unwrap();
            let signature = hex::decode(stamp.get("signature").unwrap().as_str().unwrap(), 72);
            let signature = signature.unwrap();
            assert!(key.public_key().verify_der(payload.as_bytes(), &signature));
            assert!(!key.public_key().verify_der(b"{}\n", &signature));
        }
    }

    #[test]
    fn seals_the_code_and_the_key_in_the_form_asked_for() {
        let enclave = Enclave::new();
        let key = SessionKey::generate(&SystemRandom).unwrap();
        for (encoding, public_key) in [
            (
                PublicKeyEncoding::Compressed,
                key.public_key().to_compressed_hex(),
            ),
            (
                PublicKeyEncoding::Uncompressed,
                key.public_key().to_uncompressed_hex(),
            ),
        ] {
            let sealed = key
                .seal_otp_code(
                    &enclave.bundle(&enclave.target.public_key().to_uncompressed_hex()),
                    &OtpCode::new(b"012345").unwrap(),
                    enclave.signer.public_key(),
                    encoding,
                    &SystemRandom,
                )
                .unwrap();
            assert_eq!(
                enclave.open(&sealed),
                format!(r#"{{"otp_code":"012345","public_key":"{public_key}"}}"#)
            );
        }
    }

    /// A relay that gives its own key would read the code.
    #[test]
    fn seals_to_nobody_but_the_enclave() {
        let enclave = Enclave::new();
        let relay = Enclave::new();
        let target = relay.target.public_key().to_uncompressed_hex();
        assert_eq!(
            enclave.refusal(&relay.bundle(&target)),
            ErrorCode::BundleUntrusted
        );
        // The enclave's own bundle with the target swapped under the signature.
        let own = enclave.target.public_key().to_uncompressed_hex();
        let swapped = enclave.bundle(&own).replace(
            &hex::encode(own.as_bytes()),
            &hex::encode(target.as_bytes()),
        );
        assert_eq!(enclave.refusal(&swapped), ErrorCode::BundleUntrusted);
    }

    /// Even where the enclave signed it: nobody can open what is sealed to these.
    #[test]
    fn refuses_targets_that_are_not_uncompressed_points() {
        let enclave = Enclave::new();
        let compressed = enclave.target.public_key().to_compressed_hex();
        let mut off_curve = enclave.target.public_key().to_uncompressed_hex();
        off_curve.replace_range(
            128..,
            if off_curve.ends_with("00") {
                "01"
            } else {
                "00"
            },
        );
        let hybrid = enclave
            .target
            .public_key()
            .to_uncompressed_hex()
            .replacen("04", "06", 1);
        for target in [compressed.as_str(), &off_curve, &hybrid, "", "00"] {
            assert_eq!(
                enclave.refusal(&enclave.bundle(target)),
                ErrorCode::BundleMalformed,
                "{target}"
            );
        }
    }

    #[test]
    fn refuses_signed_data_that_is_not_strict_json() {
        let enclave = Enclave::new();
        let target = enclave.target.public_key().to_uncompressed_hex();
        for data in [
            "".to_owned(),
            "{}".to_owned(),
            format!(r#"{{"targetPublic":"{target}","t\u0061rgetPublic":"{target}"}}"#),
            format!(r#"{{"targetPublic":"{target}"}} x"#),
            format!(r#"{{"targetPublic":["{target}"]}}"#),
            format!(r#"{{"targetpublic":"{target}"}}"#),
            format!(r#"{{"targetPublic":"{target}","x":"\ud800"}}"#),
        ] {
            let bundle = enclave.sign(data.as_bytes());
            assert_eq!(
                enclave.refusal(&bundle),
                ErrorCode::BundleMalformed,
                "{data}"
            );
        }
        assert_eq!(
            enclave.refusal(&enclave.sign(b"\xff")),
            ErrorCode::BundleMalformed
        );
        // Members beside it do not disturb.
        let more = format!(r#"{{"organizationId":"o","targetPublic":"{target}"}}"#);
        assert!(enclave.seal(&enclave.sign(more.as_bytes())).is_ok());
    }

    #[test]
    fn a_refusal_leaves_the_key_usable() {
        let enclave = Enclave::new();
        assert!(enclave.seal("").is_err());
        let target = enclave.target.public_key().to_uncompressed_hex();
        assert!(enclave.seal(&enclave.bundle(&target)).is_ok());
    }

    /// What issues one-time codes, in a few lines.
    struct Enclave {
        signer: PrivateKey,
        target: PrivateKey,
    }

    impl Enclave {
        fn new() -> Self {
            Self {
                signer: PrivateKey::generate(&SystemRandom).unwrap(),
                target: PrivateKey::generate(&SystemRandom).unwrap(),
            }
        }

        fn bundle(&self, target: &str) -> String {
            self.sign(
                Json::object([("targetPublic", target.into())])
                    .to_text()
                    .as_bytes(),
            )
        }

        fn sign(&self, data: &[u8]) -> String {
            Json::object([
                ("version", "v1.0.0".into()),
                ("data", hex::encode(data).into()),
                (
                    "dataSignature",
                    hex::encode(&self.signer.sign_der(data)).into(),
                ),
                (
                    "enclaveQuorumPublic",
                    self.signer.public_key().to_uncompressed_hex().into(),
                ),
            ])
            .to_text()
        }

        fn seal(&self, bundle: &str) -> Result<String> {
            SessionKey::generate(&SystemRandom)?.seal_otp_code(
                bundle,
                &OtpCode::new(b"000000")?,
                self.signer.public_key(),
                PublicKeyEncoding::Uncompressed,
                &SystemRandom,
            )
        }

        fn refusal(&self, bundle: &str) -> ErrorCode {
            self.seal(bundle).unwrap_err().code()
        }

        fn open(&self, sealed: &str) -> String {
            let sealed = Json::parse(sealed, LIMITS).unwrap();
            let names: Vec<_> = sealed
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, _)| name)
                .collect();
            assert_eq!(names, ["encappedPublic", "ciphertext"]);
            let member = |name: &str| sealed.get(name).unwrap().as_str().unwrap().to_owned();
            let encapped = uncompressed_key(&member("encappedPublic")).unwrap();
            let ciphertext = hex::decode(&member("ciphertext"), 4096).unwrap();
            let plaintext = hpke::open(&self.target, &encapped, &ciphertext).unwrap();
            String::from_utf8(plaintext.to_vec()).unwrap()
        }
    }
}
