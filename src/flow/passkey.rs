//! Signing in with a passkey.

use alloc::{rc::Rc, string::String, vec::Vec};

use super::{
    ahead::{Ahead, Expiring},
    client::{Core, Credential},
    key_delivery::PendingKey,
    session::WalletSession,
};
use crate::{
    api::{
        client::{CallOptions, cancellable},
        operation::Operation,
        request::{Request, SignedHeaders, assertion_json},
        signed_retry::outcome_unknown,
        types::{AuthMethodType, AuthSession, PasskeyAuthChallenge},
    },
    crypto::base64url,
    error::{Error, ErrorCode, Result},
    formats::passkey::{
        Ceremony, MAX_CREDENTIAL_ID_BYTES, PasskeyAssertion, PasskeyAssertionRequest,
        challenge_bytes, check_client_data,
    },
};

/// A challenge, with the key whose public half is bound into it.
struct Prepared {
    challenge: PasskeyAuthChallenge,
    challenge_bytes: Vec<u8>,
    credential_id: Vec<u8>,
    key: PendingKey,
}

impl Expiring for Prepared {
    fn expires_at_ms(&self) -> i64 {
        self.challenge.expires_at_ms
    }
}

/// A passkey's challenge, fetched ahead of the tap and kept fresh.
pub struct PasskeySignIn {
    core: Rc<Core>,
    auth_method_id: String,
    ahead: Rc<Ahead<Prepared>>,
}

impl PasskeySignIn {
    pub(super) async fn prepare(
        core: Rc<Core>,
        credential: Credential,
        options: CallOptions,
    ) -> Result<Self> {
        let auth_method_id = credential.auth_method_id.clone();
        let fetch = {
            let core = core.clone();
            move |options: CallOptions| {
                let (core, credential) = (core.clone(), credential.clone());
                async move { prepare(&core, &credential, &options).await }
            }
        };
        let ahead = Ahead::fetched(core.api.time().device().clone(), fetch, options).await?;
        Ok(Self {
            core,
            auth_method_id,
            ahead,
        })
    }

    /// `AuthMethod:<uuid>`
    pub fn auth_method_id(&self) -> &str {
        &self.auth_method_id
    }

    /// When the challenge that is ready runs out, in milliseconds since 1970.
    pub fn expires_at_ms(&self) -> i64 {
        self.ahead.expires_at_ms()
    }

    /// Asks for the passkey and signs in. Call it inside the tap; it may be called again.
    pub async fn confirm(&self, options: &CallOptions) -> Result<WalletSession> {
        let prepared = self.ahead.take(options.clone()).await?;
        let assertion = match ask(&self.core, &prepared, options).await {
            Ok(assertion) => assertion,
            Err(error) => {
                // Nothing was sent, so the challenge is still good.
                self.ahead.put_back(prepared);
                return Err(error);
            }
        };
        let session = verify(&self.core, prepared, assertion, options).await;
        if session.is_err() {
            self.ahead.refill();
        }
        session
    }
}

pub(super) async fn sign_in(
    core: Rc<Core>,
    credential: &Credential,
    options: &CallOptions,
) -> Result<WalletSession> {
    let prepared = prepare(&core, credential, options).await?;
    let assertion = ask(&core, &prepared, options).await?;
    verify(&core, prepared, assertion, options).await
}

async fn prepare(core: &Core, credential: &Credential, options: &CallOptions) -> Result<Prepared> {
    credential.check()?;
    let auth_method_id = credential.auth_method_id.as_str();
    let key = PendingKey::generate(core.session_keys, &*core.random)?;
    let client_public_key = key.client_public_key();
    let request = Request::on(Operation::ChallengeAuthCredential, auth_method_id)
        .with_texts(&[("clientPublicKey", &client_public_key)]);
    let answer = core.api.call(request, options).await?;
    let challenge = PasskeyAuthChallenge::read(&answer.body);
    if challenge.auth_method.kind != AuthMethodType::Passkey {
        return Err(Error::invalid_argument(
            "`authMethodId` is of a credential that is no PASSKEY",
        ));
    }
    if challenge.auth_method.id != auth_method_id {
        return Err(Error::relay_protocol(
            "the answer to challengeAuthCredential is of another credential",
        ));
    }
    credential.check_account(&challenge.auth_method.account_id)?;
    core.api.time().check_fresh(challenge.expires_at_ms)?;
    let wrong =
        |_| Error::relay_protocol("the passkey challenge is not of the form that Grid documents");
    Ok(Prepared {
        challenge_bytes: challenge_bytes(&challenge.challenge).map_err(wrong)?,
        credential_id: base64url::decode(&challenge.credential_id, MAX_CREDENTIAL_ID_BYTES)
            .map_err(|_| Error::relay_protocol("the passkey's `credentialId` is too long"))?,
        challenge,
        key,
    })
}

/// The ceremony. Nothing is awaited before the browser is asked.
async fn ask(core: &Core, prepared: &Prepared, options: &CallOptions) -> Result<PasskeyAssertion> {
    let left_ms = prepared
        .challenge
        .expires_at_ms
        .saturating_sub(core.api.time().now_ms());
    let request = PasskeyAssertionRequest {
        challenge: prepared.challenge_bytes.clone(),
        credential_id: prepared.credential_id.clone(),
        rp_id: core.rp_id.clone(),
        timeout_ms: u64::try_from(left_ms).ok(),
    };
    cancellable(options, || core.authenticator.get(request)).await
}

async fn verify(
    core: &Rc<Core>,
    prepared: Prepared,
    assertion: PasskeyAssertion,
    options: &CallOptions,
) -> Result<WalletSession> {
    let Prepared {
        challenge,
        challenge_bytes,
        key,
        ..
    } = prepared;
    check_client_data(&assertion.client_data_json, Ceremony::Get, &challenge_bytes)?;
    if assertion.credential_id != challenge.credential_id {
        return Err(Error::new(
            ErrorCode::PasskeyRejected,
            "the device answered with another passkey than the one that was asked for",
        ));
    }
    if core.api.time().now_ms() >= challenge.expires_at_ms {
        return Err(Error::new(
            ErrorCode::ChallengeExpired,
            "the passkey prompt was open for longer than Grid's challenge lives: try again",
        ));
    }
    let request = Request::on(Operation::VerifyAuthCredential, &challenge.auth_method.id)
        .with_texts(&[("type", AuthMethodType::Passkey.as_str())])
        .with_member("assertion", assertion_json(&assertion))
        .with_headers(SignedHeaders {
            request_id: Some(challenge.request_id.clone()),
            ..Default::default()
        });
    let answer = core
        .api
        .call(request, options)
        .await
        .map_err(outcome_unknown)
        .map_err(|error| error.with_request_id(challenge.request_id.as_str()))?;
    if answer.is_challenge() {
        return Err(Error::relay_protocol(
            "a passkey's verification was answered with a further challenge",
        ));
    }
    let session = AuthSession::read(&answer.body);
    if session.account_id != challenge.auth_method.account_id
        || session.kind != AuthMethodType::Passkey
    {
        return Err(Error::relay_protocol(
            "the session is of another account or kind of credential than the passkey",
        ));
    }
    let key = Rc::new(key.into_signer(&session)?);
    WalletSession::start(core.clone(), session, Some(challenge.auth_method.id), key)
}
