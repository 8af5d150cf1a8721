//! Layer 2: Grid's operations, one leg each.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::{
    args::Argument,
    call::{Call, MAX_ID_CHARS, or_rejected},
    client::GridkeyClient,
    error::to_object,
    keys::MAX_KEY_CHARS,
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
            let request = Request::read(name, subject, body)?;
            let call = Argument::new(call, "call");
            let headers = Call::read_headers(call)?;
            Ok(Call::read(call)?.promise(|options| async move {
                let answer = request.send(client.api(), headers, &options).await?;
                Ok(to_object(&answer))
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
    fn read(name: &str, subject: &JsValue, body: &JsValue) -> Result<Self> {
        let known = Operation::ALL
            .iter()
            .find(|operation| operation.spec().id == name);
        let operation = known.ok_or_else(|| Error::invalid_argument("No such operation."))?;
        let id = || Argument::new(subject, "id").as_text(MAX_ID_CHARS);
        let account_id = || Argument::new(subject, "query").text("accountId", MAX_ID_CHARS);
        let body = Argument::new(body, "body");
        Ok(match operation {
            Operation::CreateAuthCredential => {
                Self::CreateAuthCredential(read_create_body(Argument::new(subject, "body"))?)
            }
            Operation::ListAuthCredentials => Self::ListAuthCredentials(account_id()?),
            Operation::ChallengeAuthCredential => Self::ChallengeAuthCredential(
                id()?,
                body.optional_text("clientPublicKey", MAX_KEY_CHARS)?,
            ),
            Operation::VerifyAuthCredential => {
                Self::VerifyAuthCredential(id()?, read_verify_body(body)?)
            }
            Operation::ListAuthSessions => Self::ListAuthSessions(account_id()?),
            Operation::RevokeAuthSession => Self::RevokeAuthSession(id()?),
            Operation::RefreshAuthSession => {
                Self::RefreshAuthSession(id()?, body.text("clientPublicKey", MAX_KEY_CHARS)?)
            }
            Operation::RegenerateAgentDeviceCode => Self::RegenerateAgentDeviceCode(id()?),
            Operation::CreatePasskeyRegistrationOptions => {
                Self::CreatePasskeyRegistrationOptions(account_id()?)
            }
        })
    }

    async fn send(
        self,
        api: &GridApi,
        headers: SignedHeaders,
        options: &CallOptions,
    ) -> Result<Json> {
        Ok(match self {
            Self::CreateAuthCredential(body) => {
                let signed = api.create_auth_credential(&body, headers, options).await?;
                leg(signed, 201, |method| ("authMethod", method.to_json()))
            }
            Self::ListAuthCredentials(account_id) => {
                let methods = api.list_auth_credentials(&account_id, options).await?;
                let methods = methods.iter().map(AuthMethod::to_json).collect();
                answer(200, ("authMethods", Json::Array(methods)))
            }
            Self::ChallengeAuthCredential(id, key) => {
                match api
                    .challenge_auth_credential(&id, key.as_deref(), options)
                    .await?
                {
                    ChallengeAnswer::Otp(method) => Json::object([
                        ("status", 200.into()),
                        ("type", method.kind.as_str().into()),
                        ("authMethod", method.to_json()),
                    ]),
                    ChallengeAnswer::Passkey(challenge) => Json::object([
                        ("status", 200.into()),
                        ("type", "PASSKEY".into()),
                        ("challenge", challenge.to_json()),
                    ]),
                }
            }
            Self::VerifyAuthCredential(id, body) => {
                let signed = api
                    .verify_auth_credential(&id, &body, headers, options)
                    .await?;
                leg(signed, 200, |session| ("session", session.to_json()))
            }
            Self::ListAuthSessions(account_id) => {
                let sessions = api.list_auth_sessions(&account_id, options).await?;
                let sessions = sessions.iter().map(AuthSession::to_json).collect();
                answer(200, ("sessions", Json::Array(sessions)))
            }
            Self::RevokeAuthSession(id) => {
                match api.revoke_auth_session(&id, headers, options).await? {
                    Signed::Challenge(challenge) => answer(202, ("challenge", challenge.to_json())),
                    Signed::Done(()) => Json::object([("status", 204.into())]),
                }
            }
            Self::RefreshAuthSession(id, key) => {
                let signed = api
                    .refresh_auth_session(&id, &key, headers, options)
                    .await?;
                leg(signed, 201, |session| ("session", session.to_json()))
            }
            Self::RegenerateAgentDeviceCode(agent_id) => {
                let code = api.regenerate_agent_device_code(&agent_id, options).await?;
                answer(201, ("deviceCode", code.to_json()))
            }
            Self::CreatePasskeyRegistrationOptions(account_id) => {
                let fetched = api.create_passkey_registration_options(&account_id, options);
                answer(200, ("options", fetched.await?.to_json()))
            }
        })
    }
}

/// `CreateAuthCredentialBody`
fn read_create_body(body: Argument<'_>) -> Result<CreateAuthCredential> {
    let account_id = body.text("accountId", MAX_ID_CHARS)?;
    let text = |name| body.text(name, MAX_TEXT_CHARS);
    Ok(match body.choice("type", KINDS)? {
        "EMAIL_OTP" => CreateAuthCredential::EmailOtp { account_id },
        "OAUTH" => CreateAuthCredential::Oauth {
            account_id,
            oidc_token: text("oidcToken")?,
        },
        _ => {
            let attestation = body.get("attestation")?;
            CreateAuthCredential::Passkey {
                account_id,
                nickname: text("nickname")?,
                challenge: text("challenge")?,
                attestation: read_attestation(body.member("attestation", &attestation))?,
            }
        }
    })
}

/// `VerifyAuthCredentialBody`
fn read_verify_body(body: Argument<'_>) -> Result<VerifyAuthCredential> {
    let text = |name| body.text(name, MAX_TEXT_CHARS);
    Ok(match body.choice("type", KINDS)? {
        "EMAIL_OTP" => VerifyAuthCredential::EmailOtp {
            encrypted_otp_bundle: text("encryptedOtpBundle")?,
        },
        "OAUTH" => VerifyAuthCredential::Oauth {
            oidc_token: text("oidcToken")?,
            client_public_key: text("clientPublicKey")?,
        },
        _ => {
            let assertion = body.get("assertion")?;
            VerifyAuthCredential::Passkey {
                assertion: read_assertion(body.member("assertion", &assertion))?,
            }
        }
    })
}

const KINDS: &[&str] = &["EMAIL_OTP", "OAUTH", "PASSKEY"];

/// `{ status, [name]: value }`
fn answer(status: u64, (name, value): (&str, Json)) -> Json {
    Json::object([("status", status.into()), (name, value)])
}

/// The answer to one of two legs.
fn leg<T>(signed: Signed<T>, status: u64, done: fn(T) -> (&'static str, Json)) -> Json {
    match signed {
        Signed::Challenge(challenge) => answer(202, ("challenge", challenge.to_json())),
        Signed::Done(value) => answer(status, done(value)),
    }
}
