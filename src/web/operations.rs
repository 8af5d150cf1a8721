//! Layer 2: Grid's operations, one leg each.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::{
    args::{Argument, Problem, read},
    call::{Call, MAX_ID_CHARS, or_rejected},
    client::GridkeyClient,
    keys::MAX_KEY_CHARS,
    object::Builder,
    passkey::{read_assertion, read_attestation},
};
use crate::{
    api::{
        client::{CallOptions, ChallengeAnswer, GridApi, Signed, SignedHeaders},
        operation::Operation,
        request::{CreateAuthCredential, VerifyAuthCredential},
        types::{AuthMethod, AuthSession},
    },
    crypto::json::Json,
    error::{Error, Result},
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types/operations.d.ts");

/// Of tokens, bundles and attestations; [`crate::api::request`] has the real bounds.
const MAX_TEXT_CHARS: u32 = 64 * 1024;

#[wasm_bindgen]
impl GridkeyClient {
    /// The operation of `GridOperations` of this name. `subject` is its `id`, where it has one, or
    /// its `body` or `query`; `body` is its body beside an `id`.
    ///
    /// One method for all, because each exported one weighs more than what they differ in.
    pub fn operation(
        &self,
        name: &str,
        subject: &JsValue,
        body: &JsValue,
        call: &JsValue,
    ) -> Promise {
        let client = self.client.clone();
        or_rejected((|| {
            let operation = Operation::ALL.iter().find(|known| known.spec().id == name);
            let operation =
                *operation.ok_or_else(|| Error::invalid_argument("No such operation."))?;
            let (request, headers, call) = read(|problem| {
                let call = Argument::new(problem, call, "call");
                let request = Request::read(operation, problem, subject, body);
                (request, Call::read_headers(call), Call::read(call))
            })?;
            Ok(call.promise(|options| async move {
                request.send(client.api(), headers, &options).await
            }))
        })())
    }
}

/// An operation and its arguments.
enum Request {
    CreateAuthCredential(CreateAuthCredential),
    ListAuthCredentials(String),
    ChallengeAuthCredential(String, Option<String>),
    VerifyAuthCredential(String, VerifyAuthCredential),
    ListAuthSessions(String),
    RevokeAuthSession(String),
    RefreshAuthSession(String, String),
    RegenerateAgentDeviceCode(String),
    CreatePasskeyRegistrationOptions(String),
}

impl Request {
    fn read(operation: Operation, problem: &Problem, subject: &JsValue, body: &JsValue) -> Self {
        let id = || Argument::new(problem, subject, "id").as_text(MAX_ID_CHARS);
        let account_id = || {
            let query = Argument::new(problem, subject, "query");
            query.text("accountId", MAX_ID_CHARS)
        };
        let body = Argument::new(problem, body, "body");
        match operation {
            Operation::CreateAuthCredential => {
                let body = Argument::new(problem, subject, "body");
                Self::CreateAuthCredential(read_create_body(body))
            }
            Operation::ListAuthCredentials => Self::ListAuthCredentials(account_id()),
            Operation::ChallengeAuthCredential => Self::ChallengeAuthCredential(
                id(),
                body.optional_text("clientPublicKey", MAX_KEY_CHARS),
            ),
            Operation::VerifyAuthCredential => {
                Self::VerifyAuthCredential(id(), read_verify_body(body))
            }
            Operation::ListAuthSessions => Self::ListAuthSessions(account_id()),
            Operation::RevokeAuthSession => Self::RevokeAuthSession(id()),
            Operation::RefreshAuthSession => {
                Self::RefreshAuthSession(id(), body.text("clientPublicKey", MAX_KEY_CHARS))
            }
            Operation::RegenerateAgentDeviceCode => Self::RegenerateAgentDeviceCode(id()),
            Operation::CreatePasskeyRegistrationOptions => {
                Self::CreatePasskeyRegistrationOptions(account_id())
            }
        }
    }

    async fn send(
        self,
        api: &GridApi,
        headers: SignedHeaders,
        options: &CallOptions,
    ) -> Result<JsValue> {
        let (status, name, json) = match self {
            Self::CreateAuthCredential(body) => {
                let signed = api.create_auth_credential(&body, headers, options).await?;
                leg(signed, 201, "authMethod", AuthMethod::to_json)
            }
            Self::ListAuthCredentials(account_id) => {
                let methods = api.list_auth_credentials(&account_id, options).await?;
                let methods = methods.iter().map(AuthMethod::to_json).collect();
                (200, "authMethods", Json::Array(methods))
            }
            Self::ChallengeAuthCredential(id, key) => {
                match api
                    .challenge_auth_credential(&id, key.as_deref(), options)
                    .await?
                {
                    ChallengeAnswer::Otp(method) => (200, "authMethod", method.to_json()),
                    ChallengeAnswer::Passkey(challenge) => (200, "challenge", challenge.to_json()),
                }
            }
            Self::VerifyAuthCredential(id, body) => {
                let signed = api
                    .verify_auth_credential(&id, &body, headers, options)
                    .await?;
                leg(signed, 200, "session", AuthSession::to_json)
            }
            Self::ListAuthSessions(account_id) => {
                let sessions = api.list_auth_sessions(&account_id, options).await?;
                let sessions = sessions.iter().map(AuthSession::to_json).collect();
                (200, "sessions", Json::Array(sessions))
            }
            Self::RevokeAuthSession(id) => {
                let signed = api.revoke_auth_session(&id, headers, options).await?;
                leg(signed, 204, "", |()| Json::Null)
            }
            Self::RefreshAuthSession(id, key) => {
                let signed = api
                    .refresh_auth_session(&id, &key, headers, options)
                    .await?;
                leg(signed, 201, "session", AuthSession::to_json)
            }
            Self::RegenerateAgentDeviceCode(agent_id) => {
                let code = api.regenerate_agent_device_code(&agent_id, options).await?;
                (201, "deviceCode", code.to_json())
            }
            Self::CreatePasskeyRegistrationOptions(account_id) => {
                let fetched = api
                    .create_passkey_registration_options(&account_id, options)
                    .await?;
                (200, "options", fetched.to_json())
            }
        };
        Ok(answer_object(status, name, &json))
    }
}

/// `CreateAuthCredentialBody`
fn read_create_body(body: Argument<'_>) -> CreateAuthCredential {
    let account_id = body.text("accountId", MAX_ID_CHARS);
    let text = |name| body.text(name, MAX_TEXT_CHARS);
    match body.choice("type", KINDS) {
        "EMAIL_OTP" => CreateAuthCredential::EmailOtp { account_id },
        "OAUTH" => CreateAuthCredential::Oauth {
            account_id,
            oidc_token: text("oidcToken"),
        },
        _ => {
            let attestation = body.get("attestation");
            CreateAuthCredential::Passkey {
                account_id,
                nickname: text("nickname"),
                challenge: text("challenge"),
                attestation: read_attestation(body.member("attestation", &attestation)),
            }
        }
    }
}

/// `VerifyAuthCredentialBody`
fn read_verify_body(body: Argument<'_>) -> VerifyAuthCredential {
    let text = |name| body.text(name, MAX_TEXT_CHARS);
    match body.choice("type", KINDS) {
        "EMAIL_OTP" => VerifyAuthCredential::EmailOtp {
            encrypted_otp_bundle: text("encryptedOtpBundle"),
        },
        "OAUTH" => VerifyAuthCredential::Oauth {
            oidc_token: text("oidcToken"),
            client_public_key: text("clientPublicKey"),
        },
        _ => {
            let assertion = body.get("assertion");
            VerifyAuthCredential::Passkey {
                assertion: read_assertion(body.member("assertion", &assertion)),
            }
        }
    }
}

const KINDS: &[&str] = &["EMAIL_OTP", "OAUTH", "PASSKEY"];

/// The status of an answer, what its one member is called, and the member.
type Answer = (u64, &'static str, Json);

/// The answer to one of two legs.
fn leg<T>(signed: Signed<T>, status: u64, name: &'static str, to_json: fn(&T) -> Json) -> Answer {
    match signed {
        Signed::Challenge(challenge) => (202, "challenge", challenge.to_json()),
        Signed::Done(value) => (status, name, to_json(&value)),
    }
}

fn answer_object(status: u64, name: &str, json: &Json) -> JsValue {
    let answer = Builder::new();
    answer.number("status", Some(status));
    if status != 204 {
        answer.json(name, Some(json));
    }
    // Of a challenged credential, whose kind tells the two answers apart.
    if let (200, "authMethod" | "challenge") = (status, name) {
        answer.optional_text("type", json.get("type").and_then(Json::as_str));
    }
    answer.build()
}
