//! The sandbox's enclaves: what Grid's hardware signs, seals and opens.
//!
//! HPKE is RFC 9180 base mode with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM,
//! info `turnkey_hpke` and aad enc || recipient, both SEC1 uncompressed (tkhq/sdk@aaede6f,
//! packages/crypto).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hpke::{
    Deserializable, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256,
    kem::DhP256HkdfSha256,
};
use p256::{
    PublicKey, SecretKey,
    ecdsa::{Signature, SigningKey, signature::Signer},
    elliptic_curve::Generate,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    errors::{Code, GridError, Reason, Result},
    keys::{compressed, uncompressed, uncompressed_hex},
};

const HPKE_INFO: &[u8] = b"turnkey_hpke";

type KemPrivateKey = <DhP256HkdfSha256 as hpke::Kem>::PrivateKey;
type KemPublicKey = <DhP256HkdfSha256 as hpke::Kem>::PublicKey;
type EncappedKey = <DhP256HkdfSha256 as hpke::Kem>::EncappedKey;

/// The enclaves' signing keys, one per role.
pub(crate) struct Enclaves {
    /// Signs OTP target bundles and verification tokens ("TLS fetcher").
    pub(crate) otp: SigningKey,
    /// Signs wallet exports ("signer").
    pub(crate) export: SigningKey,
}

/// The public halves, SEC1 uncompressed hex.
#[derive(Clone, Debug, Serialize)]
pub struct EnclaveKeys {
    /// Signs OTP target bundles and verification tokens.
    pub otp: String,
    /// Signs wallet exports.
    pub export: String,
}

impl Enclaves {
    pub(crate) fn generate() -> Self {
        Self {
            otp: SigningKey::generate(),
            export: SigningKey::generate(),
        }
    }

    pub(crate) fn public_keys(&self) -> EnclaveKeys {
        EnclaveKeys {
            otp: quorum_hex(&self.otp),
            export: quorum_hex(&self.export),
        }
    }
}

pub(crate) fn generate_key() -> SecretKey {
    SecretKey::generate()
}

pub(crate) fn generate_signing_key() -> SigningKey {
    SigningKey::generate()
}

pub(crate) fn quorum_hex(key: &SigningKey) -> String {
    uncompressed_hex(&PublicKey::from(key.verifying_key()))
}

/// `{"version":"v1.0.0","data","dataSignature","enclaveQuorumPublic"}`; the signature is over the
/// bytes of `data`, not their hex.
pub(crate) fn sign_envelope(key: &SigningKey, data: &[u8]) -> String {
    let signature: Signature = key.sign(data);
    json!({
        "version": "v1.0.0",
        "data": hex::encode(data),
        "dataSignature": hex::encode(signature.to_der().as_bytes()),
        "enclaveQuorumPublic": quorum_hex(key),
    })
    .to_string()
}

/// A verification token.
pub(crate) fn sign_jwt(key: &SigningKey, claims: &Value) -> String {
    sign_jws(key, &json!({ "alg": "ES256", "typ": "JWT" }), claims)
}

/// A compact JWS, ES256 (RFC 7515).
pub(crate) fn sign_jws(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let input = [header.to_string(), claims.to_string()]
        .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part))
        .join(".");
    let signature: Signature = key.sign(input.as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes());
    format!("{input}.{signature}")
}

/// An envelope that nobody signed, as Grid's own sandbox exports wallets.
pub(crate) fn unsigned_envelope(data: &[u8]) -> String {
    json!({
        "version": "v1.0.0",
        "data": hex::encode(data),
        "dataSignature": "",
        "enclaveQuorumPublic": "",
    })
    .to_string()
}

/// `encryptedSessionSigningKey`: base58check of enc (SEC1 compressed, 33 bytes) || ciphertext ||
/// tag, of the 32-byte scalar.
pub(crate) fn seal_session_key(recipient: &PublicKey, session_key: &SecretKey) -> Result<String> {
    let (enc, ciphertext) = seal(recipient, session_key.to_bytes().as_slice())?;
    Ok(bs58::encode([compressed(&enc), ciphertext].concat())
        .with_check()
        .into_string())
}

/// The signed data of a wallet export.
pub(crate) fn export_data(
    recipient: &PublicKey,
    organization_id: &str,
    plaintext: &[u8],
) -> Result<String> {
    let (enc, ciphertext) = seal(recipient, plaintext)?;
    Ok(json!({
        "encappedPublic": uncompressed_hex(&enc),
        "ciphertext": hex::encode(ciphertext),
        "organizationId": organization_id,
    })
    .to_string())
}

/// Seals `plaintext` to `recipient`: enc, and ciphertext || tag.
fn seal(recipient: &PublicKey, plaintext: &[u8]) -> Result<(PublicKey, Vec<u8>)> {
    let recipient_bytes = uncompressed(recipient);
    let kem_key = KemPublicKey::from_bytes(&recipient_bytes).map_err(defect)?;
    let (enc, mut context) = hpke::setup_sender::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
        &OpModeS::Base,
        &kem_key,
        HPKE_INFO,
    )
    .map_err(defect)?;
    let enc = enc.to_bytes();
    let aad = [enc.as_slice(), &recipient_bytes].concat();
    let ciphertext = context.seal(plaintext, &aad).map_err(defect)?;
    let enc = PublicKey::from_sec1_bytes(&enc).map_err(defect)?;
    Ok((enc, ciphertext))
}

/// Opens what was sealed to `recipient`. `None` whatever the cause.
pub(crate) fn open(recipient: &SecretKey, enc: &PublicKey, ciphertext: &[u8]) -> Option<Vec<u8>> {
    let enc = uncompressed(enc);
    let aad = [enc.as_slice(), &uncompressed(&recipient.public_key())].concat();
    hpke::single_shot_open::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
        &OpModeR::Base,
        &KemPrivateKey::from_bytes(&recipient.to_bytes()).ok()?,
        &EncappedKey::from_bytes(&enc).ok()?,
        HPKE_INFO,
        ciphertext,
        &aad,
    )
    .ok()
}

fn defect<E>(_: E) -> GridError {
    GridError::new(
        Code::InternalError,
        Reason::SandboxDefect,
        "the sandbox could not seal",
    )
}
