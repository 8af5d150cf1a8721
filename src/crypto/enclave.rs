//! Bundles that an enclave signed, and the keys that this package trusts to sign them.
//!
//! A bundle names its signer's key, but a key that arrives inside the message it signs proves
//! nothing: the signer must be the pinned one.

#![forbid(unsafe_code)]

use alloc::{borrow::Cow, vec::Vec};

use super::{
    encoding::hex,
    json::{Json, Limits},
    key::PublicKey,
};
use crate::error::{Error, ErrorCode, Result, filled};

/// The enclave keys that a client trusts, one for each role.
#[derive(Clone)]
pub struct EnclaveKeys {
    /// Signs OTP target bundles and verification tokens: Turnkey's TLS fetcher.
    pub otp: PublicKey,
    /// Signs wallet exports: Turnkey's signer.
    pub export: ExportTrust,
}

impl EnclaveKeys {
    /// The keys of the production enclaves.
    ///
    /// tkhq/sdk@aaede6f packages/crypto/src/constants.ts,
    /// `PRODUCTION_TLS_FETCHER_SIGN_PUBLIC_KEY` and `PRODUCTION_SIGNER_SIGN_PUBLIC_KEY`.
    pub fn production() -> Result<Self> {
        Ok(Self {
            otp: PublicKey::from_hex(
                "046b4f88421f76b6ba418afc2ea1d8ced671337d7db6b80478a60d8531bf8f17fa\
                 9a512f0fef96fc0c9b4cd9dff70b34992e520ce04c79d931f6ff6296b547d201",
            )?,
            export: ExportTrust::Key(PublicKey::from_hex(
                "04cf288fe433cc4e1aa0ce1632feac4ea26bf2f5a09dcfe5a42c398e06898710330f0572882f4dbd\
                 f0f5304b8fc8703acd69adca9a4bbf7f5d00d20a5e364b2569",
            )?),
        })
    }
}

/// What makes a wallet export trustworthy.
#[derive(Clone)]
pub enum ExportTrust {
    /// A signature by this key.
    Key(PublicKey),
    /// Nothing: the hosted sandbox leaves its exports unsigned. Never infer this from a bundle.
    UnsignedSandbox,
}

/// The longest bundle, in bytes. Real ones have about 1200.
pub const MAX_BUNDLE_BYTES: usize = 64 * 1024;

/// Opens a signed envelope and returns the bytes that are signed.
///
/// `text` is `{"version":"v1.0.0","data":"<hex>","dataSignature":"<DER, hex>",
/// "enclaveQuorumPublic":"<SEC1 uncompressed, hex>"}` with further members ignored; the signature
/// is ECDSA with SHA-256 over the decoded `data` (tkhq/sdk@aaede6f packages/crypto/src/turnkey.ts,
/// `verifyEnclaveSignature`). The version must be there: without it Turnkey's older format would
/// sign only a part of the bundle.
///
/// Fails with `bundle_malformed`, or with `bundle_untrusted` where the envelope names another key
/// than `trusted`, names none, or is not signed by it.
pub fn open_envelope(text: &str, trusted: &PublicKey) -> Result<Vec<u8>> {
    open(text, Some(trusted))
}

/// Opens an envelope of the hosted sandbox, whose `dataSignature` and `enclaveQuorumPublic` are
/// empty.
///
/// Fails with `bundle_malformed`, or with `bundle_untrusted` where the envelope is signed: then it
/// does not come from that sandbox, and the client is configured wrongly.
pub fn open_unsigned_envelope(text: &str) -> Result<Vec<u8>> {
    open(text, None)
}

/// Opens an envelope that this key signed, or one that nobody signed.
fn open(text: &str, trusted: Option<&PublicKey>) -> Result<Vec<u8>> {
    let envelope = read_bundle(text)?;
    let member = |name| member(&envelope, "it has", name);
    if member("version")? != "v1.0.0" {
        return Err(malformed("its version is not v1.0.0"));
    }
    let data = hex::decode(member("data")?, MAX_BUNDLE_BYTES)
        .map_err(|_| malformed("its data is not hex"))?;
    let signature = member("dataSignature")?;
    let signer = member("enclaveQuorumPublic")?;
    match (trusted, signature.is_empty() && signer.is_empty()) {
        (Some(trusted), false) => check_signature(&data, signature, signer, trusted)?,
        (None, true) => {}
        (Some(_), true) => {
            return Err(untrusted(
                "The bundle is not signed. Only Grid's hosted sandbox sends such bundles, and only \
                 a client that is configured for it takes them.",
            ));
        }
        (None, false) => {
            return Err(untrusted(
                "The bundle is signed, but this client is configured for the unsigned bundles of \
                 Grid's hosted sandbox. Give the key that signs instead.",
            ));
        }
    }
    Ok(data)
}

fn check_signature(data: &[u8], signature: &str, signer: &str, trusted: &PublicKey) -> Result<()> {
    let presented = uncompressed_key(signer)
        .ok_or_else(|| malformed("its enclaveQuorumPublic is not an uncompressed P-256 key"))?;
    if presented != *trusted {
        return Err(untrusted(filled(
            "The bundle is signed by the key {}, but this client trusts the key {} in this role. \
             Against a sandbox, give the sandbox's enclave keys in the options.",
            &[&presented.fingerprint(), &trusted.fingerprint()],
        )));
    }
    let signature = hex::decode(signature, MAX_SIGNATURE_BYTES)
        .map_err(|_| malformed("its dataSignature is not the hex of a DER signature"))?;
    if !trusted.verify_der(data, &signature) {
        return Err(untrusted(
            "The bundle's signature is not one of the key it names.",
        ));
    }
    Ok(())
}

/// Reads the JSON of an envelope, or of the data inside it.
#[inline(never)]
fn read_bundle(text: &str) -> Result<Json> {
    if text.len() > MAX_BUNDLE_BYTES {
        return Err(malformed("it is longer than 64 KiB"));
    }
    Json::parse(
        text,
        Limits {
            bytes: MAX_BUNDLE_BYTES,
            depth: 16,
        },
    )
    .map_err(|error| malformed(&error.message()))
}

/// Reads the JSON of the data inside an envelope.
pub(crate) fn read_data(data: &[u8]) -> Result<Json> {
    match core::str::from_utf8(data) {
        Ok(text) => read_bundle(text),
        Err(_) => Err(malformed("its data is not UTF-8")),
    }
}

/// A member that is a text. `what_has` says in a sentence of what.
#[inline(never)]
pub(crate) fn member<'a>(json: &'a Json, what_has: &str, name: &str) -> Result<&'a str> {
    json.text(name)
        .ok_or_else(|| malformed(&filled("{} no text `{}`", &[what_has, name])))
}

/// The only form of a key inside bundles. Turnkey's JavaScript takes a compressed one as well,
/// and then seals what nobody can open.
pub(crate) fn uncompressed_key(text: &str) -> Option<PublicKey> {
    PublicKey::from_hex(text).ok().filter(|_| text.len() == 130)
}

pub(crate) fn malformed(what: &str) -> Error {
    Error::new(
        ErrorCode::BundleMalformed,
        filled("The bundle is not of its format: {}.", &[what]),
    )
}

fn untrusted(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::BundleUntrusted, message)
}

/// `30 len 02 len r 02 len s` with r and s of at most 33 bytes.
const MAX_SIGNATURE_BYTES: usize = 72;

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::crypto::{key::PrivateKey, random::SystemRandom};

    #[test]
    fn opens_what_the_trusted_key_signed() {
        let signer = PrivateKey::generate(&SystemRandom).unwrap();
        let envelope = sign(&signer, b"data");
        assert_eq!(
            open_envelope(&envelope, signer.public_key()).unwrap(),
            b"data"
        );
        // Keys are compared as points, so the case of the hex is nothing.
        let key = signer.public_key().to_uncompressed_hex();
        let upper = envelope.replace(&key, &key.to_uppercase());
        assert_eq!(open_envelope(&upper, signer.public_key()).unwrap(), b"data");
        // Members of later versions do not disturb.
        let more = envelope.replacen('{', r#"{"later":[1],"#, 1);
        assert_eq!(open_envelope(&more, signer.public_key()).unwrap(), b"data");
    }

    #[test]
    fn refuses_another_signer_and_names_its_fingerprint() {
        let relay = PrivateKey::generate(&SystemRandom).unwrap();
        let trusted = PrivateKey::generate(&SystemRandom).unwrap();
        let self_signed = sign(&relay, b"data");
        let error = open_envelope(&self_signed, trusted.public_key()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BundleUntrusted);
        assert!(error.message().contains(&relay.public_key().fingerprint()));
        assert!(
            error
                .message()
                .contains(&trusted.public_key().fingerprint())
        );

        // Claiming the trusted key without its signature.
        let claimed = self_signed.replace(
            &relay.public_key().to_uncompressed_hex(),
            &trusted.public_key().to_uncompressed_hex(),
        );
        assert_eq!(
            refusal(&claimed, trusted.public_key()),
            ErrorCode::BundleUntrusted
        );
    }

    #[test]
    fn the_pinned_roles_are_two_different_keys() {
        let keys = EnclaveKeys::production().unwrap();
        let ExportTrust::Key(export) = keys.export else {
            panic!("production exports are signed");
        };
        assert_ne!(keys.otp, export);
    }

    /// The signature is over the decoded bytes, not over their hex.
    #[test]
    fn refuses_a_signature_over_the_hex() {
        let signer = PrivateKey::generate(&SystemRandom).unwrap();
        let over_hex = hex::encode(&signer.sign_der(hex::encode(b"data").as_bytes()));
        let over_data = hex::encode(&signer.sign_der(b"other"));
        for signature in [over_hex, over_data, String::new(), "30".to_owned()] {
            let envelope = with(&signer, "dataSignature", signature.as_str().into());
            assert_eq!(
                refusal(&envelope, signer.public_key()),
                ErrorCode::BundleUntrusted
            );
        }
    }

    #[test]
    fn refuses_every_single_altered_byte() {
        let signer = PrivateKey::generate(&SystemRandom).unwrap();
        let envelope = sign(&signer, b"data");
        for index in 0..envelope.len() {
            let mut altered = envelope.clone().into_bytes();
            altered[index] ^= 1;
            let Ok(altered) = String::from_utf8(altered) else {
                continue;
            };
            match open_envelope(&altered, signer.public_key()) {
                Err(error) => assert!(matches!(
                    error.code(),
                    ErrorCode::BundleMalformed | ErrorCode::BundleUntrusted
                )),
                // Flipping the lowest bit never turns a hex digit into its other case.
                Ok(_) => panic!("{altered}"),
            }
        }
    }

    #[test]
    fn refuses_other_versions_and_none() {
        let signer = PrivateKey::generate(&SystemRandom).unwrap();
        for version in ["", "v1", "1.0.0", "V1.0.0", "v1.0.0 ", "v1.0.1", "v2.0.0"] {
            let envelope = with(&signer, "version", version.into());
            assert_eq!(
                refusal(&envelope, signer.public_key()),
                ErrorCode::BundleMalformed,
                "{version}"
            );
        }
        let number = with(&signer, "version", 1_u64.into());
        assert_eq!(
            refusal(&number, signer.public_key()),
            ErrorCode::BundleMalformed
        );
    }

    #[test]
    fn refuses_missing_members_and_wrong_kinds() {
        let signer = PrivateKey::generate(&SystemRandom).unwrap();
        for name in ["version", "data", "dataSignature", "enclaveQuorumPublic"] {
            for value in [Json::Null, Json::Array(Vec::new()), true.into()] {
                assert_eq!(
                    refusal(&with(&signer, name, value), signer.public_key()),
                    ErrorCode::BundleMalformed,
                    "{name}"
                );
            }
            let renamed = sign(&signer, b"data").replace(name, &name.to_uppercase());
            assert_eq!(
                refusal(&renamed, signer.public_key()),
                ErrorCode::BundleMalformed,
                "{name}"
            );
        }
    }

    #[test]
    fn takes_65_byte_signer_keys_only() {
        let signer = PrivateKey::generate(&SystemRandom).unwrap();
        let both_halves = signer.public_key().to_uncompressed_hex().repeat(2);
        for key in [
            signer.public_key().to_compressed_hex(),
            both_halves,
            "04".to_owned(),
        ] {
            let envelope = with(&signer, "enclaveQuorumPublic", key.into());
            assert_eq!(
                refusal(&envelope, signer.public_key()),
                ErrorCode::BundleMalformed
            );
        }
    }

    #[test]
    fn refuses_what_is_not_strict_json() {
        let signer = PrivateKey::generate(&SystemRandom).unwrap();
        let envelope = sign(&signer, b"data");
        for text in [
            String::new(),
            format!("{envelope} x"),
            format!("\u{feff}{envelope}"),
            // grid-api's examples wrap the text in quotation marks and leave out those inside.
            format!("'{envelope}'"),
            "'{version:v1.0.0,data:7b22,dataSignature:3045,enclaveQuorumPublic:04}'".to_owned(),
            // Encoded once more.
            Json::from(envelope.as_str()).to_text(),
            // A name twice, once in disguise.
            envelope.replacen('{', r#"{"d\u0061ta":"00","#, 1),
            format!("[{envelope}]"),
        ] {
            assert_eq!(
                refusal(&text, signer.public_key()),
                ErrorCode::BundleMalformed,
                "{text}"
            );
        }
    }

    #[test]
    fn is_capped_at_64_kib() {
        let signer = PrivateKey::generate(&SystemRandom).unwrap();
        let envelope = sign(&signer, b"data");
        let padded = |length: usize| envelope.clone() + &" ".repeat(length - envelope.len());
        assert!(open_envelope(&padded(MAX_BUNDLE_BYTES), signer.public_key()).is_ok());
        let error = open_envelope(&padded(MAX_BUNDLE_BYTES + 1), signer.public_key()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BundleMalformed);
        assert!(error.message().contains("64 KiB"));
    }

    #[test]
    fn unsigned_envelopes_are_taken_only_where_that_was_said() {
        let signer = PrivateKey::generate(&SystemRandom).unwrap();
        let unsigned = envelope("v1.0.0".into(), b"data", "".into(), "".into());
        assert_eq!(open_unsigned_envelope(&unsigned).unwrap(), b"data");
        assert_eq!(
            refusal(&unsigned, signer.public_key()),
            ErrorCode::BundleUntrusted
        );
        // And the other way round: a signed one is not the sandbox's.
        let error = open_unsigned_envelope(&sign(&signer, b"data")).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BundleUntrusted);
    }

    #[test]
    fn errors_repeat_nothing_of_the_bundle() {
        let signer = PrivateKey::generate(&SystemRandom).unwrap();
        let canary = "c0ffee5ec2e7";
        for name in ["version", "data", "dataSignature", "enclaveQuorumPublic"] {
            let error = open_envelope(&with(&signer, name, canary.into()), signer.public_key());
            assert!(!format!("{:?}", error.unwrap_err()).contains(canary));
        }
    }

    fn sign(signer: &PrivateKey, data: &[u8]) -> String {
        envelope(
            "v1.0.0".into(),
            data,
            hex::encode(&signer.sign_der(data)).into(),
            signer.public_key().to_uncompressed_hex().into(),
        )
    }

    /// A signed envelope with one member replaced.
    fn with(signer: &PrivateKey, name: &str, value: Json) -> String {
        let Json::Object(mut members) = Json::parse(
            &sign(signer, b"data"),
            Limits {
                bytes: 4096,
                depth: 1,
            },
        )
        .unwrap() else {
            panic!("an envelope is an object");
        };
        members
            .iter_mut()
            .find(|(member, _)| member == name)
            .unwrap()
            .1 = value;
        Json::Object(members).to_text()
    }

    fn envelope(version: Json, data: &[u8], signature: Json, key: Json) -> String {
        Json::object([
            ("version", version),
            ("data", hex::encode(data).into()),
            ("dataSignature", signature),
            ("enclaveQuorumPublic", key),
        ])
        .to_text()
    }

    fn refusal(text: &str, trusted: &PublicKey) -> ErrorCode {
        open_envelope(text, trusted).unwrap_err().code()
    }
}
