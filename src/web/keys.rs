//! Layer 1: keys. No network.

use std::cell::{Ref, RefCell};

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use super::{
    args::{Argument, read},
    call::MAX_ID_CHARS,
    clock::BrowserClock,
    object::Builder,
};
use crate::{
    crypto::{
        enclave::{EnclaveKeys, ExportTrust},
        json::Json,
        key::PublicKey,
        random::SystemRandom,
    },
    error::{Error, ErrorCode, Result},
    formats::{
        intent::{Checked, Expected, Intent, Stated, check},
        oauth, sealed_key,
        session_key::{self, PublicKeyEncoding},
        wallet_export,
    },
    ports::Clock as _,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types/keys.d.ts");

/// SEC1 uncompressed, in hex.
pub(crate) const MAX_KEY_CHARS: u32 = 130;

/// The key of a session, made here: of sessions by one-time code, and of client-held ones. It
/// signs and receives nothing.
#[wasm_bindgen]
pub struct SessionKey {
    /// Empty once a session has it. Not by value, as wasm-bindgen would hand the object over: one of
    /// its own methods may be going on, and call somebody's code that hands it over.
    key: RefCell<Option<session_key::SessionKey>>,
}

#[wasm_bindgen]
impl SessionKey {
    /// A new key.
    ///
    /// @throws {GridkeyError} `randomness_unavailable`
    pub fn generate() -> Result<SessionKey> {
        session_key::SessionKey::generate(&SystemRandom).map(Self::new)
    }

    /// A key from its 32 bytes, big-endian. They are copied; the array is yours to wipe.
    ///
    /// @throws {GridkeyError} `invalid_argument`
    #[wasm_bindgen(js_name = dangerouslyFromPrivateKey)]
    pub fn dangerously_from_private_key(
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] bytes: &JsValue,
    ) -> Result<SessionKey> {
        let bytes = read_private_key(bytes)?;
        session_key::SessionKey::from_private_key(bytes.as_slice()).map(Self::new)
    }

    /// The public key, SEC1 compressed, 66 hexadecimal digits: `clientPublicKey` of client-held
    /// sessions, and the key that a stamp names.
    #[wasm_bindgen(getter, js_name = publicKey)]
    pub fn public_key(&self) -> Result<String> {
        Ok(self.key()?.public_key().to_compressed_hex())
    }

    /// The public key, SEC1 uncompressed, 130 hexadecimal digits.
    #[wasm_bindgen(getter, js_name = publicKeyUncompressed)]
    pub fn public_key_uncompressed(&self) -> Result<String> {
        Ok(self.key()?.public_key().to_uncompressed_hex())
    }

    /// Seals a one-time code and this public key to the enclave that issued the code, and returns
    /// `encryptedOtpBundle`. `bundle` is `otpEncryptionTargetBundle`.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `bundle_malformed`, `bundle_untrusted`
    #[wasm_bindgen(js_name = sealOtpCode)]
    pub fn seal_otp_code(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] bundle: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string")] code: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "SealOtpCodeOptions")] options: &JsValue,
    ) -> Result<String> {
        let (bundle, code, encoding, enclave_key) = read(|problem| {
            let options = Argument::new(problem, options, "options");
            (
                Argument::new(problem, bundle, "bundle").as_text(MAX_BUNDLE),
                Argument::new(problem, code, "code").as_otp_code(),
                options.optional_choice("publicKeyEncoding", &["uncompressed", "compressed"]),
                options.optional_text("enclaveKey", MAX_KEY_CHARS),
            )
        })?;
        let encoding = match encoding {
            Some("compressed") => PublicKeyEncoding::Compressed,
            _ => PublicKeyEncoding::Uncompressed,
        };
        let otp_key = match enclave_key {
            Some(key) => PublicKey::from_hex(&key)?,
            None => EnclaveKeys::production()?.otp,
        };
        self.key()?
            .seal_otp_code(&bundle, &code?, &otp_key, encoding, &SystemRandom)
    }

    /// Stamps `payloadToSign`, byte for byte, if it asks for nothing but `intent`, and resolves to
    /// the value of `Grid-Wallet-Signature`.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `intent_refused`, `clock_wrong`,
    /// `challenge_expired`, `bundle_malformed`, `bundle_untrusted`
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn stamp(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] payload_to_sign: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Intent")] intent: &JsValue,
    ) -> Promise {
        settled((|| {
            let stated = read_intent(intent)?;
            let key = self.key()?;
            if let Intent::VerifyOtp { public_key, .. } = &stated.intent
                && public_key != key.public_key()
            {
                return Err(Error::invalid_argument(
                    "`intent.publicKeyHex` must be this key's own.",
                ));
            }
            let (payload, _) = checked(payload_to_sign, &stated, now_ms())?;
            key.stamp_unchecked(&payload)
        })())
    }

    /// Stamps a payload without looking at what it asks for, and resolves to the value of
    /// `Grid-Wallet-Signature`. Whoever can choose the payload can do what the customer can:
    /// `stamp` checks before it stamps.
    ///
    /// @throws {GridkeyError} `invalid_argument`: no string, lone surrogates, or more than 1 MiB
    #[wasm_bindgen(js_name = dangerouslyStampUnchecked, unchecked_return_type = "Promise<string>")]
    pub fn dangerously_stamp_unchecked(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] payload_to_sign: &JsValue,
    ) -> Promise {
        settled(
            read_text(payload_to_sign, "payloadToSign", MAX_PAYLOAD)
                .and_then(|payload| self.key()?.stamp_unchecked(&payload)),
        )
    }

    /// The private key: 32 bytes, big-endian, yours to wipe. Whoever has it can move the
    /// customer's money until the session ends.
    #[wasm_bindgen(js_name = dangerouslyExportPrivateKey)]
    pub fn dangerously_export_private_key(&self) -> Result<Uint8Array> {
        Ok(Uint8Array::from(
            self.key()?.export_private_key().as_slice(),
        ))
    }
}

impl SessionKey {
    fn new(key: session_key::SessionKey) -> Self {
        Self {
            key: RefCell::new(Some(key)),
        }
    }

    #[inline(never)]
    fn key(&self) -> Result<Ref<'_, session_key::SessionKey>> {
        Ref::filter_map(self.key.borrow(), Option::as_ref).map_err(|_| handed_over())
    }

    /// The key itself, for a session: from here on this object is as if freed.
    pub(crate) fn take(&self) -> Result<session_key::SessionKey> {
        // Not even where somebody else's `crypto.getRandomValues` asks for it may this panic.
        let key = self.key.try_borrow_mut().ok();
        key.and_then(|mut key| key.take()).ok_or_else(handed_over)
    }
}

fn handed_over() -> Error {
    Error::new(
        ErrorCode::UsedAfterFree,
        "This key was handed over to a session.",
    )
}

/// Refuses a payload that asks for anything but `intent`, and says what it asks for. `now` is the
/// time to judge by, in milliseconds since 1970, where it is not the device's.
///
/// @throws {GridkeyError} `invalid_argument`, `intent_refused`, `clock_wrong`, `challenge_expired`,
/// `bundle_malformed`, `bundle_untrusted`
#[wasm_bindgen(js_name = checkIntent, unchecked_return_type = "CheckedIntent")]
pub fn check_intent(
    #[wasm_bindgen(unchecked_param_type = "string")] payload_to_sign: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "Intent")] intent: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "{ now?: number }")] options: &JsValue,
) -> Result<JsValue> {
    let now = read(|problem| {
        Argument::new(problem, options, "options").optional_milliseconds_since_1970("now")
    })?;
    let stated = read_intent(intent)?;
    let (_, checked) = checked(payload_to_sign, &stated, now.unwrap_or_else(now_ms))?;
    Ok(Builder::new()
        .optional_text("organizationId", checked.organization_id.as_deref())
        .optional_text("activityType", checked.activity_type.as_deref())
        .optional_text("fingerprint", checked.fingerprint.as_deref())
        .build())
}

/// A payload that is what `intent` says, and what else it says.
fn checked(payload: &JsValue, stated: &Stated, now_ms: i64) -> Result<(String, Checked)> {
    let payload = read_text(payload, "payloadToSign", MAX_PAYLOAD)?;
    let expected = Expected {
        organization_id: stated.organization_id.as_deref(),
        expires_at_ms: stated.expires_at_ms,
        now_ms,
    };
    let checked = check(&payload, &stated.intent, &expected)?;
    Ok((payload, checked))
}

/// `Intent`
pub(crate) fn read_intent(intent: &JsValue) -> Result<Stated> {
    let intent = read(|problem| Argument::new(problem, intent, "intent").as_json())?;
    Intent::from_json(&intent.unwrap_or(Json::Null))
}

fn now_ms() -> i64 {
    BrowserClock.now_ms()
}

/// The promise of what is known already.
fn settled(result: Result<String>) -> Promise {
    match result {
        Ok(text) => Promise::resolve(&JsValue::from(text)),
        Err(error) => Promise::reject(&error.into()),
    }
}

/// Receives a session key that Grid made and sealed. It signs nothing.
#[wasm_bindgen]
pub struct SealedKeyReceiver {
    key: sealed_key::SealedKeyReceiver,
}

#[wasm_bindgen]
impl SealedKeyReceiver {
    /// A new key.
    ///
    /// @throws {GridkeyError} `randomness_unavailable`
    pub fn generate() -> Result<SealedKeyReceiver> {
        let key = sealed_key::SealedKeyReceiver::generate(&SystemRandom)?;
        Ok(Self { key })
    }

    /// A key from its 32 bytes, big-endian. They are copied; the array is yours to wipe.
    ///
    /// @throws {GridkeyError} `invalid_argument`
    #[wasm_bindgen(js_name = dangerouslyFromPrivateKey)]
    pub fn dangerously_from_private_key(
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] bytes: &JsValue,
    ) -> Result<SealedKeyReceiver> {
        let bytes = read_private_key(bytes)?;
        let key = sealed_key::SealedKeyReceiver::from_private_key(bytes.as_slice())?;
        Ok(Self { key })
    }

    /// The public key, SEC1 uncompressed, 130 hexadecimal digits: as `clientPublicKey` it asks for
    /// a sealed session key.
    #[wasm_bindgen(getter, js_name = publicKey)]
    pub fn public_key(&self) -> String {
        self.key.public_key().to_uncompressed_hex()
    }

    /// Opens `encryptedSessionSigningKey`. After a failure it can be called again.
    ///
    /// @throws {GridkeyError} `invalid_argument`, `bundle_malformed`, `decrypt_failed`
    pub fn open(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] encrypted_session_signing_key: &JsValue,
    ) -> Result<SessionKey> {
        let sealed = read_text(
            encrypted_session_signing_key,
            "encryptedSessionSigningKey",
            MAX_SEALED_KEY,
        )?;
        let key = self.key.open(&sealed)?;
        Ok(SessionKey::new(key))
    }
}

/// Receives one wallet export, and is used up by it. It signs nothing.
#[wasm_bindgen]
pub struct WalletExportKey {
    key: wallet_export::WalletExportKey,
}

#[wasm_bindgen]
impl WalletExportKey {
    /// A new key.
    ///
    /// @throws {GridkeyError} `randomness_unavailable`
    pub fn generate() -> Result<WalletExportKey> {
        let key = wallet_export::WalletExportKey::generate(&SystemRandom)?;
        Ok(Self { key })
    }

    /// A key from its 32 bytes, big-endian. They are copied; the array is yours to wipe.
    ///
    /// @throws {GridkeyError} `invalid_argument`
    #[wasm_bindgen(js_name = dangerouslyFromPrivateKey)]
    pub fn dangerously_from_private_key(
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] bytes: &JsValue,
    ) -> Result<WalletExportKey> {
        let bytes = read_private_key(bytes)?;
        let key = wallet_export::WalletExportKey::from_private_key(bytes.as_slice())?;
        Ok(Self { key })
    }

    /// The public key, SEC1 uncompressed, 130 hexadecimal digits.
    #[wasm_bindgen(getter, js_name = publicKey)]
    pub fn public_key(&self) -> String {
        self.key.public_key().to_uncompressed_hex()
    }

    /// Opens `encryptedWalletCredentials` and returns the mnemonic as UTF-8, yours to wipe. After
    /// a failure it can be called again.
    ///
    /// @throws {GridkeyError} `invalid_argument` (also when it is used up), `bundle_malformed`,
    /// `bundle_untrusted` (also for another organization), `decrypt_failed`
    pub fn open(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] encrypted_wallet_credentials: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "ExpectedWalletExport")] expected: &JsValue,
    ) -> Result<Uint8Array> {
        let (sealed, organization_id, enclave_key) = read(|problem| {
            let sealed = Argument::new(
                problem,
                encrypted_wallet_credentials,
                "encryptedWalletCredentials",
            );
            let expected = Argument::new(problem, expected, "expected");
            (
                sealed.as_text(MAX_BUNDLE),
                expected.text("organizationId", MAX_ID_CHARS),
                expected.optional_text("enclaveKey", MAX_KEY_CHARS),
            )
        })?;
        let trust = match enclave_key {
            Some(key) => ExportTrust::Key(PublicKey::from_hex(&key)?),
            None => EnclaveKeys::production()?.export,
        };
        let mnemonic = self.key.open(&sealed, &organization_id, &trust)?;
        Ok(Uint8Array::from(mnemonic.as_slice()))
    }
}

/// The `nonce` to ask an identity provider for, so that its token is bound to this key: lower-case
/// hex of SHA-256 over the text. The two forms of a key have two nonces: give the one that is sent.
///
/// @throws {GridkeyError} `invalid_argument`
#[wasm_bindgen(js_name = oauthNonce)]
pub fn oauth_nonce(
    #[wasm_bindgen(unchecked_param_type = "string")] client_public_key: &JsValue,
) -> Result<String> {
    oauth::nonce(&read_text(
        client_public_key,
        "clientPublicKey",
        MAX_KEY_CHARS,
    )?)
}

fn read_text(text: &JsValue, name: &'static str, max: u32) -> Result<String> {
    read(|problem| Argument::new(problem, text, name).as_text(max))
}

fn read_private_key(bytes: &JsValue) -> Result<Box<Zeroizing<[u8; 32]>>> {
    read(|problem| Argument::new(problem, bytes, "bytes").as_private_key())
}

/// Of characters, before any byte crosses; the formats have bounds of their own.
const MAX_BUNDLE: u32 = 64 * 1024;
const MAX_PAYLOAD: u32 = 1024 * 1024;
const MAX_SEALED_KEY: u32 = 512;
