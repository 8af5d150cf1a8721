//! Layer 2: Grid's operations, one leg each.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::{
    args::Argument,
    call::{Call, MAX_ID_CHARS, promise},
    client::GridkeyClient,
    error::to_object,
    keys::MAX_KEY_CHARS,
    passkey::{read_assertion, read_attestation},
};
use crate::{
    api::{
        client::{ChallengeAnswer, Signed},
        request::{CreateAuthCredential, VerifyAuthCredential},
        types::{AuthMethod, AuthSession},
    },
    crypto::json::Json,
    error::Result,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types/operations.d.ts");

/// Of tokens, bundles and attestations; [`crate::api::request`] has the real bounds.
const MAX_TEXT_CHARS: u32 = 64 * 1024;

#[wasm_bindgen]
impl GridkeyClient {
    /// `GridOperations.createAuthCredential`
    #[wasm_bindgen(js_name = createAuthCredential)]
    pub fn create_auth_credential(&self, body: &JsValue, call: &JsValue) -> Promise {
        let client = self.client.clone();
        promise(|| {
            let body = read_create_body(&Argument::new(body, "body"))?;
            let (call, headers) = Call::read_signed(&Argument::new(call, "call"))?;
            let options = call.options.clone();
            Ok((call, async move {
                let answer = client
                    .api()
                    .create_auth_credential(&body, headers, &options)
                    .await?;
                Ok(signed(answer, 201, |method| {
                    Some(("authMethod", method.to_json()))
                }))
            }))
        })
    }

    /// `GridOperations.listAuthCredentials`
    #[wasm_bindgen(js_name = listAuthCredentials)]
    pub fn list_auth_credentials(&self, query: &JsValue, call: &JsValue) -> Promise {
        let client = self.client.clone();
        promise(|| {
            let account_id = Argument::new(query, "query")
                .get("accountId")?
                .text(MAX_ID_CHARS)?;
            let call = Call::read(&Argument::new(call, "call"))?;
            let options = call.options.clone();
            Ok((call, async move {
                let methods = client
                    .api()
                    .list_auth_credentials(&account_id, &options)
                    .await?;
                let methods = methods.iter().map(AuthMethod::to_json).collect();
                Ok(answer(200, "authMethods", Json::Array(methods)))
            }))
        })
    }

    /// `GridOperations.challengeAuthCredential`
    #[wasm_bindgen(js_name = challengeAuthCredential)]
    pub fn challenge_auth_credential(
        &self,
        id: &JsValue,
        body: &JsValue,
        call: &JsValue,
    ) -> Promise {
        let client = self.client.clone();
        promise(|| {
            let id = Argument::new(id, "id").text(MAX_ID_CHARS)?;
            let key = Argument::new(body, "body").get_text("clientPublicKey", MAX_KEY_CHARS)?;
            let call = Call::read(&Argument::new(call, "call"))?;
            let options = call.options.clone();
            Ok((call, async move {
                let api = client.api();
                let answer = api
                    .challenge_auth_credential(&id, key.as_deref(), &options)
                    .await?;
                let (kind, member) = match answer {
                    ChallengeAnswer::Otp(method) => {
                        (method.kind.as_str(), ("authMethod", method.to_json()))
                    }
                    ChallengeAnswer::Passkey(challenge) => {
                        ("PASSKEY", ("challenge", challenge.to_json()))
                    }
                };
                Ok(to_object(&Json::object([
                    ("status", 200.into()),
                    ("type", kind.into()),
                    member,
                ])))
            }))
        })
    }

    /// `GridOperations.verifyAuthCredential`
    #[wasm_bindgen(js_name = verifyAuthCredential)]
    pub fn verify_auth_credential(&self, id: &JsValue, body: &JsValue, call: &JsValue) -> Promise {
        let client = self.client.clone();
        promise(|| {
            let id = Argument::new(id, "id").text(MAX_ID_CHARS)?;
            let body = read_verify_body(&Argument::new(body, "body"))?;
            let (call, headers) = Call::read_signed(&Argument::new(call, "call"))?;
            let options = call.options.clone();
            Ok((call, async move {
                let api = client.api();
                let answer = api
                    .verify_auth_credential(&id, &body, headers, &options)
                    .await?;
                Ok(signed(answer, 200, |session| {
                    Some(("session", session.to_json()))
                }))
            }))
        })
    }

    /// `GridOperations.listAuthSessions`
    #[wasm_bindgen(js_name = listAuthSessions)]
    pub fn list_auth_sessions(&self, query: &JsValue, call: &JsValue) -> Promise {
        let client = self.client.clone();
        promise(|| {
            let account_id = Argument::new(query, "query")
                .get("accountId")?
                .text(MAX_ID_CHARS)?;
            let call = Call::read(&Argument::new(call, "call"))?;
            let options = call.options.clone();
            Ok((call, async move {
                let sessions = client
                    .api()
                    .list_auth_sessions(&account_id, &options)
                    .await?;
                let sessions = sessions.iter().map(AuthSession::to_json).collect();
                Ok(answer(200, "sessions", Json::Array(sessions)))
            }))
        })
    }

    /// `GridOperations.revokeAuthSession`
    #[wasm_bindgen(js_name = revokeAuthSession)]
    pub fn revoke_auth_session(&self, id: &JsValue, call: &JsValue) -> Promise {
        let client = self.client.clone();
        promise(|| {
            let id = Argument::new(id, "id").text(MAX_ID_CHARS)?;
            let (call, headers) = Call::read_signed(&Argument::new(call, "call"))?;
            let options = call.options.clone();
            Ok((call, async move {
                let answer = client
                    .api()
                    .revoke_auth_session(&id, headers, &options)
                    .await?;
                Ok(signed(answer, 204, |()| None))
            }))
        })
    }

    /// `GridOperations.refreshAuthSession`
    #[wasm_bindgen(js_name = refreshAuthSession)]
    pub fn refresh_auth_session(&self, id: &JsValue, body: &JsValue, call: &JsValue) -> Promise {
        let client = self.client.clone();
        promise(|| {
            let id = Argument::new(id, "id").text(MAX_ID_CHARS)?;
            let key = Argument::new(body, "body")
                .get("clientPublicKey")?
                .text(MAX_KEY_CHARS)?;
            let (call, headers) = Call::read_signed(&Argument::new(call, "call"))?;
            let options = call.options.clone();
            Ok((call, async move {
                let api = client.api();
                let answer = api
                    .refresh_auth_session(&id, &key, headers, &options)
                    .await?;
                Ok(signed(answer, 201, |session| {
                    Some(("session", session.to_json()))
                }))
            }))
        })
    }

    /// `GridOperations.regenerateAgentDeviceCode`
    #[wasm_bindgen(js_name = regenerateAgentDeviceCode)]
    pub fn regenerate_agent_device_code(&self, agent_id: &JsValue, call: &JsValue) -> Promise {
        let client = self.client.clone();
        promise(|| {
            let agent_id = Argument::new(agent_id, "agentId").text(MAX_ID_CHARS)?;
            let call = Call::read(&Argument::new(call, "call"))?;
            let options = call.options.clone();
            Ok((call, async move {
                let code = client
                    .api()
                    .regenerate_agent_device_code(&agent_id, &options)
                    .await?;
                Ok(answer(201, "deviceCode", code.to_json()))
            }))
        })
    }

    /// `GridOperations.createPasskeyRegistrationOptions`
    #[wasm_bindgen(js_name = createPasskeyRegistrationOptions)]
    pub fn create_passkey_registration_options(&self, body: &JsValue, call: &JsValue) -> Promise {
        let client = self.client.clone();
        promise(|| {
            let account_id = Argument::new(body, "body")
                .get("accountId")?
                .text(MAX_ID_CHARS)?;
            let call = Call::read(&Argument::new(call, "call"))?;
            let options = call.options.clone();
            Ok((call, async move {
                let api = client.api();
                let fetched = api
                    .create_passkey_registration_options(&account_id, &options)
                    .await?;
                Ok(answer(200, "options", fetched.to_json()))
            }))
        })
    }
}

/// `CreateAuthCredentialBody`
fn read_create_body(body: &Argument) -> Result<CreateAuthCredential> {
    let kind = body
        .get("type")?
        .choice(&["EMAIL_OTP", "OAUTH", "PASSKEY"])?;
    let account_id = body.get("accountId")?.text(MAX_ID_CHARS)?;
    let text = |name| body.get(name)?.text(MAX_TEXT_CHARS);
    Ok(match kind {
        "EMAIL_OTP" => CreateAuthCredential::EmailOtp { account_id },
        "OAUTH" => CreateAuthCredential::Oauth {
            account_id,
            oidc_token: text("oidcToken")?,
        },
        _ => CreateAuthCredential::Passkey {
            account_id,
            nickname: text("nickname")?,
            challenge: text("challenge")?,
            attestation: read_attestation(&body.get("attestation")?)?,
        },
    })
}

/// `VerifyAuthCredentialBody`
fn read_verify_body(body: &Argument) -> Result<VerifyAuthCredential> {
    let kind = body
        .get("type")?
        .choice(&["EMAIL_OTP", "OAUTH", "PASSKEY"])?;
    let text = |name| body.get(name)?.text(MAX_TEXT_CHARS);
    Ok(match kind {
        "EMAIL_OTP" => VerifyAuthCredential::EmailOtp {
            encrypted_otp_bundle: text("encryptedOtpBundle")?,
        },
        "OAUTH" => VerifyAuthCredential::Oauth {
            oidc_token: text("oidcToken")?,
            client_public_key: text("clientPublicKey")?,
        },
        _ => VerifyAuthCredential::Passkey {
            assertion: read_assertion(&body.get("assertion")?)?,
        },
    })
}

/// `{ status, [name]: value }`
fn answer(status: u64, name: &str, value: Json) -> JsValue {
    to_object(&Json::object([("status", status.into()), (name, value)]))
}

/// The answer of an operation of two legs.
fn signed<T>(
    signed: Signed<T>,
    done_status: u64,
    done: impl FnOnce(T) -> Option<(&'static str, Json)>,
) -> JsValue {
    match signed {
        Signed::Challenge(challenge) => answer(202, "challenge", challenge.to_json()),
        Signed::Done(value) => match done(value) {
            Some((name, value)) => answer(done_status, name, value),
            None => to_object(&Json::object([("status", done_status.into())])),
        },
    }
}
