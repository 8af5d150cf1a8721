//! Layer 1: keys. No network.

use alloc::rc::Rc;
use core::cell::{Ref, RefCell};

use super::{
    arguments::Arguments,
    bridge::{Object, Outcome, Reply, bytes, methods, now, object, text},
    clock::BrowserClock,
    data::Data,
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
        oauth,
        sealed_key::SealedKeyReceiver,
        session_key::{self as format, PublicKeyEncoding},
        wallet_export::WalletExportKey,
    },
    ports::Clock as _,
};

/// Empty once a session has the key: what was handed over in the middle of one of its own methods,
/// by somebody's code that is called there, is gone for that method too.
pub(super) struct SessionKey(RefCell<Option<format::SessionKey>>);

impl SessionKey {
    #[inline(never)]
    fn key(&self) -> Result<Ref<'_, format::SessionKey>> {
        Ref::filter_map(self.0.borrow(), Option::as_ref).map_err(|_| handed_over())
    }

    /// The key itself, for a session: from here on this object is as if freed.
    pub(super) fn take(&self) -> Result<format::SessionKey> {
        // Not even where somebody else's `crypto.getRandomValues` asks for it may this panic.
        let key = self.0.try_borrow_mut().ok();
        key.and_then(|mut key| key.take()).ok_or_else(handed_over)
    }
}

fn handed_over() -> Error {
    Error::new(
        ErrorCode::UsedAfterFree,
        "This key was handed over to a session.",
    )
}

pub(super) fn session_key(key: format::SessionKey) -> Result<Reply> {
    let key = SessionKey(RefCell::new(Some(key)));
    object(Object::SessionKey(Rc::new(key)))
}

pub(super) mod session_key {
    use super::*;

    methods! { Rc<SessionKey>,
        "stamp": |it, arguments| {
            let payload = arguments.text();
            let stated = read_intent(arguments.json())?;
            let key = it.key()?;
            if let Intent::VerifyOtp { public_key, .. } = &stated.intent
                && public_key != key.public_key()
            {
                return Err(Error::invalid_argument(
                    "`intent.publicKeyHex` must be this key's own.",
                ));
            }
            checked(&payload, &stated, now_ms())?;
            text(key.stamp_unchecked(&payload)?)
        },
        "dangerouslyStampUnchecked": |it, arguments| {
            text(it.key()?.stamp_unchecked(&arguments.text())?)
        },
        "sealOtpCode": |it, arguments| {
            let bundle = arguments.text();
            let code = arguments.otp_code()?;
            let encoding = match arguments.optional_text().as_deref() {
                Some("compressed") => PublicKeyEncoding::Compressed,
                _ => PublicKeyEncoding::Uncompressed,
            };
            let otp_key = match arguments.optional_text() {
                Some(key) => PublicKey::from_hex(&key)?,
                None => EnclaveKeys::production()?.otp,
            };
            text(it.key()?.seal_otp_code(&bundle, &code, &otp_key, encoding, &SystemRandom)?)
        },
        "dangerouslyExportPrivateKey": |it, _| bytes(it.key()?.export_private_key().as_slice()),
        "known": |it, _| {
            let key = it.key()?;
            now(Outcome::Data(
                Data::default()
                    .text("publicKey", &key.public_key().to_compressed_hex())
                    .text("publicKeyUncompressed", &key.public_key().to_uncompressed_hex())
                    .json(),
            ))
        },
    }
}

/// Refuses a payload that asks for anything but the intent, and says what it asks for.
pub(super) fn check_intent(arguments: &mut Arguments) -> Result<Reply> {
    let payload = arguments.text();
    let stated = read_intent(arguments.json())?;
    let now_ms = arguments.number().and_then(|now| i64::try_from(now).ok());
    let checked = checked(&payload, &stated, now_ms.unwrap_or_else(self::now_ms))?;
    now(Outcome::Data(
        Data::default()
            .optional_text("organizationId", checked.organization_id.as_deref())
            .optional_text("activityType", checked.activity_type.as_deref())
            .optional_text("fingerprint", checked.fingerprint.as_deref())
            .json(),
    ))
}

/// A payload that is what `stated` says, and what else it says.
fn checked(payload: &str, stated: &Stated, now_ms: i64) -> Result<Checked> {
    let expected = Expected {
        organization_id: stated.organization_id.as_deref(),
        expires_at_ms: stated.expires_at_ms,
        now_ms,
    };
    check(payload, &stated.intent, &expected)
}

/// `Intent`
pub(super) fn read_intent(intent: Option<Json>) -> Result<Stated> {
    Intent::from_json(&intent.unwrap_or(Json::Null))
}

fn now_ms() -> i64 {
    BrowserClock.now_ms()
}

pub(super) fn receiver(key: SealedKeyReceiver) -> Result<Reply> {
    object(Object::SealedKeyReceiver(Rc::new(key)))
}

pub(super) mod sealed_key_receiver {
    use super::*;

    methods! { Rc<SealedKeyReceiver>,
        "open": |it, arguments| session_key(it.open(&arguments.text())?),
        "known": |it, _| public_key(it.public_key()),
    }
}

pub(super) fn export_key(key: WalletExportKey) -> Result<Reply> {
    object(Object::WalletExportKey(Rc::new(key)))
}

pub(super) mod wallet_export_key {
    use super::*;

    methods! { Rc<WalletExportKey>,
        "open": |it, arguments| {
            let sealed = arguments.text();
            let organization_id = arguments.text();
            let trust = match arguments.optional_text() {
                Some(key) => ExportTrust::Key(PublicKey::from_hex(&key)?),
                None => EnclaveKeys::production()?.export,
            };
            bytes(it.open(&sealed, &organization_id, &trust)?.as_slice())
        },
        "known": |it, _| public_key(it.public_key()),
    }
}

fn public_key(key: &PublicKey) -> Result<Reply> {
    now(Outcome::Data(
        Data::default()
            .text("publicKey", &key.to_uncompressed_hex())
            .json(),
    ))
}

/// The `nonce` to ask an identity provider for.
pub(super) fn oauth_nonce(arguments: &mut Arguments) -> Result<Reply> {
    text(oauth::nonce(&arguments.text())?)
}
