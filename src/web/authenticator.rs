//! Passkeys by `navigator.credentials`.

use alloc::string::String;

use js_sys::{Array, Uint8Array};

use super::host::{self, Answer, kind};
use crate::{
    crypto::encoding::base64url,
    error::{Error, ErrorCode, Result, cut},
    formats::passkey::{
        PasskeyAssertion, PasskeyAssertionRequest, PasskeyAttestation, PasskeyCreationRequest,
    },
    ports::{Authenticator, LocalFuture},
};

/// More than any authenticator sends, attestation statements included.
const MAX_BYTES: u32 = 64 * 1024;

/// `navigator.credentials`
pub(crate) struct BrowserAuthenticator;

impl Authenticator for BrowserAuthenticator {
    fn create(
        &self,
        request: PasskeyCreationRequest,
    ) -> LocalFuture<'_, Result<PasskeyAttestation>> {
        let excluded = request.exclude_credentials.iter();
        let excluded: Array = excluded.map(|id| Uint8Array::from(id.as_slice())).collect();
        let promise = host::create_credential(
            &request.challenge,
            request.rp_id.as_deref(),
            &request.rp_name,
            &request.user_id,
            &request.user_name,
            &request.user_display_name,
            &excluded,
            request.timeout_ms.map(timeout),
        );
        host::then(promise, |answer| {
            check(true, &answer)?;
            let transports = answer.text(5).unwrap_or_default();
            let mut rest = Some(transports.as_str());
            let transports = core::iter::from_fn(|| {
                let (transport, more) = cut(rest?, b',');
                rest = more;
                Some(transport)
            });
            Ok(PasskeyAttestation {
                credential_id: base64url_of(&answer, 1),
                client_data_json: base64url_of(&answer, 2),
                attestation_object: base64url_of(&answer, 3),
                transports: PasskeyAttestation::known_transports(transports),
            })
        })
    }

    fn get(&self, request: PasskeyAssertionRequest) -> LocalFuture<'_, Result<PasskeyAssertion>> {
        let promise = host::get_credential(
            &request.challenge,
            &request.credential_id,
            request.rp_id.as_deref(),
            request.timeout_ms.map(timeout),
        );
        host::then(promise, |answer| {
            check(false, &answer)?;
            let user_handle = base64url_of(&answer, 5);
            Ok(PasskeyAssertion {
                credential_id: base64url_of(&answer, 1),
                client_data_json: base64url_of(&answer, 2),
                authenticator_data: base64url_of(&answer, 3),
                signature: base64url_of(&answer, 4),
                user_handle: (!user_handle.is_empty()).then_some(user_handle),
            })
        })
    }
}

fn check(creating: bool, answer: &Answer) -> Result<()> {
    Err(match answer.kind() {
        kind::DONE => return Ok(()),
        kind::INSECURE => unsupported(
            "Passkeys need a secure context: serve the page by https, or from localhost.",
        ),
        kind::MISSING => unsupported(
            "There is no `navigator.credentials` for passkeys here: offer another way to sign in.",
        ),
        kind::NO_REPLY => Error::new(
            ErrorCode::PasskeyNotUsed,
            "The browser, or an extension in its place, gave an answer that is no passkey's.",
        ),
        _ => failure(creating, answer),
    })
}

/// An unsigned long of Web IDL, which takes larger numbers modulo 2^32.
fn timeout(milliseconds: u64) -> u32 {
    u32::try_from(milliseconds).unwrap_or(u32::MAX)
}

fn base64url_of(answer: &Answer, index: u32) -> String {
    base64url::encode(&answer.bytes(index, MAX_BYTES))
}

/// By the exception's name, as every browser sets it; what it says differs.
fn failure(creating: bool, answer: &Answer) -> Error {
    let name = answer.text(1).unwrap_or_default();
    let (code, message) = match name.as_str() {
        "AbortError" => (
            ErrorCode::PasskeyNotUsed,
            "The passkey prompt was closed by another ceremony or by the caller.",
        ),
        "InvalidStateError" if creating => (
            ErrorCode::PasskeyAlreadyRegistered,
            "This device already holds a passkey for this account.",
        ),
        "SecurityError" => (
            ErrorCode::PasskeyUnsupported,
            "The page may not use passkeys of this `rpId`: it must be the page's own domain or a \
             parent of it, and the page must be served by https or from localhost.",
        ),
        "NotSupportedError" => (
            ErrorCode::PasskeyUnsupported,
            "No authenticator here can make a passkey that Grid takes.",
        ),
        "ConstraintError" => (
            ErrorCode::PasskeyUnsupported,
            "No authenticator here can check who is using it: set up a screen lock.",
        ),
        "TypeError" => (
            ErrorCode::PasskeyUnsupported,
            "The browser refused the passkey options.",
        ),
        _ => (
            ErrorCode::PasskeyNotUsed,
            "The passkey prompt was closed, timed out, or no passkey of this account is here.",
        ),
    };
    let error = Error::new(code, message);
    // Any other name would be somebody else's text.
    match KNOWN_NAMES.iter().find(|known| **known == name) {
        Some(name) => error.with_reason(*name),
        None => error,
    }
}

const KNOWN_NAMES: [&str; 10] = [
    "AbortError",
    "ConstraintError",
    "InvalidStateError",
    "NotAllowedError",
    "NotReadableError",
    "NotSupportedError",
    "OperationError",
    "SecurityError",
    "TypeError",
    "UnknownError",
];

fn unsupported(message: &'static str) -> Error {
    Error::new(ErrorCode::PasskeyUnsupported, message)
}
