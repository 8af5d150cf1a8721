//! Layer 1: passkey ceremonies.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::{
    arguments::Arguments,
    authenticator::BrowserAuthenticator,
    bridge::{Outcome, Reply, bytes, later},
};
use crate::{
    api::{
        client::cancellable,
        request::{assertion_json, attestation_json},
    },
    crypto::{base64url, json::Json},
    error::{Error, Result},
    flow::{
        enrolment::{PasskeyRegistration, creation_request},
        steps::then,
    },
    formats::{
        nickname::passkey_nickname,
        passkey::{
            Ceremony, MAX_CREDENTIAL_ID_BYTES, PasskeyAssertionRequest, challenge_bytes,
            check_client_data,
        },
    },
    ports::Authenticator as _,
};

/// The bytes that WebAuthn takes as `challenge` for a challenge of Grid's.
pub(super) fn challenge(arguments: &mut Arguments) -> Result<Reply> {
    bytes(&challenge_bytes(&arguments.text())?)
}

/// Asks for a passkey: `navigator.credentials.get()`.
pub(super) fn request(arguments: &mut Arguments) -> Result<Reply> {
    let digits = arguments.text();
    let credential_id = base64url::decode(&arguments.text(), MAX_CREDENTIAL_ID_BYTES)
        .map_err(|_| Error::invalid_argument("`credentialId` must be unpadded base64url."))?;
    let rp_id = arguments.optional_text();
    let options = arguments.call();
    let request = PasskeyAssertionRequest {
        challenge: challenge_bytes(&digits)?,
        credential_id,
        rp_id,
        timeout_ms: options.timeout_ms,
    };
    let challenge = request.challenge.clone();
    let assertion = cancellable(options, || BrowserAuthenticator.get(request));
    let checked = then(Box::pin(assertion), move |assertion| {
        check_client_data(&assertion.client_data_json, Ceremony::Get, &challenge)?;
        Ok(assertion_json(&assertion))
    });
    later(checked, Outcome::Data)
}

/// Makes a passkey: `navigator.credentials.create()`.
pub(super) fn create(arguments: &mut Arguments) -> Result<Reply> {
    let registration = registration(arguments);
    let rp_id = arguments.optional_text();
    let options = arguments.call();
    passkey_nickname(&registration.nickname)?;
    let mut request = creation_request(&registration, rp_id.as_deref(), None)?;
    request.timeout_ms = options.timeout_ms;
    let challenge = request.challenge.clone();
    let attestation = cancellable(options, || BrowserAuthenticator.create(request));
    let checked = then(Box::pin(attestation), move |attestation| {
        check_client_data(&attestation.client_data_json, Ceremony::Create, &challenge)?;
        Ok(attestation_json(&attestation))
    });
    later(checked, Outcome::Data)
}

/// `PasskeyRegistration`
pub(super) fn registration(arguments: &mut Arguments) -> PasskeyRegistration {
    let rp_id = arguments.optional_text();
    let rp_name = arguments.optional_text();
    let user_name = arguments.text();
    let user_id = arguments.text();
    let user_display_name = arguments.optional_text();
    let mut exclude_credentials = Vec::new();
    if let Some(Json::Array(ids)) = arguments.json() {
        let ids = ids.iter().filter_map(Json::as_str);
        exclude_credentials.extend(ids.map(String::from));
    }
    PasskeyRegistration {
        nickname: arguments.text(),
        challenge: arguments.text(),
        rp_id,
        rp_name,
        user_id,
        user_display_name: user_display_name.unwrap_or_else(|| user_name.clone()),
        user_name,
        exclude_credentials,
    }
}
