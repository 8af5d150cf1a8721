//! Layer 1: passkey ceremonies.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;

use super::{
    args::{Argument, read},
    authenticator::BrowserAuthenticator,
    call::{Call, or_rejected},
    object::Builder,
};
use crate::{
    api::client::cancellable,
    crypto::base64url,
    error::{Error, Result},
    flow::enrolment::{PasskeyRegistration, creation_request},
    formats::{
        nickname::passkey_nickname,
        passkey::{
            Ceremony, MAX_CREDENTIAL_ID_BYTES, PasskeyAssertion, PasskeyAssertionRequest,
            PasskeyAttestation, challenge_bytes, check_client_data,
        },
    },
    ports::Authenticator as _,
};

/// base64url of WebAuthn's longest credential id.
const MAX_CREDENTIAL_ID_CHARS: u32 = 1364;
const MAX_CREDENTIALS: u32 = 256;
/// Base64url of client data, attestations and the like.
const MAX_BYTES_CHARS: u32 = 64 * 1024;
/// Of names for people; Grid and browsers have bounds of their own.
pub(crate) const MAX_NAME_CHARS: u32 = 1024;
/// A domain name.
pub(crate) const MAX_RP_ID_CHARS: u32 = 253;

/// The bytes that WebAuthn takes as `challenge` for a challenge of Grid's: the 64 ASCII bytes of
/// its 64 hexadecimal digits.
///
/// @throws {GridkeyError} `invalid_argument`
#[wasm_bindgen(js_name = passkeyChallengeBytes)]
pub fn passkey_challenge_bytes(
    #[wasm_bindgen(unchecked_param_type = "string")] challenge: &JsValue,
) -> Result<Uint8Array> {
    let challenge = read(|problem| {
        Argument::new(problem, challenge, "challenge").as_text(MAX_CHALLENGE_CHARS)
    })?;
    Ok(Uint8Array::from(challenge_bytes(&challenge)?.as_slice()))
}

/// Asks for a passkey: `navigator.credentials.get()`. Call it inside the tap that asked for it.
/// One ceremony at a time: a new one ends the old.
///
/// @throws {GridkeyError} `invalid_argument`, `passkey_not_used`, `passkey_unsupported`,
/// `passkey_rejected`, `aborted`
#[wasm_bindgen(js_name = requestPasskey, unchecked_return_type = "Promise<PasskeyAssertion>")]
pub fn request_passkey(
    #[wasm_bindgen(unchecked_param_type = "{ challenge: string; credentialId: string }")]
    challenge: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "PasskeyOptions")] options: &JsValue,
) -> Promise {
    or_rejected((|| {
        let (digits, credential_id, (call, rp_id)) = read(|problem| {
            let challenge = Argument::new(problem, challenge, "challenge");
            (
                challenge.text("challenge", MAX_CHALLENGE_CHARS),
                challenge.text("credentialId", MAX_CREDENTIAL_ID_CHARS),
                passkey_options(Argument::new(problem, options, "options")),
            )
        })?;
        let credential_id = base64url::decode(&credential_id, MAX_CREDENTIAL_ID_BYTES)
            .map_err(|_| Error::invalid_argument("`credentialId` must be unpadded base64url."))?;
        let request = PasskeyAssertionRequest {
            challenge: challenge_bytes(&digits)?,
            credential_id,
            rp_id,
            timeout_ms: call.options.timeout_ms,
        };
        Ok(call.promise(|options| async move {
            let challenge = request.challenge.clone();
            let assertion = cancellable(&options, || BrowserAuthenticator.get(request)).await?;
            check_client_data(&assertion.client_data_json, Ceremony::Get, &challenge)?;
            Ok(assertion_object(&assertion))
        }))
    })())
}

/// Makes a passkey: `navigator.credentials.create()`. Call it inside the tap that asked for it.
/// One ceremony at a time: a new one ends the old.
///
/// @throws {GridkeyError} `invalid_argument`, `passkey_not_used`, `passkey_already_registered`,
/// `passkey_unsupported`, `passkey_rejected`, `aborted`
#[wasm_bindgen(js_name = createPasskey, unchecked_return_type = "Promise<PasskeyAttestation>")]
pub fn create_passkey(
    #[wasm_bindgen(unchecked_param_type = "PasskeyRegistration")] registration: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "PasskeyOptions")] options: &JsValue,
) -> Promise {
    or_rejected((|| {
        let (registration, (call, rp_id)) = read(|problem| {
            (
                read_registration(Argument::new(problem, registration, "registration")),
                passkey_options(Argument::new(problem, options, "options")),
            )
        })?;
        passkey_nickname(&registration.nickname)?;
        let mut request = creation_request(&registration, rp_id.as_deref(), None)?;
        request.timeout_ms = call.options.timeout_ms;
        Ok(call.promise(|options| async move {
            let challenge = request.challenge.clone();
            let attestation =
                cancellable(&options, || BrowserAuthenticator.create(request)).await?;
            check_client_data(&attestation.client_data_json, Ceremony::Create, &challenge)?;
            Ok(attestation_object(&attestation))
        }))
    })())
}

/// `PasskeyOptions`
fn passkey_options(options: Argument<'_>) -> (Call, Option<String>) {
    let rp_id = options.optional_text("rpId", MAX_RP_ID_CHARS);
    (Call::read(options), rp_id)
}

/// `PasskeyRegistration`
pub(crate) fn read_registration(registration: Argument<'_>) -> PasskeyRegistration {
    let rp = registration.get("rp");
    let rp = registration.member("rp", &rp);
    let user = registration.get("user");
    let user = registration.member("user", &user);
    let user_name = user.text("name", MAX_NAME_CHARS);
    let mut exclude_credentials = Vec::new();
    for credential in registration.list("excludeCredentials", MAX_CREDENTIALS) {
        let credential = registration.member("excludeCredentials[]", &credential);
        exclude_credentials.push(credential.text("id", MAX_CREDENTIAL_ID_CHARS));
    }
    PasskeyRegistration {
        nickname: registration.text("nickname", MAX_NAME_CHARS),
        challenge: registration.text("challenge", MAX_BYTES_CHARS),
        rp_id: rp.optional_text("id", MAX_RP_ID_CHARS),
        rp_name: rp.optional_text("name", MAX_NAME_CHARS),
        user_id: user.text("id", MAX_NAME_CHARS),
        user_display_name: user
            .optional_text("displayName", MAX_NAME_CHARS)
            .unwrap_or_else(|| user_name.clone()),
        user_name,
        exclude_credentials,
    }
}

fn assertion_object(assertion: &PasskeyAssertion) -> JsValue {
    Builder::new()
        .text("credentialId", &assertion.credential_id)
        .text("clientDataJson", &assertion.client_data_json)
        .text("authenticatorData", &assertion.authenticator_data)
        .text("signature", &assertion.signature)
        .optional_text("userHandle", assertion.user_handle.as_deref())
        .build()
}

fn attestation_object(attestation: &PasskeyAttestation) -> JsValue {
    let transports: Array = attestation.transports.iter().map(JsValue::from).collect();
    Builder::new()
        .text("credentialId", &attestation.credential_id)
        .text("clientDataJson", &attestation.client_data_json)
        .text("attestationObject", &attestation.attestation_object)
        .set("transports", &transports)
        .build()
}

/// More than the 64 digits of a challenge, so that it is told apart from what is no string.
const MAX_CHALLENGE_CHARS: u32 = 1024;
