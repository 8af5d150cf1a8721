//! Bundles that an enclave signed, and the keys that this package trusts to sign them.
//!
//! A bundle names its signer's key, but a key that arrives inside the message it signs proves
//! nothing: the signer must be the pinned one.

#![forbid(unsafe_code)]

use super::{
    encoding::hex,
    json::{Json, Limits},
    key::PublicKey,
};
use crate::error::{Error, ErrorCode, Result};

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
    let envelope = Envelope::parse(text)?;
    if envelope.is_unsigned() {
        return Err(untrusted(
            "The bundle is not signed. Only Grid's hosted sandbox sends such bundles, and only a \
             client that is configured for it takes them.",
        ));
    }
    let presented = envelope.signer()?;
    if presented != *trusted {
        return Err(untrusted(format!(
            "The bundle is signed by the key {}, but this client trusts the key {} in this role. \
             Against a sandbox, give the sandbox's enclave keys in the options.",
            presented.fingerprint(),
            trusted.fingerprint()
        )));
    }
    let signature = hex::decode(&envelope.data_signature, MAX_SIGNATURE_BYTES)
        .map_err(|_| malformed("its dataSignature is not the hex of a DER signature"))?;
    if !trusted.verify_der(&envelope.data, &signature) {
        return Err(untrusted(
            "The bundle's signature is not one of the key it names.",
        ));
    }
    Ok(envelope.data)
}

/// Opens an envelope of the hosted sandbox, whose `dataSignature` and `enclaveQuorumPublic` are
/// empty.
///
/// Fails with `bundle_malformed`, or with `bundle_untrusted` where the envelope is signed: then it
/// does not come from that sandbox, and the client is configured wrongly.
pub fn open_unsigned_envelope(text: &str) -> Result<Vec<u8>> {
    let envelope = Envelope::parse(text)?;
    if !envelope.is_unsigned() {
        return Err(untrusted(
            "The bundle is signed, but this client is configured for the unsigned bundles of \
             Grid's hosted sandbox. Give the key that signs instead.",
        ));
    }
    Ok(envelope.data)
}

struct Envelope {
    data: Vec<u8>,
    data_signature: String,
    enclave_quorum_public: String,
}

impl Envelope {
    fn parse(text: &str) -> Result<Self> {
        let envelope = read_bundle(text)?;
        let member = |name: &str| {
            envelope
                .get(name)
                .and_then(Json::as_str)
                .ok_or_else(|| malformed(&format!("it has no text `{name}`")))
        };
        if member("version")? != "v1.0.0" {
            return Err(malformed("its version is not v1.0.0"));
        }
        Ok(Self {
            data: hex::decode(member("data")?, MAX_BUNDLE_BYTES)
                .map_err(|_| malformed("its data is not hex"))?,
            data_signature: member("dataSignature")?.to_owned(),
            enclave_quorum_public: member("enclaveQuorumPublic")?.to_owned(),
        })
    }

    fn is_unsigned(&self) -> bool {
        self.data_signature.is_empty() && self.enclave_quorum_public.is_empty()
    }

    fn signer(&self) -> Result<PublicKey> {
        uncompressed_key(&self.enclave_quorum_public)
            .ok_or_else(|| malformed("its enclaveQuorumPublic is not an uncompressed P-256 key"))
    }
}

/// Reads the JSON of an envelope, or of the data inside it.
pub(crate) fn read_bundle(text: &str) -> Result<Json> {
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
    .map_err(|error| malformed(&error.to_string()))
}

/// The only form of a key inside bundles. Turnkey's JavaScript takes a compressed one as well,
/// and then seals what nobody can open.
pub(crate) fn uncompressed_key(text: &str) -> Option<PublicKey> {
    PublicKey::from_hex(text).ok().filter(|_| text.len() == 130)
}

pub(crate) fn malformed(what: &str) -> Error {
    Error::new(
        ErrorCode::BundleMalformed,
        format!("The bundle is not of its format: {what}."),
    )
}

fn untrusted(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::BundleUntrusted, message)
}

/// `30 len 02 len r 02 len s` with r and s of at most 33 bytes.
const MAX_SIGNATURE_BYTES: usize = 72;
